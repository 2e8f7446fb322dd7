/**
 * Below this key the cluster itself remembers who was taken out of the program, by the member's name: a machine that goes
 * on after that, or comes back, asks before it joins.
 */
export const removedPrefix = "pulumi-cloudstack/removed/";
