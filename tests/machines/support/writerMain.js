"use strict";

/**
 * A client of an etcd cluster that never rests: it writes the next number, reads it back, and remembers what was
 * acknowledged. Run as a process of its own, so that nothing in a test keeps it waiting:
 *
 *     node writerMain.js FILE        FILE: JSON with endpoints, ca, certificate, key
 *
 * A line "mark" on its input makes it print what happened since the last one, as JSON; "end" makes it compare all that
 * it was ever told with what the cluster holds, print that, and end.
 *
 * Each write is one transaction: the number becomes the value of `latest` unless a later one stands there already, and
 * gets a key of its own. So the same write may be sent to several members, whichever answers first, without going back.
 * Both writes and reads are linearizable: a read that starts after an acknowledgement must see it, or a later one.
 */

const fs = require("node:fs");
const https = require("node:https");
const readline = require("node:readline");

const { endpoints, ca, certificate, key } = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));

/** After so many milliseconds without an answer the next member is asked as well. */
const hedge = 250;
/** How long one request may take, in milliseconds. */
const patience = 5_000;
/** Between two writes, in milliseconds. */
const rest = 5;

const agents = new Map(
    endpoints.map((endpoint) => [endpoint, new https.Agent({ ca, cert: certificate, key, keepAlive: true })]),
);
const encode = (text) => Buffer.from(text).toString("base64");
const decode = (text) => Buffer.from(text ?? "", "base64").toString();
const padded = (number) => String(number).padStart(12, "0");
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** One request to one member. */
function ask(endpoint, path, body, signal) {
    return new Promise((resolve, reject) => {
        const options = { method: "POST", agent: agents.get(endpoint), timeout: patience, signal };
        const request = https.request(new URL(path, endpoint), options, (response) => {
            let text = "";
            response.setEncoding("utf8").on("data", (chunk) => (text += chunk));
            response.on("error", reject);
            response.on("end", () => {
                if (response.statusCode === 200) resolve(JSON.parse(text));
                else reject(new Error(`${response.statusCode} ${text.trim().slice(0, 200)}`));
            });
        });
        request.on("timeout", () => request.destroy(new Error("time-out")));
        request.on("error", reject);
        request.end(JSON.stringify(body));
    });
}

let preferred = 0;

/** The first answer of any member; the next is asked when one fails or is slow. */
function askAny(path, body) {
    return new Promise((resolve, reject) => {
        const over = new AbortController();
        let open = 0;
        let next = 0;
        let last = new Error("nobody was asked");
        let timer;
        const tryNext = () => {
            clearTimeout(timer);
            if (next === endpoints.length) {
                if (open === 0) reject(last);
                return;
            }
            const index = (preferred + next++) % endpoints.length;
            open += 1;
            timer = setTimeout(tryNext, hedge);
            ask(endpoints[index], path, body, over.signal).then(
                (answer) => {
                    clearTimeout(timer);
                    if (over.signal.aborted) return;
                    preferred = index;
                    over.abort();
                    resolve(answer);
                },
                (error) => {
                    open -= 1;
                    if (over.signal.aborted) return;
                    last = error;
                    tryNext();
                },
            );
        };
        tryNext();
    });
}

/** Numbers that were acknowledged: all from 1, but for those in `unknown`. */
let number = 0;
const unknown = new Set();
let highest = 0;
const wentBack = [];
let since;

function newMark() {
    since = { at: Date.now(), acknowledged: 0, failed: 0, longestGap: 0, lastAcknowledged: Date.now(), error: "" };
}

async function write(value) {
    const text = padded(value);
    const puts = [`writer/${text}`, "writer/latest"].map((name) => ({
        requestPut: { key: encode(name), value: encode(text) },
    }));
    // The key is there from the start: nothing compares with a value that is not.
    const latest = { key: encode("writer/latest"), target: "VALUE", result: "LESS", value: encode(text) };
    await askAny("/v3/kv/txn", { compare: [latest], success: puts });
}

async function readLatest() {
    const { kvs } = await askAny("/v3/kv/range", { key: encode("writer/latest") });
    return Number(decode(kvs?.[0]?.value));
}

async function work() {
    for (;;) {
        try {
            const { kvs } = await askAny("/v3/kv/range", { key: encode("writer/latest") });
            number = Number(decode(kvs?.[0]?.value) || 0);
            if (kvs === undefined)
                await askAny("/v3/kv/put", { key: encode("writer/latest"), value: encode(padded(0)) });
            break;
        } catch {
            await sleep(100);
        }
    }
    const first = number + 1;
    newMark();
    console.log(JSON.stringify({ ready: true }));
    while (!ending) {
        number += 1;
        try {
            await write(number);
            highest = Math.max(highest, number);
            acknowledge();
            const seen = await readLatest();
            if (seen < highest) wentBack.push(`read ${seen} after ${highest}`);
            highest = Math.max(highest, seen);
        } catch (error) {
            // Whether the write was done is not known: it may be there or not. (If only the read failed, it was.)
            if (highest < number) unknown.add(number);
            since.failed += 1;
            since.error = error.message;
        }
        await sleep(rest);
    }
    return first;
}

function acknowledge() {
    const now = Date.now();
    since.acknowledged += 1;
    since.longestGap = Math.max(since.longestGap, now - since.lastAcknowledged);
    since.lastAcknowledged = now;
}

/** What has happened since the last mark. A gap that is still open counts. */
function mark() {
    const { at, acknowledged, failed, longestGap, lastAcknowledged, error } = since;
    const seconds = (Date.now() - at) / 1000;
    const gap = Math.max(longestGap, Date.now() - lastAcknowledged);
    newMark();
    since.lastAcknowledged = lastAcknowledged;
    return { seconds, acknowledged, failed, longestGapMilliseconds: gap, error, wentBack: wentBack.length };
}

/** All numbers that the cluster holds. */
async function held() {
    const found = new Set();
    let from = "writer/";
    for (;;) {
        const { kvs = [], more } = await askAny("/v3/kv/range", {
            key: encode(from),
            rangeEnd: encode("writer0"),
            limit: 2_000,
        });
        for (const { key: name } of kvs) {
            const value = Number(decode(name).slice("writer/".length));
            if (Number.isInteger(value)) found.add(value);
            from = `${decode(name)}\0`;
        }
        if (!more) return found;
    }
}

let ending = false;
const working = work();

readline.createInterface({ input: process.stdin }).on("line", async (line) => {
    if (line === "mark") return console.log(JSON.stringify(mark()));
    if (line !== "end") return;
    ending = true;
    const first = await working;
    const there = await held();
    const lost = [];
    let acknowledged = 0;
    for (let value = first; value <= number; value += 1) {
        if (unknown.has(value)) continue;
        acknowledged += 1;
        if (!there.has(value)) lost.push(value);
    }
    console.log(JSON.stringify({ acknowledged, unknown: unknown.size, lost, wentBack }));
    process.exit(0);
});
