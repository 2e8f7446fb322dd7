import { load } from "./support";

const { bareName, readCommandLine } = load("stack");

test.each<[string, { needsStack: boolean; stack?: string }]>([
    ["up", { needsStack: true }],
    ["up --yes --skip-preview", { needsStack: true }],
    ["up --stack dev", { needsStack: true, stack: "dev" }],
    ["up --stack=dev", { needsStack: true, stack: "dev" }],
    ["up -s dev", { needsStack: true, stack: "dev" }],
    ["up -sdev", { needsStack: true, stack: "dev" }],
    ["-s dev up", { needsStack: true, stack: "dev" }],
    ["--cwd elsewhere up", { needsStack: true }],
    ["-v 9 --logtostderr preview", { needsStack: true }],
    ["--color never destroy -s organization/project/local", { needsStack: true, stack: "organization/project/local" }],
    ["up --message init", { needsStack: true }],
    ["up -- --stack dev", { needsStack: true }],
    ["config set --secret cloudstack:apiKey x", { needsStack: true }],
    ["stack", { needsStack: true }],
    ["stack --show-name", { needsStack: true }],
    ["stack output --json", { needsStack: true }],
    ["stack export --stack dev", { needsStack: true, stack: "dev" }],
    ["stack rm local", { needsStack: true, stack: "local" }],
    ["stack init local", { needsStack: false, stack: "local" }],
    ["stack init --stack local", { needsStack: false, stack: "local" }],
    ["stack select dev", { needsStack: false, stack: "dev" }],
    ["stack select", { needsStack: false }],
    ["stack ls", { needsStack: false }],
    ["stack list", { needsStack: false }],
    ["stack remove local", { needsStack: true, stack: "local" }],
    ["stack unselect", { needsStack: false }],
    ["version", { needsStack: false }],
    ["whoami", { needsStack: false }],
    ["login --local", { needsStack: false }],
    ["up --help", { needsStack: false }],
    ["-h", { needsStack: false }],
    ["", { needsStack: false }],
])("pulumi %s", (line, expected) => {
    expect(readCommandLine(line.split(" ").filter(Boolean))).toEqual(expected);
});

test("a stack's name without organization and project", () => {
    expect(bareName("local")).toBe("local");
    expect(bareName("organization/project/local")).toBe("local");
});
