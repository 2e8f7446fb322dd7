import { isAsync } from "../../../../simulator/api/command";
import { COMMANDS } from "../../../../simulator/api/commands";
import {
    NOT_IMPLEMENTED,
    DEFINITIONS,
    describe as describeCommand,
    responseName,
} from "../../../../simulator/api/definitions";
import { isAdministrative } from "../../../../simulator/api/administrative";
import { readArguments } from "../../../../simulator/api/parameters";

const known = () => true;

test("every command has a definition, and every definition a command", () => {
    expect(Object.keys(COMMANDS).sort()).toEqual([...DEFINITIONS.keys()].sort());
    for (const [name, definition] of DEFINITIONS) {
        expect([name, isAsync(COMMANDS[name])]).toEqual([name, definition.async]);
        expect([name, NOT_IMPLEMENTED.has(name)]).toEqual([name, false]);
        // Commands for administrators say so in their description, and others do not contain the word.
        expect([name, isAdministrative(name) && !definition.adminOnly]).toEqual([name, false]);
    }
});

test("answers have CloudStack's names", () => {
    expect(
        [
            "listZones",
            "restoreVirtualMachine",
            "updateVMAffinityGroup",
            "resetSSHKeyForVirtualMachine",
            "createVPC",
            "nonsense",
        ].map(responseName),
    ).toEqual([
        "listzonesresponse",
        "restorevmresponse",
        "updatevirtualmachineresponse",
        "resetSSHKeyforvirtualmachineresponse",
        "createvpcresponse",
        "errorresponse",
    ]);
});

test("a description lists parameters and nested fields", () => {
    const description = describeCommand(DEFINITIONS.get("resetSSHKeyForVirtualMachine")!) as any;
    expect(description).toMatchObject({ description: "Reset SSH key for virtual machine", isasync: true });
    expect(description.params).toContainEqual({
        name: "id",
        description: "",
        type: "uuid",
        length: 255,
        required: true,
    });
    expect(description.response.find((field: any) => field.name === "securitygroup").response).toContainEqual(
        expect.objectContaining({
            name: "ingressrule",
            response: expect.arrayContaining([expect.objectContaining({ name: "cidr", type: "string" })]),
        }),
    );
});

describe("arguments", () => {
    const read = (
        command: string,
        parameters: Record<string, string>,
        exists: (parameter: string, id: string) => boolean = known,
    ) => readArguments(DEFINITIONS.get(command)!, new Map(Object.entries(parameters)), exists);

    test("are converted to their types, and their names may have any case", () => {
        expect(
            read("listVirtualMachines", {
                PAGE: "2",
                pageSize: "10",
                listall: "TRUE",
                ids: "a,,b",
                details: "nics,tmpl",
                "tags[0].key": "k",
                "tags[0].value": "v",
                "tags[2].key": "l",
                other: "x",
            }),
        ).toEqual({
            page: 2,
            pagesize: 10,
            listall: true,
            ids: ["a", "b"],
            details: ["nics", "tmpl"],
            tags: [{ key: "k", value: "v" }, { key: "l" }],
        });
        expect(
            read("updateVirtualMachine", {
                id: "i",
                "details[0].cpuNumber": "1",
                "details[0].Owner": "x",
                securitygroupids: "",
            }),
        ).toEqual({
            id: "i",
            details: [{ cpuNumber: "1", Owner: "x" }],
            securitygroupids: [],
        });
        expect(read("listVolumes", { page: "" })).toEqual({});
        expect(read("listVolumes", { projectid: "-1" }, () => false)).toEqual({ projectid: "-1" });
    });

    test.each([
        ["startVirtualMachine", {}, "due to missing parameter id"],
        ["startVirtualMachine", { id: "" }, /Invalid parameter id value= due to incorrect long value format/],
        ["listVirtualMachines", { ids: "yes,no" }, /Invalid parameter ids value=no due to/],
        ["listVirtualMachines", { page: "two" }, "due to invalid value two for parameter page"],
        ["createVolume", { size: "" }, "due to invalid value  for parameter size"],
        [
            "createSecurityGroup",
            { name: "a\tb" },
            "Received value containing illegal ASCII non-printable characters for parameter name",
        ],
    ])("%s %j is refused", (command, parameters, text) => {
        expect(() => read(command, parameters as Record<string, string>, (_, id) => id === "yes")).toThrow(text);
    });

    test("line ends are not refused as control characters", () => {
        expect(read("createSecurityGroup", { name: "a", description: "one\r\ntwo" })).toEqual({
            name: "a",
            description: "one\r\ntwo",
        });
    });
});
