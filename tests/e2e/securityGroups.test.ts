import type { Client } from "../contract/simulator/client";
import type { RunningCloud } from "../../simulator";
import type { Call } from "../../simulator";
import type { Project } from "./support/project";
import { inSandbox } from "./support/sandbox";

/** Rules of security groups with the real engine: which resource a rule belongs to, and which resources wait for it. */

const IMPORT = 'import * as cloudstack from "pulumi-cloudstack";\n';
const JOB_SECONDS = 2;

let cloud: RunningCloud;
let user: Client;
let project: Project;

inSandbox({}, (sandbox) => ({ cloud, user, project } = sandbox));

const calls = (pattern: RegExp): Call[] => cloud.calls().filter(({ command }) => pattern.test(command));

/** Ports of a group's ingress rules. */
async function portsOf(name: string): Promise<number[]> {
    const [group] = await user.list("listSecurityGroups", { securitygroupname: `dev-${name}` });
    return group.ingressrule.map(({ startport }: any) => startport).sort((a: number, b: number) => a - b);
}

const rule = (...ports: number[]) =>
    `[${ports.map((port) => `{ ports: ${port} as any, cidrs: ["10.0.0.0/8"] }`).join(", ")}]`;
const rules = (name: string, ...ports: number[]) =>
    `new cloudstack.SecurityGroupRules("${name}", { securityGroup: web.id, ingress: ${rule(...ports)} });`;
const group = (...ports: number[]) =>
    `const web = new cloudstack.SecurityGroup("web", { ingress: ${ports.length === 0 ? "undefined" : rule(...ports)} });`;

describe("a rule that moves from one resource to another in one run is kept", () => {
    test.each<[how: string, program: string[], ports: number[]]>([
        ["at first", [group(8080), rules("old", 22, 80)], [22, 80, 8080]],
        ["to a resource of another name", [group(8080), rules("new", 22, 80)], [22, 80, 8080]],
        ["to the group itself", [group(80, 8080), rules("new", 22)], [22, 80, 8080]],
        ["from the group to two others", [group(), rules("new", 22, 80), rules("more", 8080)], [22, 80, 8080]],
        ["from one that stays to a later one", [group(), rules("new", 22), rules("more", 80, 8080)], [22, 80, 8080]],
        ["from one that stays to an earlier one", [group(), rules("new", 22, 8080), rules("more", 80)], [22, 80, 8080]],
        [
            "to one that removes its rules by itself",
            [`const web = new cloudstack.SecurityGroup("web", { exclusive: true, ingress: ${rule(22, 80, 8080)} });`],
            [22, 80, 8080],
        ],
        ["and goes where nobody has it any more", [group(22), rules("new", 80)], [22, 80]],
    ])("%s", async (_how, program, ports) => {
        project.program(IMPORT + program.join("\n"));
        const before = await portsOf("web").catch((): number[] => []);
        cloud.clearCalls();
        await project.up();
        expect(await portsOf("web")).toEqual(ports);
        expect(calls(/^revoke/)).toHaveLength(before.filter((port) => !ports.includes(port)).length);
        expect(calls(/^authorize/).length).toBeLessThanOrEqual(ports.filter((port) => !before.includes(port)).length);
        await project.expectNoChanges();
    });

    test("and a refresh reports none of them as unmanaged", async () => {
        const { infos, steps } = await project.refresh();
        expect(infos.join("\n")).not.toContain("that the stack does not manage");
        const outputs = (step: any) => JSON.stringify(step?.outputs);
        expect(steps.filter((step) => outputs(step.old) !== outputs(step.new)).map(({ name }) => name)).toEqual([]);
        await project.destroy();
        expect((await user.list("listSecurityGroups")).map(({ name }) => name)).toEqual(["default"]);
    });
});

test("machines and groups that refer to a group do not wait for its ingress rules, which are added one at a time per group", async () => {
    project.program(`${IMPORT}
const a = new cloudstack.SecurityGroup("a", { ingress: ${rule(1, 2, 3)}, egress: [{ ports: "53", cidrs: ["0.0.0.0/0"] }] });
const b = new cloudstack.SecurityGroup("b", { ingress: [{ ports: "4", groups: [a.name] }, { ports: "5", self: true }] });
new cloudstack.VirtualMachine("m", { serviceOffering: "Small Instance", template: "Debian 12", securityGroups: [a.id, b.id] });
`);
    cloud.fault({ kind: "jobSeconds", command: "authorize*", seconds: JOB_SECONDS, count: 0 });
    cloud.clearCalls();
    await project.up();
    const [deploy] = calls(/^deployVirtualMachine/);
    const [egress] = calls(/^authorizeSecurityGroupEgress/);
    const ids = (await user.list("listSecurityGroups")).filter(({ name }) => name !== "default").map(({ id }) => id);
    const added = ids.map((id) =>
        calls(/^authorize/)
            .filter(({ parameters }) => parameters.securitygroupid === id)
            .map(({ at }) => at),
    );
    expect(added.map(({ length }) => length).sort()).toEqual([2, 4]);
    for (const times of added) {
        const gaps = times.slice(1).map((at, index) => at - times[index]);
        expect(Math.min(...gaps)).toBeGreaterThanOrEqual(JOB_SECONDS * 1000 - 50);
        // The last rule is added after the deployment was requested.
        expect(deploy.at).toBeLessThan(Math.max(...times));
    }
    // Egress rules are complete before the machine is deployed.
    expect(deploy.at).toBeGreaterThanOrEqual(egress.at + JOB_SECONDS * 1000 - 50);
    await project.expectNoChanges();

    cloud.clearFaults();
    cloud.clearCalls();
    await project.destroy();
    expect((await user.list("listSecurityGroups")).map(({ name }) => name)).toEqual(["default"]);
    // Rules are deleted with their group; only rules with another group as their source are revoked before.
    expect(calls(/^revoke/)).toHaveLength(2);
    // The engine may ask for the deletion of one group too early, once.
    expect(
        calls(/^deleteSecurityGroup/)
            .filter(({ status }) => status !== 536)
            .map(({ status }) => status),
    ).toEqual([200, 200]);
    expect(calls(/^deleteSecurityGroup/).length).toBeLessThanOrEqual(3);
});
