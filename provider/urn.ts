import * as pulumi from "@pulumi/pulumi";

/**
 * The URN that a resource of this package will have. It is passed to handlers, which do not receive it from the engine.
 * It has no dependencies: a child that depends on its parent's URN would wait for all other children, because a
 * dependency on a component is one on all of its children (https://github.com/pulumi/pulumi/issues/1743).
 *
 * @param kind the resource type that the user sees, such as `EtcdMember`
 */
export function urnOf(kind: string, name: string, parent: pulumi.Resource | undefined): pulumi.Output<string> {
    const urn = pulumi.createUrn(name, `pulumi-nodejs:dynamic/cloudstack:${kind}`, parent);
    return pulumi.output(new Promise<string>((resolve) => void urn.apply(resolve)));
}
