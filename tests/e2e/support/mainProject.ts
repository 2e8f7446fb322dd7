import { readFileSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { dump, load } from "js-yaml";
import type { RunningCloud } from "../../../simulator";
import { Project } from "./project";

const checkout = resolve(__dirname, "..", "..", "..");

export type StackConfig = Record<string, any>;

/** The configuration of one of the repository's stacks, from its Pulumi.<stack>.yaml. */
export function stackConfig(stack: string): StackConfig {
    return (load(readFileSync(join(checkout, `Pulumi.${stack}.yaml`), "utf8")) as { config: StackConfig }).config;
}

/** The environment variables for a cloud, with its default user. */
export function cloudEnvironment(cloud: RunningCloud): Record<string, string> {
    const { apiKey, secretKey } = cloud.accounts.user;
    return { CLOUDSTACK_ENDPOINT: cloud.endpoint, CLOUDSTACK_API_KEY: apiKey, CLOUDSTACK_SECRET_KEY: secretKey };
}

/**
 * The repository's own project, its Pulumi.yaml and its program, with a separate backend. It is in a temporary folder,
 * since the engine writes to stack files.
 */
export function mainProject(stack: string, config: StackConfig, environment: Record<string, string>): Project {
    const project = new Project({
        name: "pulumi-cloudstack",
        stack,
        program: "",
        config,
        environment,
        files: { "Pulumi.yaml": readFileSync(join(checkout, "Pulumi.yaml"), "utf8") },
    });
    symlinkSync(join(checkout, "examples"), join(project.folder, "examples"));
    return project;
}

/** Edits a stack's configuration file. Keys of the program's own namespace are given without it. */
export function editConfig(project: Project, stack: string, change: (config: StackConfig) => StackConfig): void {
    const file = join(project.folder, `Pulumi.${stack}.yaml`);
    const content = load(readFileSync(file, "utf8")) as { config: StackConfig };
    const changed = Object.entries(change(content.config)).map(([key, value]) => [
        key.includes(":") ? key : `${project.name}:${key}`,
        value,
    ]);
    project.write(
        `Pulumi.${stack}.yaml`,
        dump({ ...content, config: { ...content.config, ...Object.fromEntries(changed) } }),
    );
}
