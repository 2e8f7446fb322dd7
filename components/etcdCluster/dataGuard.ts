import * as pulumi from "@pulumi/pulumi";
import { EtcdDataGuard } from "../../provider/etcd/resources";

/**
 * Guards a cluster's data: a resource that the engine protects, and whose name says what releases it, since the engine's
 * error names it. It depends on everything in the program, so it is what a deletion has to begin with: the engine refuses
 * it at preview, and without a preview (`--skip-preview`) it leaves alone what a refused one depends on. It is beside the
 * cluster and not in it, since whoever depends on a component waits for everything in it.
 *
 * @param opts the cluster's own
 */
export function guardData(
    cluster: pulumi.Resource,
    name: string,
    args: { cluster: pulumi.Input<string>; allowDataLoss: boolean },
    opts: pulumi.ComponentResourceOptions = {},
): void {
    // What the program makes in one go; what comes after it has waited for something is guarded by the preview alone.
    const all = new Promise<pulumi.Resource[]>((resolve) =>
        setImmediate(() => resolve([...madeBelow(pulumi.runtime.getStackResource() ?? cluster)])),
    );
    new EtcdDataGuard(guardName(name), args, {
        parent: opts.parent,
        aliases: opts.aliases?.map((alias) => pulumi.output(alias).apply(guardAlias)),
        protect: args.allowDataLoss ? opts.protect : true,
        dependsOn: all,
    });
}

/** The resources below a component but for guards, which would wait for each other. */
function* madeBelow(resource: pulumi.Resource): Generator<pulumi.Resource> {
    // The SDK keeps its types for itself.
    const children: Iterable<pulumi.Resource> = (resource as { __childResources?: Set<pulumi.Resource> }).__childResources ?? [];
    for (const child of children) {
        if (pulumi.CustomResource.isInstance(child) && !(child instanceof EtcdDataGuard)) yield child;
        yield* madeBelow(child);
    }
}

function guardName(cluster: string): string {
    return `${cluster}-needs-allowDataLoss`;
}

/** What the guard was called when the cluster was called so. */
function guardAlias(alias: pulumi.Unwrap<pulumi.URN | pulumi.Alias>): string | pulumi.Alias {
    if (typeof alias !== "string") {
        const { name, type: _type, ...rest } = alias as pulumi.Alias;
        return { ...rest, ...(name === undefined ? {} : { name: pulumi.output(name).apply(guardName) }) };
    }
    // urn:pulumi:STACK::PROJECT::PARENT'S TYPE$TYPE::NAME
    const [stack, project, types, ...name] = alias.split("::");
    if (name.length === 0) return alias;
    const type = [...types.split("$").slice(0, -1), "pulumi-nodejs:dynamic/cloudstack:EtcdDataGuard"].join("$");
    return [stack, project, type, guardName(name.join("::"))].join("::");
}
