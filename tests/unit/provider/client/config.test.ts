import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import {
    ConfigurationError,
    resolveSettings,
    type ClientSettings,
    type StackSettings,
} from "../../../../provider/client";

const A = "https://a.example.com/client/api";
const B = "https://b.example.com/client/api";

let home: string;
let folder: string;

beforeEach(() => {
    home = fs.mkdtempSync(path.join(os.tmpdir(), "cloudstack-home-"));
    folder = path.join(home, "project");
    fs.mkdirSync(folder);
    jest.spyOn(process, "cwd").mockReturnValue(folder);
});

afterEach(() => {
    jest.restoreAllMocks();
    fs.rmSync(home, { recursive: true });
});

function write(file: string, text: string): void {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
}

const cmk = (text: string): void => write(path.join(home, ".cmk", "config"), text);
const cs = (text: string): void => write(path.join(home, ".cloudstack.ini"), text);

function resolve(env: NodeJS.ProcessEnv = {}, stack: StackSettings = {}, profile?: string): ClientSettings {
    return resolveSettings({ env: { HOME: home, ...env }, stack, profile });
}

function problems(env: NodeJS.ProcessEnv = {}, stack: StackSettings = {}, profile?: string): readonly string[] {
    try {
        resolve(env, stack, profile);
    } catch (error) {
        expect(error).toBeInstanceOf(ConfigurationError);
        expect((error as ConfigurationError).problems.length).toBeGreaterThan(0);
        return (error as ConfigurationError).problems;
    }
    throw new Error("it is complete");
}

const ENVIRONMENT = { CLOUDSTACK_ENDPOINT: A, CLOUDSTACK_API_KEY: "ek", CLOUDSTACK_SECRET_KEY: "es" };

const CMK = `prompt = x
verifycert = true
profile = lab

[lab]
url = ${A}
apikey = lk
secretkey = ls

[prod.eu]
url = ${B}
apikey = pk
secretkey = ps
verifycert = false

[login]
url = ${B}
username = admin
password = secret99
`;

describe("settings from the environment and the stack", () => {
    test("everything can come from the environment, and its source is recorded", () => {
        expect(resolve({ ...ENVIRONMENT, CLOUDSTACK_ZONE: "z", CLOUDSTACK_PROJECT: "p" })).toEqual({
            endpoint: A,
            apiKey: "ek",
            secretKey: "es",
            zone: "z",
            project: "p",
            sources: {
                endpoint: "environment CLOUDSTACK_ENDPOINT",
                apiKey: "environment CLOUDSTACK_API_KEY",
                secretKey: "environment CLOUDSTACK_SECRET_KEY",
                zone: "environment CLOUDSTACK_ZONE",
                project: "environment CLOUDSTACK_PROJECT",
            },
        });
    });

    test.each([
        ["of Terraform's provider", { CLOUDSTACK_API_URL: A, CLOUDSTACK_API_KEY: "k", CLOUDSTACK_SECRET_KEY: "s" }],
        ["of cs", { CLOUDSTACK_ENDPOINT: A, CLOUDSTACK_KEY: "k", CLOUDSTACK_SECRET: "s" }],
    ])("the variables %s", (_, env) => {
        expect(resolve(env)).toMatchObject({ endpoint: A, apiKey: "k", secretKey: "s" });
    });

    test("everything can come from the stack", () => {
        const stack = { endpoint: A, apiKey: "sk", secretKey: "ss", zone: "z", project: "p", httpTimeoutSeconds: "90" };
        expect(resolve({}, stack)).toMatchObject({
            ...stack,
            httpTimeoutSeconds: 90,
            sources: { zone: "stack configuration cloudstack:zone" },
        });
    });

    test("the stack's endpoint, zone and project have precedence, with keys from the environment", () => {
        const settings = resolve(
            { ...ENVIRONMENT, CLOUDSTACK_ZONE: "ez", CLOUDSTACK_PROJECT: "ep" },
            { endpoint: `${A}/`, apiKey: "sk", secretKey: "ss", zone: "sz", project: "sp" },
        );
        expect(settings).toMatchObject({ endpoint: A, apiKey: "ek", secretKey: "es", zone: "sz", project: "sp" });
        expect(settings.sources.endpoint).toBe("stack configuration cloudstack:endpoint");
    });

    test("keys in the environment without an endpoint apply to the stack's endpoint", () => {
        expect(resolve({ CLOUDSTACK_API_KEY: "ek", CLOUDSTACK_SECRET_KEY: "es" }, { endpoint: B })).toMatchObject({
            endpoint: B,
            apiKey: "ek",
        });
    });

    test("an environment for another endpoint is ignored completely", () => {
        const stack = { endpoint: B, apiKey: "sk", secretKey: "ss" };
        const settings = resolve({ ...ENVIRONMENT, CLOUDSTACK_ZONE: "za", CLOUDSTACK_PROJECT: "pa" }, stack);
        expect(settings).toMatchObject(stack);
        expect(settings.zone).toBeUndefined();
        expect(settings.project).toBeUndefined();
    });

    test("keys for another endpoint are never used, and the error says where they are", () => {
        const [problem, ...others] = problems(ENVIRONMENT, { endpoint: B });
        expect(others).toEqual([]);
        expect(problem).toContain(`no API key and secret key for ${B} (from stack configuration cloudstack:endpoint)`);
        expect(problem).toContain(`the keys of the environment are for ${A}`);
    });

    test("blank values count as absent, and surrounding spaces are removed", () => {
        expect(resolve({ ...ENVIRONMENT, CLOUDSTACK_ZONE: " " }, { endpoint: "" })).toMatchObject({ endpoint: A });
        expect(resolve({ ...ENVIRONMENT, CLOUDSTACK_API_KEY: " ek\n" })).toMatchObject({ apiKey: "ek" });
    });
});

describe("missing and contradictory settings", () => {
    test("without any settings, the error lists what is missing, what to set and where it was looked for", () => {
        const found = problems();
        expect(found.length).toBe(2);
        expect(found[0]).toMatch(/^no endpoint: set cloudstack:endpoint .*CLOUDSTACK_ENDPOINT.*profile/);
        expect(found[1]).toMatch(/^no API key and secret key: set CLOUDSTACK_API_KEY and CLOUDSTACK_SECRET_KEY/);
        expect(found[0]).toContain(path.join(home, ".cmk", "config"));
        expect(found[0]).toContain(path.join(folder, "cloudstack.ini"));
    });

    test("several problems are reported at once", () => {
        const found = problems(
            { CLOUDSTACK_API_KEY: "k", CLOUDSTACK_KEY: "other", CLOUDSTACK_CA_FILE: "/nowhere.pem" },
            { endpoint: "cloud.example.com", httpTimeoutSeconds: "soon" },
        );
        expect(found).toEqual([
            "CLOUDSTACK_API_KEY and CLOUDSTACK_KEY are both set and differ: unset one of them",
            expect.stringMatching(/^the endpoint "cloud.example.com" \(from stack configuration .*\) is not a URL/),
            expect.stringMatching(/^environment CLOUDSTACK_API_KEY is set, but .* no secret key: set both or neither$/),
            expect.stringMatching(/^caFile \/nowhere.pem \(from environment CLOUDSTACK_CA_FILE\) cannot be read/),
            expect.stringMatching(/^httpTimeoutSeconds "soon"/),
        ]);
    });

    test("half a pair of keys is not completed from another source", () => {
        expect(problems({ CLOUDSTACK_API_KEY: "ek" }, { endpoint: A, apiKey: "sk", secretKey: "ss" })).toEqual([
            expect.stringContaining("environment CLOUDSTACK_API_KEY is set, but the environment has no secret key"),
        ]);
    });

    test.each([
        ["http://user:pw12345@a.example.com/client/api", /must not contain a user name or password/],
        ["https://a.example.com/client/api?command=x", /must end before/],
        ["ftp://a.example.com/", /not a URL/],
    ])("an endpoint like %s is refused", (endpoint, problem) => {
        const [found] = problems({ ...ENVIRONMENT, CLOUDSTACK_ENDPOINT: endpoint });
        expect(found).toMatch(problem);
        expect(found).not.toContain("pw12345");
    });

    test("a caFile without a certificate is refused", () => {
        write(path.join(home, "ca.pem"), "nothing");
        expect(problems({ ...ENVIRONMENT, CLOUDSTACK_CA_FILE: path.join(home, "ca.pem") })).toEqual([
            expect.stringContaining("contains no certificate"),
        ]);
    });
});

describe("profiles", () => {
    test("the current profile of cmk is used if nothing else is set", () => {
        cmk(CMK);
        expect(resolve()).toEqual({
            endpoint: A,
            apiKey: "lk",
            secretKey: "ls",
            profile: "lab",
            sources: expect.objectContaining({ endpoint: `profile "lab" of ${path.join(home, ".cmk", "config")}` }),
        });
    });

    test("a profile named by the stack or the environment may have a dot in its name; verifycert = false is ignored", () => {
        cmk(CMK);
        for (const settings of [resolve({}, { profile: "prod.eu" }), resolve({ CLOUDSTACK_PROFILE: "prod.eu" })]) {
            expect(settings).toMatchObject({ endpoint: B, apiKey: "pk", secretKey: "ps", profile: "prod.eu" });
            expect(settings.sources.tls).toMatch(/^TLS is verified although .* turns verification off$/);
        }
    });

    test("the stack's profile has precedence over the environment's, and over the environment's endpoint", () => {
        cmk(CMK);
        expect(resolve({ CLOUDSTACK_PROFILE: "lab" }, { profile: "prod.eu" })).toMatchObject({ endpoint: B });
        expect(resolve(ENVIRONMENT, { profile: "prod.eu", zone: "z" })).toMatchObject({
            endpoint: B,
            apiKey: "pk",
            zone: "z",
        });
    });

    test("for cs it is the section cloudstack or CLOUDSTACK_REGION, and a file in the folder has precedence over the one in HOME", () => {
        cs(`[cloudstack]\nendpoint = ${A}\nkey = k1\nsecret = s1\n\n[other]\nendpoint = ${B}\nkey = k2\nsecret = s2\n`);
        expect(resolve()).toMatchObject({ endpoint: A, apiKey: "k1", secretKey: "s1", profile: "cloudstack" });
        expect(resolve({ CLOUDSTACK_REGION: "other" })).toMatchObject({ endpoint: B, apiKey: "k2" });
        write(path.join(folder, "cloudstack.ini"), `[cloudstack]\nendpoint = ${B}\nkey = k3\nsecret = s3\n`);
        expect(resolve()).toMatchObject({ endpoint: B, apiKey: "k3" });
    });

    test("CLOUDSTACK_CONFIG has precedence over all other files, in either format", () => {
        cmk(CMK);
        write(path.join(folder, "own"), `[lab]\nurl = ${B}\napikey = ok\nsecretkey = os\n`);
        expect(resolve({ CLOUDSTACK_CONFIG: "own", CLOUDSTACK_PROFILE: "lab" })).toMatchObject({
            endpoint: B,
            apiKey: "ok",
        });
        expect(resolve({ CLOUDSTACK_CONFIG: "~/project/own", CLOUDSTACK_PROFILE: "lab" })).toMatchObject({
            apiKey: "ok",
        });
    });

    test("the profile of a resource has precedence over everything; zone and project of another cloud do not apply to it", () => {
        cmk(CMK);
        const settings = resolve({ ...ENVIRONMENT, CLOUDSTACK_ZONE: "za" }, { zone: "stack" }, "prod.eu");
        expect(settings).toMatchObject({ endpoint: B, apiKey: "pk", secretKey: "ps", zone: "stack" });
        expect(resolve({ ...ENVIRONMENT, CLOUDSTACK_ZONE: "za" }, {}, "prod.eu").zone).toBeUndefined();
        expect(resolve({ ...ENVIRONMENT, CLOUDSTACK_ZONE: "za" }, {}, "lab")).toMatchObject({
            apiKey: "lk",
            zone: "za",
        });
    });

    test("keys of a profile are used for the profile's endpoint only", () => {
        cmk(CMK);
        expect(resolve({}, { endpoint: A })).toMatchObject({ endpoint: A, apiKey: "lk" });
        expect(problems({}, { endpoint: B })).toEqual([
            expect.stringMatching(/no API key.*the keys of profile "lab" of .* are for https:\/\/a\.example/),
        ]);
        write(path.join(home, ".cmk", "config"), "profile = bare\n[bare]\napikey = k\nsecretkey = s\n");
        expect(problems({}, { endpoint: B })).toEqual([
            expect.stringContaining("are for an endpoint that it does not name"),
        ]);
    });

    test("an endpoint and a profile for another endpoint in one source are refused", () => {
        cmk(CMK);
        expect(problems({}, { endpoint: A, profile: "prod.eu" })[0]).toMatch(
            /cloudstack:endpoint is https:\/\/a.* but profile "prod.eu" .* keep one of the two/,
        );
        expect(resolve({}, { endpoint: B, profile: "prod.eu" })).toMatchObject({ apiKey: "pk" });
    });

    test("keys beside a profile in one source are refused, unless they are the profile's", () => {
        cmk(CMK);
        const bare = { CLOUDSTACK_API_KEY: "ek", CLOUDSTACK_SECRET_KEY: "es" };
        expect(problems(bare, { profile: "lab" })).toEqual([
            expect.stringMatching(
                /endpoint comes from profile "lab".* CLOUDSTACK_API_KEY sets keys without an endpoint/,
            ),
        ]);
        expect(problems(bare)).toEqual([expect.stringMatching(/endpoint comes from profile "lab"/)]);
        expect(resolve({ CLOUDSTACK_API_KEY: "lk", CLOUDSTACK_SECRET_KEY: "ls" }, { profile: "lab" })).toMatchObject({
            apiKey: "lk",
        });
    });

    test("for an unknown profile, the error lists the nearest names and the files", () => {
        cmk(CMK);
        const found = problems({}, { profile: "prod.us" });
        expect(found).toEqual([
            expect.stringMatching(
                /^profile "prod.us" \(from stack configuration .*\) not found in .*; there are: prod.eu, /,
            ),
        ]);
        expect(problems({}, {}, "lap")).toEqual([
            expect.stringMatching(/^profile "lap" \(from the resource's profile\).*there are: lab/),
        ]);
    });

    test("for a profile with a user name and a password, the error says that keys are needed", () => {
        cmk(CMK);
        const [found, ...others] = problems({ CLOUDSTACK_PROFILE: "login" });
        expect(found).toMatch(/has no apikey \(or key\), no secretkey .*registerUserKeys/);
        expect(found).not.toContain("secret99");
        expect(others).toEqual([]);
    });

    test("settings that a stack does not need may be invalid", () => {
        write(path.join(home, ".cmk", "config"), "profile = half\n[half]\nurl = x\napikey = k\n");
        expect(resolve({ ...ENVIRONMENT, CLOUDSTACK_PROFILE: "gone" }, { endpoint: A })).toMatchObject({
            apiKey: "ek",
        });
        expect(resolve(ENVIRONMENT)).toMatchObject({ apiKey: "ek" });
    });

    test("a file that cannot be read is an error only if it is needed", () => {
        fs.mkdirSync(path.join(home, ".cmk", "config"), { recursive: true });
        expect(resolve(ENVIRONMENT)).toMatchObject({ apiKey: "ek" });
        expect(problems().at(-1)).toMatch(/config cannot be read: EISDIR/);
    });

    test("an incomplete current profile is an error that says what is missing", () => {
        cmk(`profile = half\n[half]\nurl = ${A}\napikey = k\n`);
        expect(problems()).toEqual([expect.stringMatching(/half.* no secret key/)]);
    });
});
