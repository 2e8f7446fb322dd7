import * as pulumi from "@pulumi/pulumi";

/** The stack this program runs in. */
export const stack = pulumi.getStack();
