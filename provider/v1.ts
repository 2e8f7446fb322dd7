/**
 * The export `pulumi-cloudstack/dynamic/v1` of the package. The state of stacks refers to it: every resource's
 * `__provider` names one of these handlers. A released name is never removed or given another meaning; an incompatible
 * handler is added in a separate file (`v2`).
 */
import type { dynamic } from "@pulumi/pulumi";
import * as certificates from "./certificates/handlers";
import * as etcd from "./etcd/handlers";
import * as firewall from "./firewall/handler";
import * as kubernetes from "./kubernetesSettings/handler";
import { affinityGroup as affinityGroupHandler } from "./affinityGroup/handler";
import { endWithEngine } from "./engineWatch";
import type { Handler } from "./handler";
import { kubernetesReady as kubernetesReadyHandler } from "./kubernetes/readyHandler";
import { kubernetesUserData as kubernetesUserDataHandler } from "./kubernetes/userDataHandler";
import { network as networkHandler } from "./network/handler";
import { portForwardingRule as portForwardingRuleHandler } from "./portForwarding/handler";
import { publicIpAddress as publicIpAddressHandler } from "./publicIpAddress/handler";
import { securityGroup as securityGroupHandler } from "./securityGroup/handler";
import { securityGroupRules as securityGroupRulesHandler } from "./securityGroup/rulesHandler";
import { configureStack } from "./session";
import { sshKeyPair as sshKeyPairHandler } from "./sshKeyPair/handler";
import { virtualMachine as virtualMachineHandler } from "./virtualMachine/handler";
import { volume as volumeHandler } from "./volume/handler";

/** A handler that stores the stack's configuration synchronously when the plugin passes it. */
function configured(handler: Handler): dynamic.ResourceProvider {
    return { ...handler, configure: async ({ config }) => configureStack((key) => config.get(key)) };
}

// The plugin process has the engine's address as its argument.
if (/\bdynamic-provider\b/.test(process.argv[1] ?? "")) endWithEngine(process.argv[2]);

export const virtualMachine = configured(virtualMachineHandler);
export const securityGroup = configured(securityGroupHandler);
export const securityGroupRules = configured(securityGroupRulesHandler);
export const sshKeyPair = configured(sshKeyPairHandler);
export const affinityGroup = configured(affinityGroupHandler);
export const network = configured(networkHandler);
export const publicIpAddress = configured(publicIpAddressHandler);
export const firewallRules = configured(firewall.firewallRules);
export const egressFirewallRules = configured(firewall.egressFirewallRules);
export const portForwardingRule = configured(portForwardingRuleHandler);
export const volume = configured(volumeHandler);
export const certificateAuthority = configured(certificates.certificateAuthority);
export const certificate = configured(certificates.certificate);
export const randomSecret = configured(certificates.randomSecret);
export const signingKeyPair = configured(certificates.signingKeyPair);
export const clusterToken = configured(certificates.clusterToken);
export const etcdQuorum = configured(etcd.etcdQuorum);
export const etcdMember = configured(etcd.etcdMember);
export const etcdHealth = configured(etcd.etcdHealth);
export const etcdFounding = configured(etcd.etcdFounding);
export const etcdDataGuard = configured(etcd.etcdDataGuard);
export const kubernetesSettings = configured(kubernetes.kubernetesSettings);
export const kubernetesReady = configured(kubernetesReadyHandler);
export const kubernetesUserData = configured(kubernetesUserDataHandler);
