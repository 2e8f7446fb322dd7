import { setTimeout as sleep } from "node:timers/promises";
import type { Handler } from "../../../../provider/handler";
import { lifecycle } from "../../../../provider/lifecycle";
import { oneByOne } from "../../../../provider/virtualMachine/rolling";

const outputs = { running: true, serviceOffering: "Small", displayName: "x", state: "Running" };
const inputs = (name: string, more: object = {}) => ({
    ...{ name, owner: `mark of ${name}`, rollingGroup: "web", displayName: "x", serviceOffering: "Large", ...more },
});

/** A handler that takes time and records its operations; names that begin with "bad" fail. */
function slow(): { handler: Handler; log: string[] } {
    const log: string[] = [];
    const work = async (what: string, name: string) => {
        log.push(`${what} ${name}`);
        await sleep(5);
        if (name.startsWith("bad")) throw new Error(`${name} does not start`);
        log.push(`${what}d ${name}`);
    };
    const handler = lifecycle({
        async check() {},
        diff: (_id, _olds, news) => ({ changes: true, replaces: news.replaces ?? [], deleteBeforeReplace: true }),
        create: async (news) => (await work("create", news.name), { id: `new ${news.name}`, outs: news }),
        read: async (_id, outs) => outs,
        update: async (_id, _olds, news) => (await work("update", news.name), news),
        delete: async (_id, outs) => work("delete", outs.name),
    });
    return { handler: oneByOne(handler), log };
}

test("operations that take machines of a group down run one after another; creations and other groups run in parallel", async () => {
    const { handler, log } = slow();
    await Promise.all(["a", "b"].map((name) => handler.update(name, outputs, inputs(name))));
    expect(log.splice(0)).toEqual(["update a", "updated a", "update b", "updated b"]);
    await Promise.all(["a", "b"].map((name) => handler.create(inputs(name))));
    expect(log.splice(0)).toEqual(["create a", "create b", "created a", "created b"]);
    const other = inputs("b", { rollingGroup: "db" });
    await Promise.all([handler.update("a", outputs, inputs("a")), handler.update("b", outputs, other)]);
    expect(log.splice(0)).toEqual(["update a", "update b", "updated a", "updated b"]);
    // An update of a running machine does not wait.
    const live = (name: string) => ({ ...inputs(name), serviceOffering: "Small", displayName: "y" });
    await Promise.all(
        ["a", "b"].map((name) => handler.update(name, { ...outputs, ...live(name), displayName: "x" }, live(name))),
    );
    expect(log.splice(0)).toEqual(["update a", "update b", "updated a", "updated b"]);
});

test("a replacement is one turn, from the deletion to the end of the creation", async () => {
    const { handler, log } = slow();
    const replace = async (name: string) => {
        const news = inputs(name, { replaces: ["template"] });
        await handler.check({}, news);
        await handler.diff(name, outputs, news);
        await handler.delete(name, { ...outputs, name });
        await sleep(2);
        await handler.create(news);
    };
    await Promise.all(["a", "b"].map(replace));
    const turn = (name: string) => [`delete ${name}`, `deleted ${name}`, `create ${name}`, `created ${name}`];
    expect(log.splice(0)).toEqual([...turn("a"), ...turn("b")]);
    // A deletion without a replacement does not wait, also after the comparison of a refresh.
    await handler.diff("c", outputs, inputs("c", { replaces: ["template"], owner: "nobody checked it" }));
    await Promise.all(["c", "d"].map((name) => handler.delete(name, { ...outputs, name })));
    expect(log).toEqual(["delete c", "delete d", "deleted c", "deleted d"]);
});

test("a replacement on request, for which the engine calls no diff, is one turn as well", async () => {
    const { handler, log } = slow();
    const replace = async (name: string) => {
        const news = inputs(name, { owner: `requested ${name}` });
        await handler.check({}, news);
        await handler.delete(name, { ...outputs, ...news });
        await sleep(2);
        await handler.create(news);
    };
    await Promise.all(["a", "b"].map(replace));
    const turn = (name: string) => [`delete ${name}`, `deleted ${name}`, `create ${name}`, `created ${name}`];
    expect(log).toEqual([...turn("a"), ...turn("b")]);
});

test("after a failed operation, the machines that wait stay as they are", async () => {
    const { handler, log } = slow();
    const names = ["a", "bad", "c", "d"];
    const results = await Promise.allSettled(names.map((name) => handler.update(name, outputs, inputs(name))));
    expect(log).toEqual(["update a", "updated a", "update bad"]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected", "rejected"]);
    const { reason } = results[2] as PromiseRejectedResult;
    expect(reason.message).toMatch(
        /^c was not changed: the change of bad failed, and machines of rolling group "web" change one at a time/,
    );
});

test("up to maxUnavailable machines are taken down at once, in the order of their requests", async () => {
    const { handler, log } = slow();
    const of = (name: string, maxUnavailable?: number) => inputs(name, { maxUnavailable });
    const all = [of("a", 2), of("b", 2), of("c", 2), of("d"), of("e", 2)];
    await Promise.all(all.map((news) => handler.update(news.name, outputs, news)));
    expect(log.slice(0, 2)).toEqual(["update a", "update b"]);
    expect(log.indexOf("update c")).toBeGreaterThan(log.indexOf("updated a"));
    // An operation that must run alone waits for all before it, and is not overtaken.
    expect(log.indexOf("update d")).toBeGreaterThan(log.indexOf("updated c"));
    expect(log.indexOf("update e")).toBeGreaterThan(log.indexOf("update d"));
});
