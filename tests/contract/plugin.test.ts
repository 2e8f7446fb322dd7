/**
 * Undocumented behaviour of the SDK's plugin for dynamic resources that this package relies on: these tests fail with a
 * newer SDK that behaves otherwise. Handlers are constant `__provider` texts, like those of the package.
 */
import { status } from "@grpc/grpc-js";
import { PartialFailure, UNKNOWN } from "../../provider/handler";
import { PluginError, PluginProcess, secret } from "./plugin/process";

/** A `__provider` whose handler is this object literal; `note(…)` records what a later {@link notes} returns. */
const handler = (literal: string) =>
    `const note = (...words) => (globalThis.notes ??= []).push(...words);\nexports.handler = () => (${literal});`;

let plugin: PluginProcess;

beforeAll(async () => {
    plugin = await PluginProcess.start({
        "cloudstack:endpoint": "https://cloud.example.org/client/api",
        "cloudstack:secretKey": secret("s3cret"),
        "project:own": "mine",
    });
});

afterAll(() => plugin.stop());
beforeEach(notes);

/** The notes of handlers of this process since the last call. */
async function notes(): Promise<string[]> {
    const text = handler(
        "{ create: async () => ({ id: 'notes', outs: { notes: (globalThis.notes ?? []).splice(0) } }) }",
    );
    return (await plugin.create({ __provider: text })).outputs.notes;
}

async function failureOf(call: Promise<unknown>): Promise<PluginError> {
    const error = await call.then(
        () => undefined,
        (reason) => reason,
    );
    expect(error).toBeInstanceOf(PluginError);
    return error;
}

describe("the text in __provider", () => {
    test("is evaluated unchanged, as a CommonJS module in the folder of the program", async () => {
        const text = handler("{ create: async ({ a }) => ({ id: 'x', outs: { a, cwd: process.cwd() } }) }");
        expect(await plugin.create({ a: 1, __provider: text })).toEqual({
            id: "x",
            outputs: { a: 1, cwd: process.cwd(), __provider: text },
        });
    });

    test("is evaluated once per process", async () => {
        const text = `globalThis.notes = [...(globalThis.notes ?? []), "evaluated"];
            exports.handler = () => ({ create: async () => ({ id: "x" }), delete: async () => {} });`;
        await plugin.create({ __provider: text });
        await plugin.create({ __provider: text });
        await plugin.delete("x", { __provider: text });
        expect(await notes()).toEqual(["evaluated"]);
    });

    test("is sent with the outputs, not the inputs, for a delete", async () => {
        const text = handler(
            "{ create: async () => ({ id: 'x' }), delete: async (id, props) => note(id, props.from) }",
        );
        await plugin.delete("gone", { from: "outputs", __provider: text });
        expect(await notes()).toEqual(["gone", "outputs"]);
    });
});

describe("configuration", () => {
    const seen =
        "['cloudstack:endpoint', 'cloudstack:secretKey', 'own', 'missing'].map((key) => config.get(key) ?? null)";

    test("is passed to handlers completely: every namespace by its full key, the project's own by the bare one, secrets plain", async () => {
        const text = handler(`{
            configure: async ({ config }) => note(...${seen}),
            create: async () => ({ id: "x" }),
        }`);
        await plugin.create({ __provider: text });
        expect(await notes()).toEqual(["https://cloud.example.org/client/api", "s3cret", "mine", null]);
    });

    test("is not awaited by calls that arrive during an asynchronous configure", async () => {
        const text = handler(`{
            configure: async () => { await new Promise((done) => setTimeout(done, 200)); globalThis.isConfigured = true; },
            create: async () => ({ id: "x", outs: { configured: globalThis.isConfigured === true } }),
        }`);
        const made = await Promise.all([1, 2, 3].map(() => plugin.create({ __provider: text })));
        expect(made.map(({ outputs }) => outputs.configured)).toEqual([true, false, false]);
    });

    test("is available to all calls if configure stores it synchronously", async () => {
        const text = handler(`{
            configure: async ({ config }) => { globalThis.endpoint = config.get("cloudstack:endpoint"); },
            create: async () => ({ id: "x", outs: { configured: globalThis.endpoint !== undefined } }),
        }`);
        const made = await Promise.all([1, 2, 3].map(() => plugin.create({ __provider: text })));
        expect(made.map(({ outputs }) => outputs.configured)).toEqual([true, true, true]);
    });
});

describe("outputs", () => {
    test.each([
        ["undefined", "{ a: undefined }"],
        ["undefined deep inside", "{ a: [{ b: undefined }] }"],
        ["a bigint", "{ a: 1n }"],
    ])("with %s fail only after create has run, so the created object would be lost", async (_what, outs) => {
        const text = handler(`{ create: async () => { note("ran"); return { id: "x", outs: ${outs} }; } }`);
        const failure = await failureOf(plugin.create({ __provider: text }));
        expect(failure.message).toContain("Unexpected struct type");
        expect(failure.partial).toBeUndefined();
        expect(await notes()).toEqual(["ran"]);
    });

    test("with a date lose it without an error", async () => {
        const text = handler("{ create: async () => ({ id: 'x', outs: { a: new Date(0) } }) }");
        expect((await plugin.create({ __provider: text })).outputs.a).toEqual({});
    });

    test("that are frozen fail, because the plugin writes into them", async () => {
        const text = handler(
            "{ create: async () => { note('ran'); return { id: 'x', outs: Object.freeze({ a: 1 }) }; } }",
        );
        expect((await failureOf(plugin.create({ __provider: text }))).message).toContain("object is not extensible");
        expect(await notes()).toEqual(["ran"]);
    });

    test("are cleared by an update that returns nothing", async () => {
        const text = handler("{ create: async () => ({ id: 'x' }), update: async () => {} }");
        const state = { a: 1, __provider: text };
        expect(await plugin.update("x", state, { a: 2, __provider: text })).toEqual({ __provider: text });
    });
});

describe("an error", () => {
    test("with id and properties keeps the resource in the state, for create and update", async () => {
        const text = handler(`{
            create: async (inputs) => { throw Object.assign(new Error("no address"), {
                id: "vm-1", properties: { name: "a", __provider: inputs.__provider }, reasons: ["no address"] }); },
            update: async (id, olds, news) => { throw Object.assign(new Error("half done"), {
                id, properties: { ...olds, size: 2 }, reasons: ["half", "done"] }); },
        }`);
        const created = await failureOf(plugin.create({ name: "a", __provider: text }));
        expect(created).toMatchObject({ code: status.UNKNOWN });
        expect(created.partial).toEqual({
            id: "vm-1",
            properties: { name: "a", __provider: text },
            reasons: ["no address"],
        });
        const updated = await failureOf(plugin.update("vm-1", { name: "a", __provider: text }, { __provider: text }));
        expect(updated.partial).toEqual({
            id: "vm-1",
            properties: { name: "a", size: 2, __provider: text },
            reasons: ["half", "done"],
        });
    });

    test("of this package's class has the fields that the plugin looks for", async () => {
        const { id, properties, reasons, message } = new PartialFailure(
            "no address",
            "vm-1",
            { a: [1] },
            { __provider: "t" },
        );
        const literal = JSON.stringify({ id, properties, reasons });
        const text = handler(
            `{ create: async () => { throw Object.assign(new Error(${JSON.stringify(message)}), ${literal}); } }`,
        );
        expect((await failureOf(plugin.create({ __provider: text }))).partial).toEqual({
            id: "vm-1",
            properties: { a: [1], __provider: "t" },
            reasons: ["no address"],
        });
    });

    test("whose properties lack __provider leaves a resource that cannot be deleted", async () => {
        const text = handler(
            "{ create: async () => { throw Object.assign(new Error('x'), { id: 'vm-1', properties: { a: 1 } }); } }",
        );
        const { partial } = await failureOf(plugin.create({ __provider: text }));
        expect(partial!.properties).toEqual({ a: 1 });
        expect((await failureOf(plugin.delete("vm-1", partial!.properties))).message).toContain(
            "code must be a string, not undefined",
        );
    });

    test("without an id leaves nothing, and only its message is passed on", async () => {
        const text = handler(
            "{ create: async () => { throw Object.assign(new TypeError('refused: 431'), { hint: 'x' }); } }",
        );
        const failure = await failureOf(plugin.create({ __provider: text }));
        expect(failure.partial).toBeUndefined();
        expect(failure).toMatchObject({ code: status.UNKNOWN, message: "refused: 431" });
    });
});

describe("check", () => {
    test("passes on its result, with all failures", async () => {
        const text = handler(`{ create: async () => ({ id: "x" }), check: async (olds, news) => ({
            inputs: { ...news, name: olds.name ?? "default" },
            failures: [{ property: "a", reason: "too small" }, { property: "b[0]", reason: "no address" }],
        }) }`);
        expect(await plugin.check({ name: "kept" }, { a: 1, __provider: text })).toEqual({
            inputs: { a: 1, name: "kept", __provider: text },
            failures: [
                { property: "a", reason: "too small" },
                { property: "b[0]", reason: "no address" },
            ],
        });
    });

    test("and diff receive a sentinel for a value that a preview does not know", async () => {
        const text = handler(`{
            create: async () => ({ id: "x" }),
            check: async (olds, news) => { note("check", news.a, news.list[0]); return { inputs: news }; },
            diff: async (id, olds, news) => { note("diff", news.a); return { changes: true }; },
        }`);
        const news = { a: UNKNOWN, list: [UNKNOWN], __provider: text };
        expect((await plugin.check({}, news)).inputs).toEqual(news);
        await plugin.diff("x", { a: 1, __provider: text }, news);
        expect(await notes()).toEqual(["check", UNKNOWN, UNKNOWN, "diff", UNKNOWN]);
    });
});

describe("diff", () => {
    const diffOf = (answer: string) => {
        const text = handler(`{ create: async () => ({ id: "x" }), diff: async () => (${answer}) }`);
        return plugin.diff("x", { a: 1, __provider: text }, { a: 2, __provider: text });
    };

    test("passes on changes, replaces and deleteBeforeReplace", async () => {
        expect(await diffOf("{ changes: true, replaces: ['a', 'b'], deleteBeforeReplace: true }")).toMatchObject({
            changes: true,
            replaces: ["a", "b"],
            deleteBeforeReplace: true,
        });
        expect(await diffOf("{ changes: false }")).toMatchObject({
            changes: false,
            replaces: [],
            deleteBeforeReplace: false,
        });
    });

    test("leaves the comparison to the engine if its result does not contain changes", async () => {
        expect(await diffOf("{ replaces: ['a'] }")).toMatchObject({ changes: undefined, replaces: ["a"] });
    });

    test("drops stables and every detail", async () => {
        const answer =
            "{ changes: true, stables: ['id'], diffs: ['a'], detailedDiff: { a: { kind: 3 } }, hasDetailedDiff: true }";
        expect(await diffOf(answer)).toMatchObject({ changes: true, stables: [], diffs: [], hasDetailedDiff: false });
    });

    test("receives the complete old outputs and new inputs", async () => {
        const text = handler(
            "{ create: async () => ({ id: 'x' }), diff: async (id, olds, news) => { note(id, olds.ip, news.a); return {}; } }",
        );
        await plugin.diff("x", { ip: "10.0.0.1", __provider: text }, { a: 2, __provider: text });
        expect(await notes()).toEqual(["x", "10.0.0.1", 2]);
    });
});

describe("read", () => {
    const text = handler(`{ create: async () => ({ id: "x" }), read: async (id, props) => {
        note(...Object.keys(props).filter((name) => name !== "__provider"));
        if (id === "gone") return {};
        return { id, props: { ip: "10.0.0.2" }, ...(id === "with inputs" ? { inputs: { a: 3 } } : {}) };
    } }`);

    test("of a refresh receives the old outputs; inputs that it returns reach the engine", async () => {
        const state = { outputs: { ip: "10.0.0.1", __provider: text }, inputs: { a: 1, __provider: text } };
        expect(await plugin.read("with inputs", state)).toEqual({
            id: "with inputs",
            outputs: { ip: "10.0.0.2", __provider: text },
            inputs: { a: 3, __provider: text },
        });
        expect(await plugin.read("without", state)).toEqual({
            id: "without",
            outputs: { ip: "10.0.0.2", __provider: text },
            inputs: undefined,
        });
        expect(await notes()).toEqual(["ip", "ip"]);
    });

    test("without an id in its answer reports that the resource is gone", async () => {
        expect((await plugin.read("gone", { outputs: { ip: "10.0.0.1", __provider: text } })).id).toBe("");
    });

    test("of .get() finds its handler in the inputs", async () => {
        expect((await plugin.read("x", { inputs: { a: 1, __provider: text } })).outputs.ip).toBe("10.0.0.2");
        expect(await notes()).toEqual(["a"]);
    });

    test("of an import, with neither, cannot work: there is no handler to call", async () => {
        expect((await failureOf(plugin.read("x", {}))).message).toContain("code must be a string, not undefined");
    });
});
