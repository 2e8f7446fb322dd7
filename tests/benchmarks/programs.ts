/** The measured programs. */

/** User data of the size of a small cloud-config. */
export const USER_DATA = `#cloud-config\nwrite_files:\n- path: /etc/motd\n  content: ${"measured ".repeat(220)}\n`;

/** A typical small program: machines in two groups with five rules. */
export function machines(count: number): string {
    return `
import * as cloudstack from "pulumi-cloudstack";

const front = new cloudstack.SecurityGroup("front", {
    ingress: [
        { ports: "80", cidrs: ["0.0.0.0/0"] },
        { ports: "443", cidrs: ["0.0.0.0/0"] },
        { ports: "22", cidrs: ["203.0.113.0/24"] },
    ],
});
const back = new cloudstack.SecurityGroup("back", {
    ingress: [{ ports: "5432", groups: [front.name] }, { ports: "22", cidrs: ["203.0.113.0/24"] }],
});
for (let number = 0; number < ${count}; number++)
    new cloudstack.VirtualMachine("machine-" + number, {
        serviceOffering: "Small Instance",
        template: "Debian 12",
        zone: "sandbox",
        securityGroups: [(number % 2 === 0 ? front : back).id],
        userData: ${JSON.stringify(USER_DATA)},
    });
`;
}

/** The same amount of data as a machine has in the state. */
export const DATA = {
    ...Object.fromEntries(["zone", "template", "serviceOffering", "owner"].map((name) => [name, "Debian 12, sandbox"])),
    userData: USER_DATA,
    networkInterfaces: [{ id: "x".repeat(36), ipAddress: "10.1.1.1", isDefault: true, networkId: "x".repeat(36) }],
};

/**
 * The floor: the same number of dynamic resources as in `machines`, which do nothing. Like those of the package, they have a
 * constant provider text instead of a serialized closure, so this is the least time that the engine needs.
 *
 * @param seconds how long the creation of a resource takes
 * @param data additional arguments of each resource, which are also outputs
 */
export function floor(count: number, seconds = 0, data: object = {}): string {
    return `
${nothing(data)}
for (let number = 0; number < ${count + 2}; number++) new Nothing("nothing-" + number, ${seconds}, 0);
`;
}

/** How long the operations of resources that only wait take, in seconds. */
export interface Waits {
    group: { create: number; destroy: number };
    machine: { create: number; destroy: number };
}

/** The same with the necessary dependencies of `machines`: a machine needs the id of its group. */
export function graph(count: number, { group, machine }: Waits): string {
    return `
${nothing({})}
const groups = ["front", "back"].map((name) => new Nothing(name, ${group.create}, ${group.destroy}));
for (let number = 0; number < ${count}; number++)
    new Nothing("machine-" + number, ${machine.create}, ${machine.destroy}, groups[number % 2].id);
`;
}

/** The class of resources that only wait. */
function nothing(data: object): string {
    const handler = `exports.handler = () => {
        const wait = (seconds) => new Promise((r) => setTimeout(r, seconds * 1000));
        return {
            create: async (inputs) => { await wait(inputs.create); return { id: inputs.name, outs: inputs }; },
            read: async (id, props) => ({ id, props }),
            diff: async () => ({ changes: false }),
            delete: async (id, props) => wait(props.destroy),
        };
    }`;
    return `
import * as pulumi from "@pulumi/pulumi";

class Nothing extends pulumi.CustomResource {
    constructor(name: string, create: number, destroy: number, group?: pulumi.Input<string>) {
        const inputs = { name, create, destroy, group, ...${JSON.stringify(data)} };
        super("pulumi-nodejs:dynamic/bench:Nothing", name, { ...inputs, __provider: ${JSON.stringify(handler)} });
    }
}
`;
}
