/** All commands of this cloud, by name. */
import type { Commands } from "../command";
import { accountCommands } from "./accounts";
import { affinityGroupCommands } from "./affinityGroups";
import { catalogueCommands } from "./catalogue";
import { changeCommands } from "./changes";
import { firewallCommands } from "./firewall";
import { jobCommands } from "./jobs";
import { keyPairCommands } from "./keyPairs";
import { lifecycleCommands } from "./lifecycle";
import { machineCommands } from "./machines";
import { networkCommands } from "./networks";
import { nicCommands } from "./nics";
import { portForwardingCommands } from "./portForwarding";
import { projectCommands } from "./projects";
import { publicAddressCommands } from "./publicAddresses";
import { securityGroupCommands } from "./securityGroups";
import { tagCommands } from "./tags";
import { volumeCommands } from "./volumes";

export const COMMANDS: Commands = {
    ...accountCommands,
    ...affinityGroupCommands,
    ...catalogueCommands,
    ...changeCommands,
    ...firewallCommands,
    ...jobCommands(() => COMMANDS),
    ...keyPairCommands,
    ...lifecycleCommands,
    ...machineCommands,
    ...networkCommands,
    ...nicCommands,
    ...portForwardingCommands,
    ...projectCommands,
    ...publicAddressCommands,
    ...securityGroupCommands,
    ...tagCommands,
    ...volumeCommands,
};
