"use strict";

/**
 * `npm run docs`: writes the reference of resources and components from the docstrings in the code, which are its only
 * source.
 */

const fs = require("node:fs");
const path = require("node:path");
const ts = require("typescript");
const { root } = require("./paths");

/** The pages: title, introduction, and the classes in their order. */
const pages = {
    "resources.md": {
        title: "Resources and lookups",
        intro: "Arguments are `pulumi.Input`s of their type; those of `get…` are plain values, and `get…Output` takes inputs. A default of none means that the argument may be left out.",
        names: [
            "VirtualMachine",
            "SecurityGroup",
            "SecurityGroupRule",
            "SecurityGroupRules",
            "SshKeyPair",
            "AffinityGroup",
            "Volume",
            "Network",
            "PublicIpAddress",
            "FirewallRules",
            "FirewallRule",
            "EgressFirewallRules",
            "EgressFirewallRule",
            "PortForwardingRule",
            "CertificateAuthority",
            "Certificate",
            "SigningKeyPair",
            "RandomSecret",
            "ClusterToken",
            "GetZone",
            "GetTemplate",
            "GetServiceOffering",
            "GetNetwork",
            "GetSecurityGroup",
            "OperationTimeouts",
            "CloudIdentity",
            "NetworkInterface",
        ],
    },
    "components.md": {
        title: "Components",
        intro: "Components check all their arguments in the program, before their first child, and report every problem at once. Arguments may be outputs, except those that decide which resources there are and how they are called.",
        names: [
            "MachineGroup",
            "GroupMachine",
            "DataVolume",
            "MachineGate",
            "Placement",
            "EtcdCluster",
            "KubernetesCluster",
            "EtcdConnection",
            "ControlPlane",
            "Pool",
            "Taint",
            "Endpoint",
            "PodNetwork",
            "ExtraRules",
            "Artifacts",
            "CloudConfig",
        ],
    },
};

/** @returns {Record<string, string>} Markdown by file name */
function render() {
    const program = ts.createProgram([path.join(root, "index.ts")], {
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.Node16,
        moduleResolution: ts.ModuleResolutionKind.Node16,
        skipLibCheck: true,
        noEmit: true,
    });
    const checker = program.getTypeChecker();
    const index = program.getSourceFile(path.join(root, "index.ts"));
    const module = index && checker.getSymbolAtLocation(index);
    if (!module) {
        throw new Error("index.ts exports nothing");
    }
    const symbols = new Map(
        checker.getExportsOfModule(module).map((symbol) => [symbol.name, resolve(checker, symbol)]),
    );
    const reference = Object.fromEntries(
        Object.entries(pages).map(([file, { title, intro, names }]) => [
            file,
            [
                `# ${title}`,
                intro,
                "<!-- Written by `npm run docs` from the docstrings; edit those. -->",
                ...names.flatMap((name) => section(checker, symbols, name)),
                ...(file === "components.md" ? ["## What is open between the groups", ruleRows()] : []),
            ].join("\n\n") + "\n",
        ]),
    );
    return { ...reference, "leaving-out.md": leavingOut() };
}

/** The page `leaving-out.md`, from the table in `provider/leavingOut.ts`. */
function leavingOut() {
    const source = fs.readFileSync(path.join(root, "provider", "leavingOut.ts"), "utf8");
    const { outputText } = ts.transpileModule(source, {
        compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
    });
    /** @type {{ LEAVING_OUT?: Record<string, Record<string, { creation: string, afterwards: string }>> }} */
    const exported = {};
    new Function("exports", outputText)(exported);
    const sections = Object.entries(exported.LEAVING_OUT ?? {}).flatMap(([kind, rows]) => [
        `## ${kind}`,
        [
            "| argument | left out when it is made | left out later |",
            "|---|---|---|",
            ...Object.entries(rows).map(
                ([name, { creation, afterwards }]) => `| \`${name}\` | ${creation} | ${afterwards} |`,
            ),
        ].join("\n"),
    ]);
    return (
        [
            "# What leaving an argument out means",
            "A program may leave an argument out from the start, or give it and leave it out later. An empty list of groups or keys is the same as none.",
            "<!-- Written by `npm run docs` from `provider/leavingOut.ts`; edit that. -->",
            ...sections,
        ].join("\n\n") + "\n"
    );
}

/**
 * @param {ts.TypeChecker} checker
 * @param {ts.Symbol} symbol
 */
function resolve(checker, symbol) {
    return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

/**
 * The section of a class or lookup: its description, arguments and outputs.
 *
 * @param {ts.TypeChecker} checker
 * @param {Map<string, ts.Symbol>} symbols
 * @param {string} name
 * @returns {string[]}
 */
function section(checker, symbols, name) {
    const lookup = name.startsWith("Get") ? `g${name.slice(1)}` : name;
    const found = symbols.get(lookup);
    const main = found && found.flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Function) ? found : undefined;
    const args = symbols.get(`${name}Args`) ?? (main ? undefined : found);
    const about = main ?? args;
    if (!about) {
        throw new Error(`${name} is not exported`);
    }
    const title = main ? lookup : about.name;
    const outputs = main && main.flags & ts.SymbolFlags.Class ? main : symbols.get(`${name}Result`);
    const text = plainText(about.getDocumentationComment(checker));
    const examples = examplesOf(about);
    return [
        `## ${title}`,
        ...(text ? [text] : []),
        ...throwsOf(checker, about),
        ...examples,
        ...table(
            checker,
            args,
            hasDefaults(checker, args)
                ? ["argument", "type", "what it is", "default"]
                : ["field", "type", "what it is"],
        ),
        ...table(checker, outputs, ["output", "type", "what it is"]),
    ];
}

/**
 * @param {ts.TypeChecker} checker
 * @param {ts.Symbol | undefined} symbol an interface or class
 * @param {string[]} head
 * @returns {string[]}
 */
function table(checker, symbol, head) {
    if (!symbol) {
        return [];
    }
    const rows = checker
        .getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol))
        .filter((property) =>
            property.declarations?.some(
                (declaration) => !declaration.getSourceFile().fileName.includes("node_modules"),
            ),
        )
        .filter(
            (property) =>
                property.valueDeclaration &&
                (ts.isPropertySignature(property.valueDeclaration) ||
                    ts.isPropertyDeclaration(property.valueDeclaration)),
        )
        .map((property) => {
            const tags = property.getJsDocTags(checker);
            const example = tags.find((tag) => tag.name === "example");
            const shown = example ? ` Example: \`${oneLine(plainText(example.text))}\`` : "";
            const what = oneLine(plainText(property.getDocumentationComment(checker))) + shown;
            const given = tags.find((tag) => tag.name === "default");
            const required = !(property.flags & ts.SymbolFlags.Optional);
            const fallback = given ? oneLine(plainText(given.text)) : required ? "required" : "none";
            return `| \`${property.name}\` | ${typeOf(property)} | ${what} |${head.length > 3 ? ` ${fallback} |` : ""}`;
        });
    return rows.length ? [[`| ${head.join(" | ")} |`, `|${"---|".repeat(head.length)}`, ...rows].join("\n")] : [];
}

/**
 * Whether any field has a default; if not, the interface is not one of arguments.
 *
 * @param {ts.TypeChecker} checker
 * @param {ts.Symbol | undefined} symbol
 */
function hasDefaults(checker, symbol) {
    const properties = symbol ? checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol)) : [];
    return properties.some((property) => property.getJsDocTags(checker).some((tag) => tag.name === "default"));
}

/**
 * The type of an argument or output as written in the source, without `pulumi.Input` and `pulumi.Output`.
 *
 * @param {ts.Symbol} property
 */
function typeOf(property) {
    const declaration = property.valueDeclaration;
    if (
        !declaration ||
        !(ts.isPropertySignature(declaration) || ts.isPropertyDeclaration(declaration)) ||
        !declaration.type
    ) {
        throw new Error(`${property.name} has no type`);
    }
    return `\`${oneLine(typeText(declaration.type))}\``;
}

/**
 * @param {ts.TypeNode} type
 * @returns {string}
 */
function typeText(type) {
    if (ts.isArrayTypeNode(type)) {
        return `${typeText(type.elementType)}[]`;
    }
    if (ts.isUnionTypeNode(type)) {
        return type.types
            .map(typeText)
            .filter((text) => text !== "undefined")
            .join(" | ");
    }
    if (ts.isTypeReferenceNode(type) && type.typeArguments) {
        const name = type.typeName.getText();
        const inner = type.typeArguments.map(typeText);
        return /^pulumi\.(Input|Output)$/.test(name) ? inner[0] : `${name}<${inner.join(", ")}>`;
    }
    return type.getText().replace(/^\{ \[\w+: string\]: (.*) \}$/, (_, of) => `Record<string, ${withoutInput(of)}>`);
}

/** A type's text without `pulumi.Input<…>` around it or around the items of a list. */
function withoutInput(/** @type {string} */ text) {
    return text.replace(/^pulumi\.Input<(.*)>$/, "$1").replace(/^pulumi\.Input<([\w.]+)>(\[\])?$/, "$1$2");
}

/** @param {ts.SymbolDisplayPart[] | undefined} parts a text, whose links are replaced by code spans */
function plainText(parts) {
    return ts
        .displayPartsToString(parts)
        .replace(/\{@link\s+([^\s}]+)\s*\}/g, "`$1`")
        .trim();
}

/**
 * The examples of a docstring, each with its caption above the code. They are read from the source text, since the
 * compiler's text of a tag has no indentation.
 *
 * @param {ts.Symbol} symbol
 * @returns {string[]}
 */
function examplesOf(symbol) {
    const declaration = symbol.declarations?.[0];
    const comment = declaration && ts.getJSDocCommentsAndTags(declaration)[0]?.getText();
    const lines = (comment ?? "").split("\n").map((line) => line.replace(/^\s*(\/\*\*|\*\/|\* ?)/, "").trimEnd());
    const [, ...examples] = lines.join("\n").split(/^@example ?/m);
    return examples.map((example) => {
        const [caption, ...code] = example.split(/^@\w/m)[0].trim().split("\n");
        return caption.startsWith("```") ? [caption, ...code].join("\n") : [`*${caption}*`, "", ...code].join("\n");
    });
}

/**
 * @param {ts.TypeChecker} checker
 * @param {ts.Symbol} symbol
 */
function throwsOf(checker, symbol) {
    return symbol
        .getJsDocTags(checker)
        .filter((tag) => tag.name === "throws")
        .map((tag) => `Throws ${plainText(tag.text)}.`);
}

/** The table of security group rules, from the data that the components create them from. */
function ruleRows() {
    const compiled = path.join(root, "dist", "components", "kubernetesCluster", "rules.js");
    if (!fs.existsSync(compiled)) {
        throw new Error("the package is not built; run: npm run build");
    }
    /** @type {{ ruleTable: any[] }} */
    const { ruleTable } = require(compiled);
    const audiences = {
        operator: "`operatorCidrs`",
        monitoring: "`monitoringCidrs`",
        nodePorts: "`nodePortCidrs`",
        ssh: "`sshCidrs`",
    };
    const rows = ruleTable.map(({ to, protocol, ports, icmp, from, audience, backend, why }) => {
        const what = `${protocol} ${ports ?? `type ${icmp.type} code ${icmp.code}`}`;
        const sources = [
            ...from,
            ...(audience ? [audiences[/** @type {keyof typeof audiences} */ (audience)]] : []),
        ].join(", ");
        return `| ${to.join(", ")} | ${what} | ${sources} | ${why}${backend ? `, with pod network ${backend}` : ""} |`;
    });
    return ["| to | what | from | why |", "|---|---|---|---|", ...rows].join("\n");
}

function oneLine(/** @type {string} */ text) {
    return text.replace(/\s*\n\s*/g, " ").replaceAll("|", "\\|");
}

module.exports = { render };

if (require.main === module) {
    for (const [file, text] of Object.entries(render())) {
        fs.writeFileSync(path.join(root, "docs", file), text);
        console.log(`docs/${file}: ${text.length} characters`);
    }
}
