import * as pulumi from "@pulumi/pulumi";
import { EtcdDataGuard } from "../../provider/etcd/resources";

/**
 * Protects a cluster's data with a resource that has `protect`. The engine's error message contains the name of this
 * resource, which names the argument that releases it. It depends on every resource of the program, so it is the first
 * one to be deleted: the engine rejects this at preview or, with `--skip-preview`, keeps everything it depends on. It
 * is a sibling of the cluster and not a child, since dependents of a component wait for all its children.
 *
 * @param opts the options of the cluster
 */
export function guardData(
    cluster: pulumi.Resource,
    name: string,
    args: { cluster: pulumi.Input<string>; allowDataLoss: boolean },
    opts: pulumi.ComponentResourceOptions = {},
): void {
    // The resources that the program creates before it first awaits; later ones are protected at preview only.
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

/** The custom resources below a component, except guards, which would wait for each other. */
function* madeBelow(resource: pulumi.Resource): Generator<pulumi.Resource> {
    // The SDK does not declare this property.
    const children: Iterable<pulumi.Resource> =
        (resource as { __childResources?: Set<pulumi.Resource> }).__childResources ?? [];
    for (const child of children) {
        if (pulumi.CustomResource.isInstance(child) && !(child instanceof EtcdDataGuard)) yield child;
        yield* madeBelow(child);
    }
}

function guardName(cluster: string): string {
    return `${cluster}-needs-allowDataLoss`;
}

/** The alias of the guard that corresponds to an alias of the cluster. */
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
