import tseslint from "typescript-eslint";

/** A room may not reach through a door that docs/architecture.md keeps shut; types pass where `types` says so. */
const shut = (files, patterns, message, { types = false } = {}) => ({
    files,
    rules: {
        "@typescript-eslint/no-restricted-imports": [
            "error",
            { patterns: [{ group: patterns, message, allowTypeImports: types }] },
        ],
    },
});

export default tseslint.config(
    { ignores: ["dist/", "node_modules/", ".tools/", ".demo/", "coverage/"] },
    ...tseslint.configs.recommended,
    {
        rules: {
            "@typescript-eslint/no-explicit-any": "off",
            "@typescript-eslint/no-require-imports": "off",
            "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
            eqeqeq: ["error", "smart"],
            "prefer-const": "error",
            "max-lines": ["error", { max: 400, skipComments: true, skipBlankLines: true }],
        },
    },
    shut(
        ["provider/client/**"],
        ["@pulumi/*", "../*/**", "../[!c]*", "!../nearest", "**/components/**", "**/simulator/**"],
        "client speaks to CloudStack and knows nothing above it",
    ),
    shut(
        [
            "provider/**/*andler*.ts",
            "provider/session/**",
            "provider/etcd/!(resources).ts",
            "provider/kubernetes/!(resources).ts",
            "provider/kubernetesSettings/!(index).ts",
        ],
        ["@pulumi/pulumi", "**/components/**", "**/simulator/**"],
        "handlers are free of Pulumi",
        { types: true },
    ),
    shut(
        ["components/**"],
        ["**/provider/client", "**/provider/session", "**/*andler", "**/*andlers", "**/simulator/**"],
        "components use the provider's public classes",
    ),
    shut(
        ["simulator/**"],
        ["@pulumi/*", "**/provider/**", "**/components/**"],
        "the simulator shares no code with the provider",
    ),
    shut(
        ["examples/**"],
        ["../../provider/**", "../../components/**", "../../index", "../../dist/**"],
        "examples import the package by its name",
    ),
    { files: ["tests/**"], rules: { "max-lines": "off" } },
);
