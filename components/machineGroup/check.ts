import { defaultMaxLength } from "../cloudInit";
import { known } from "../known";
import { machineShape, offeringShape } from "../placement";
import type { Problem } from "../problems";
import {
    anything,
    boolean,
    callback,
    fields,
    joinProblems,
    list,
    needed,
    number,
    plain,
    readArguments,
    record,
} from "../shape";
import { filled, oneOf, text } from "../shape";
import type { DataVolumeArgs, GroupMachineArgs, MachineGateArgs, MachineGroupArgs } from "./args";

/** The shape of {@link DataVolumeArgs}. */
export const dataVolumeShape = fields<DataVolumeArgs>({
    diskOffering: needed(filled, "Give the name or id of a disk offering"),
    sizeGiB: number,
    protect: plain(boolean),
    allowDataLoss: boolean,
});

const groupShape = fields<MachineGroupArgs>({
    machines: needed(
        plain(
            record(
                plain(
                    fields<GroupMachineArgs>({
                        name: text,
                        ipAddress: text,
                        userData: text,
                        userDataBase64: text,
                        serviceOffering: text,
                    }),
                ),
            ),
        ),
        "Give machineKeys(3), or { a: {}, b: {} }",
    ),
    ...machineShape,
    serviceOffering: offeringShape,
    securityGroups: list(text),
    userData: text,
    onUserDataChange: oneOf("ignore", "update", "restart", "reinstall", "replace"),
    onTemplateChange: oneOf("replace", "reinstall"),
    reinstallTrigger: text,
    userDataMaxLength: number,
    rootDiskSizeGiB: number,
    dataVolume: plain(dataVolumeShape),
    allowDataLoss: boolean,
    ordered: plain(boolean),
    rollingGroup: text,
    maxUnavailable: number,
    gate: plain(fields<MachineGateArgs>({ before: list(anything), after: callback })),
    transform: callback,
});

/**
 * Checks a group's arguments as far as they are known in the program; each machine checks its own arguments against the
 * cloud.
 */
export function checkMachineGroup(given: MachineGroupArgs): Problem[] {
    const { args, problems } = readArguments(given, groupShape);
    const machines = Object.entries(args.machines ?? {});
    return joinProblems(problems, [
        ...machines.flatMap(([key]) => checkKey(key)),
        ...unique(machines, "ipAddress", "the address"),
        ...unique(machines, "name", "the name"),
        ...machines.flatMap(([key, machine]) => checkUserData(`machines.${key}`, machine, args)),
        ...checkUserData("", { userData: args.userData }, args),
    ]);
}

function checkKey(key: string): Problem[] {
    if (/^[A-Za-z0-9][A-Za-z0-9-]*$/.test(key)) return [];
    return [
        {
            path: `machines[${JSON.stringify(key)}]`,
            problem: "cannot be part of a host name",
            remedy: "Use letters, digits and hyphens, a letter or digit first",
        },
    ];
}

function unique(
    machines: [key: string, machine: GroupMachineArgs][],
    property: "ipAddress" | "name",
    what: string,
): Problem[] {
    const first = new Map<string, string>();
    return machines.flatMap(([key, machine]) => {
        const value = known(machine[property]);
        if (value === undefined) return [];
        const other = first.get(value);
        first.set(value, other ?? key);
        if (other === undefined) return [];
        const problem = `${value} is ${what} of machine ${other} too`;
        return [{ path: `machines.${key}.${property}`, problem, remedy: "Give every machine its own" }];
    });
}

/** Checks CloudStack's limit for the length of user data, for values that are known in the program. */
function checkUserData(path: string, of: GroupMachineArgs, args: MachineGroupArgs): Problem[] {
    const at = (property: string) => (path === "" ? property : `${path}.${property}`);
    const plainText = known(of.userData);
    const base64 = known(of.userDataBase64);
    const most = known(args.userDataMaxLength) ?? (args.userDataMaxLength === undefined ? defaultMaxLength : Infinity);
    const tooLong = (property: string, length: number): Problem[] =>
        length <= most
            ? []
            : [
                  {
                      path: at(property),
                      problem: `has ${length} characters of base64; the cloud accepts at most ${most}`,
                      remedy: "Shorten it, compress it with gzip and pass it as userDataBase64, or raise userDataMaxLength",
                  },
              ];
    if (of.userData !== undefined && of.userDataBase64 !== undefined)
        return [
            { path: at("userDataBase64"), problem: "cannot be combined with userData", remedy: "Give one of them" },
        ];
    return [
        ...(plainText === undefined ? [] : tooLong("userData", 4 * Math.ceil(Buffer.byteLength(plainText) / 3))),
        ...(base64 === undefined ? [] : tooLong("userDataBase64", base64.length)),
    ];
}
