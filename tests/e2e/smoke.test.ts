import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Project } from "./support/project";

/**
 * A dynamic resource whose handler is text in the program and stores its state in a file: this tests the engine alone.
 */
const handler = `
const fs = require("fs"), path = require("path");
const file = (id) => path.join(process.env.SMOKE_FOLDER, id);
exports.handler = () => ({
    create: async ({ name, text }) => { fs.writeFileSync(file(name), text); return { id: name, outs: { name, text } }; },
    read: async (id, props) => ({ id, props: { ...props, text: fs.readFileSync(file(id), "utf8") } }),
    diff: async (id, olds, news) => ({ changes: olds.text !== news.text }),
    update: async (id, olds, news) => { fs.writeFileSync(file(id), news.text); return { outs: { name: id, text: news.text } }; },
    delete: async (id) => fs.rmSync(file(id)),
});`;

const program = (text: string) => `
import * as pulumi from "@pulumi/pulumi";

class Note extends pulumi.CustomResource {
    declare readonly text: pulumi.Output<string>;
    constructor(name: string, text: string) {
        super("pulumi-nodejs:dynamic/smoke:Note", name, { name, text, __provider: ${JSON.stringify(handler)} });
    }
}
export const text = new Note("note", ${JSON.stringify(text)}).text;
`;

describe("the engine with a dynamic resource", () => {
    let project: Project;
    const folder = mkdtempSync(join(tmpdir(), "smoke-"));

    beforeAll(() => {
        project = new Project({ program: program("one"), environment: { SMOKE_FOLDER: folder } });
    });
    afterAll(() => {
        project.dispose();
        rmSync(folder, { recursive: true });
    });

    test("creates the resource", async () => {
        const { steps, changes } = await project.up();
        expect(steps.map(({ op, name }) => [op, name])).toEqual([["create", "note"]]);
        expect(changes).toMatchObject({ create: 2 });
        expect(readFileSync(join(folder, "note"), "utf8")).toBe("one");
        expect(await project.outputs()).toEqual({ text: "one" });
    });

    test("finds no change if there is none", async () => {
        await project.expectNoChanges();
    });

    test("shows a change of the program at preview and makes it", async () => {
        project.program(program("two"));
        expect((await project.preview()).steps.map(({ op }) => op)).toEqual(["update"]);
        expect(readFileSync(join(folder, "note"), "utf8")).toBe("one");
        await expect(project.expectNoChanges()).rejects.toThrow(/no changes were expected/i);
        await project.up();
        expect(readFileSync(join(folder, "note"), "utf8")).toBe("two");
    });

    test("finds and repairs drift", async () => {
        writeFileSync(join(folder, "note"), "drift");
        const { steps } = await project.refresh();
        expect(steps.map(({ name, new: found }) => [name, found?.outputs.text])).toEqual([["note", "drift"]]);
        await project.up();
        expect(readFileSync(join(folder, "note"), "utf8")).toBe("two");
    });

    test("deletes the resource", async () => {
        const { steps } = await project.destroy();
        expect(steps.map(({ op, name }) => [op, name])).toEqual([["delete", "note"]]);
        expect(readdirSync(folder)).toEqual([]);
        expect(await project.exportResources()).toEqual([]);
    });
});
