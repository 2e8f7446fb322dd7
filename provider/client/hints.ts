import { endpointOf, keysOf } from "./failures";
import type { ApiFault } from "./answers";
import type { ClientSettings } from "./types";

/** The facts that a hint is chosen by. */
export interface HintFacts extends ApiFault {
    command: string;
    settings: ClientSettings;
    /** How far the local clock is ahead of the server's, in seconds, if the response has a `Date` header. */
    clockAheadSeconds?: number;
}

interface Hint {
    /** CloudStack's error code. */
    code?: number;
    text?: RegExp;
    say(facts: HintFacts): string;
}

/** The first hint that matches is used. Codes are those of CloudStack's `ApiErrorCode`, error texts those of 4.22. */
const HINTS: readonly Hint[] = [
    { code: 401, say: unauthorised },
    {
        code: 432,
        say: ({ command }) =>
            `The account's role does not allow ${command}, or this CloudStack does not have it: ` +
            `an administrator can add the command to the role.`,
    },
    { code: 429, say: () => "The account makes more calls than the API's limit allows (api.throttling.max)." },
    { code: 503, say: () => "CloudStack is starting, stopping or under maintenance: try again later." },
    {
        code: 511,
        say: () => "The user must set up two-factor authentication, or use a user that is meant for programs.",
    },
    {
        code: 431,
        text: /due to incorrect long value format, or entity does not exist/,
        say: ({ errorText }) => {
            const [, name, value] = /Invalid parameter (\S+) value=(\S*)/.exec(errorText) ?? [];
            return name
                ? `${name} ${value} not found: it was deleted, or it belongs to another account, project or cloud.`
                : "The id was not found.";
        },
    },
    {
        code: 431,
        text: /non-printable characters/,
        say: () => "Tabs and other control characters are not allowed in names, tags and details.",
    },
    {
        code: 431,
        text: /already exists in the network domain/,
        say: () =>
            "Machine names are unique per network, also among accounts that do not see each other's machines, and a destroyed machine keeps " +
            "its name until the cloud expunges it: give this machine another name (argument name).",
    },
    {
        code: 431,
        text: /User data has exceeded/,
        say: () => "The limit counts base64 characters (setting vm.userdata.max.length, 32768 by default).",
    },
    {
        code: 530,
        text: /permission for expunging|Expunging a vm can only/,
        say: () => "Nothing was changed: the account may not expunge (setting allow.user.expunge.recover.vm).",
    },
    {
        code: 530,
        text: /Internal error executing command/,
        say: () => "CloudStack hides the reason from all but root administrators; the management server's log has it.",
    },
    {
        code: 531,
        text: /can only be done by an Admin/,
        say: () => "The setting allow.user.expunge.recover.vm allows it to users.",
    },
    { code: 531, say: ({ settings }) => `The account of ${keysOf(settings)} may not use this entity.` },
    { code: 532, say: () => "The account is disabled or locked, or its limits do not allow this." },
    {
        code: 533,
        say: () => "The zone has no free capacity for this at present: another offering, zone or affinity may fit.",
    },
    { code: 534, say: () => "A host, network or storage that this needs is not available at present." },
    {
        code: 535,
        say: () =>
            "A limit of the account or project is reached: listResourceLimits shows it, an administrator can raise it.",
    },
    {
        code: 536,
        text: /security rules that allow this group/,
        say: () => "Rules of other groups (or of the group itself) name it as their source: revoke them first.",
    },
    {
        code: 536,
        text: /in use by virtual machines/,
        say: () =>
            "Machines are members of it: a destroyed machine remains one until the cloud expunges it (after a day by default).",
    },
    { code: 536, say: () => "It is still in use; a destroyed machine uses it until the cloud expunges it." },
    { code: 537, say: () => "A rule that exists already conflicts with it." },
];

export function hintFor(facts: HintFacts): string | undefined {
    return HINTS.find(
        (hint) =>
            (hint.code === undefined || hint.code === facts.errorCode) &&
            (hint.text === undefined || hint.text.test(facts.errorText)),
    )?.say(facts);
}

/** CloudStack returns the same error for a wrong key, a wrong secret, a wrong clock and an unknown command. */
function unauthorised({ settings, clockAheadSeconds = 0 }: HintFacts): string {
    const minutes = Math.round(clockAheadSeconds / 60);
    if (Math.abs(minutes) >= 5) {
        const off = `${Math.abs(minutes)} minutes ${minutes > 0 ? "ahead of" : "behind"}`;
        return `This machine's clock is ${off} that of ${endpointOf(settings)}: correct it, or calls are refused.`;
    }
    const endpoint = endpointOf(settings);
    return `Check the keys (${keysOf(settings)}), that they belong to ${endpoint}, and this machine's clock.`;
}
