/**
 * The export `pulumi-cloudstack/dynamic/v1` of the package, which stored state points to: every resource's `__provider` names one of these exports. A name that has been released is
 * never removed or given another meaning; an incompatible handler gets a file of its own (`v2`) beside this one.
 */
import type { dynamic } from "@pulumi/pulumi";
import * as certificates from "./certificates/handlers";
import * as etcd from "./etcd/handlers";
import * as kubernetes from "./kubernetesSettings/handler";
import { affinityGroup as affinityGroupHandler } from "./affinityGroup/handler";
import { endWithEngine } from "./engineWatch";
import type { Handler } from "./handler";
import { securityGroup as securityGroupHandler } from "./securityGroup/handler";
import { securityGroupRules as securityGroupRulesHandler } from "./securityGroup/rulesHandler";
import { configureStack } from "./session";
import { sshKeyPair as sshKeyPairHandler } from "./sshKeyPair/handler";
import { virtualMachine as virtualMachineHandler } from "./virtualMachine/handler";
import { volume as volumeHandler } from "./volume/handler";

/** A handler that takes the stack's configuration, in the same tick in which the plugin hands it over. */
function configured(handler: Handler): dynamic.ResourceProvider {
    return { ...handler, configure: async ({ config }) => configureStack((key) => config.get(key)) };
}

// The plugin's process has the engine's address as its argument.
if (/\bdynamic-provider\b/.test(process.argv[1] ?? "")) endWithEngine(process.argv[2]);

export const virtualMachine = configured(virtualMachineHandler);
export const securityGroup = configured(securityGroupHandler);
export const securityGroupRules = configured(securityGroupRulesHandler);
export const sshKeyPair = configured(sshKeyPairHandler);
export const affinityGroup = configured(affinityGroupHandler);
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
