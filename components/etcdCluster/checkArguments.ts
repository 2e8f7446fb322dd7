import { defaultMaxLength, userDataProblem } from "../cloudInit";
import { known, knownArtifacts, knownItems, whollyKnown } from "../known";
import type { Problem } from "../problems";
import { joinProblems, readArguments } from "../shape";
import { defaultEtcdVersion, type EtcdClusterArgs, etcdShape, specArguments } from "./args";
import { checkEtcdCluster, type EtcdCheckArgs } from "./check";
import { renderEtcdMember } from "./member";
import { placeholderCertificates } from "./spec";

/** Checks the arguments as far as they are known in the program; the machines check theirs against the cloud. */
export function checkArguments(cluster: string, given: EtcdClusterArgs): Problem[] {
    const { args, problems: ofShape } = readArguments(given, etcdShape);
    const spec = knownSpec(cluster, { ...args, members: args.members ?? {} });
    const problems = joinProblems(ofShape, checkEtcdCluster(spec));
    return problems.length > 0 ? problems : checkLength(spec, args);
}

/** Checks the length of the user data, with placeholders for what does not exist yet. */
function checkLength(spec: EtcdCheckArgs, args: EtcdClusterArgs): Problem[] {
    const founders = Object.keys(spec.members);
    // The machines check a limit that is not known yet.
    const most = known(args.userDataMaxLength) ?? (args.userDataMaxLength === undefined ? defaultMaxLength : Infinity);
    const problem = userDataProblem("members", `user data of ${spec.name}'s members`, most, () =>
        renderEtcdMember({
            cluster: spec,
            key: founders[0],
            birth: { token: "0123456789abcdef", opensAt: 2_000_000_000, founders },
            certificates: placeholderCertificates(spec.name),
        }),
    );
    return problem === undefined ? [] : [problem];
}

/** The arguments as far as they are known; unknown addresses are replaced by addresses for documentation (RFC 5737). */
function knownSpec(cluster: string, args: EtcdClusterArgs): EtcdCheckArgs {
    const { members, version, artifacts, extraEnvironment, extraCloudConfig, ...plain } = specArguments(args);
    const addresses = Object.entries(members).map(([key, address], index) => [
        key,
        known(address) ?? `192.0.2.${index + 1}`,
    ]);
    return {
        ...Object.fromEntries(Object.entries(plain).map(([key, value]) => [key, known(value)])),
        name: cluster,
        version: known(version) ?? defaultEtcdVersion,
        members: Object.fromEntries(addresses),
        artifacts: knownArtifacts(artifacts),
        extraEnvironment: whollyKnown(extraEnvironment),
        extraCloudConfig: whollyKnown(extraCloudConfig),
        dataVolume: args.dataVolume !== undefined,
        operatorCidrs: knownItems(args.operatorCidrs),
        metricsCidrs: knownItems(args.metricsCidrs),
        sshCidrs: knownItems(args.sshCidrs),
        waitFor: args.waitFor,
        waitForTimeoutSeconds: known(args.waitForTimeoutSeconds),
        certificateValidityDays: known(args.certificateValidityDays),
        securityGroups: args.securityGroups,
        allowUnhealthy: knownItems(args.allowUnhealthy),
    };
}
