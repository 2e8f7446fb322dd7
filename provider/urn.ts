import * as pulumi from "@pulumi/pulumi";

/**
 * The URN that a resource of this package will have, for handlers, which the engine does not tell it. It carries no
 * dependencies: the URN of a parent would make its child wait for all the other children, since whoever depends on a
 * component depends on everything in it.
 *
 * @param kind what the user sees, such as `EtcdMember`
 */
export function urnOf(kind: string, name: string, parent: pulumi.Resource | undefined): pulumi.Output<string> {
    const urn = pulumi.createUrn(name, `pulumi-nodejs:dynamic/cloudstack:${kind}`, parent);
    return pulumi.output(new Promise<string>((resolve) => void urn.apply(resolve)));
}
