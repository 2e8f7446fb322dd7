import type { Problem } from "../problems";
import type { MachineGroupArgs } from "./index";

/** Everything about a group's arguments that can be told in the program; what its machines are given, they check themselves. */
export function checkMachineGroup(args: MachineGroupArgs): Problem[] {
    const problems: Problem[] = [];
    for (const property of ["serviceOffering", "template"] as const) {
        if (args[property] === undefined) problems.push({ path: property, problem: "is missing", remedy: "Give its name or id" });
    }
    if (args.machines === undefined || typeof args.machines !== "object" || Array.isArray(args.machines)) {
        problems.push({ path: "machines", problem: "is no record of machines by key", remedy: 'Give machineKeys(3), or { a: {}, b: {} }' });
        return problems;
    }
    for (const key of Object.keys(args.machines)) {
        if (/^[A-Za-z0-9][A-Za-z0-9-]*$/.test(key)) continue;
        problems.push({ path: `machines[${JSON.stringify(key)}]`, problem: "is no key that can be part of a host name", remedy: "Use letters, digits and hyphens, not a hyphen first" });
    }
    if (args.spread !== undefined && !["preferred", "strict", "none"].includes(args.spread)) {
        problems.push({ path: "spread", problem: `"${args.spread}" is unknown`, remedy: 'Use "preferred", "strict" or "none"' });
    }
    return [...problems, ...sameAddresses(args)];
}

function sameAddresses(args: MachineGroupArgs): Problem[] {
    const first = new Map<unknown, string>();
    return Object.entries(args.machines).flatMap(([key, machine]) => {
        if (typeof machine.ipAddress !== "string") return [];
        const other = first.get(machine.ipAddress);
        first.set(machine.ipAddress, other ?? key);
        if (other === undefined) return [];
        return [{ path: `machines.${key}.ipAddress`, problem: `${machine.ipAddress} is the address of machine ${other} too`, remedy: "Give every machine its own" }];
    });
}
