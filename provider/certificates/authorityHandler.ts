import * as crypto from "node:crypto";
import { echoOf, type Handler, hasUnknown, type Inputs, isUnknown, type Outputs, same } from "../handler";
import { lifecycle, type Problems } from "../lifecycle";
import { defaultAuthorityDays, longestValidityDays } from "./validity";
import { issueAuthority, longestName, notAfterOf } from "./x509";

/** One key and certificate of an authority. The newest one is not always the one that signs. */
interface Generation {
    generation: number;
    certificate: string;
    privateKey: string;
}

const subject = ["commonName", "organization", "validityDays"] as const;
const compared = [...subject, "generation", "signingGeneration", "oldestTrustedGeneration"] as const;

/**
 * The lifecycle of `CertificateAuthority`. An authority is not renewed automatically, because all clients must trust a
 * new one before it signs.
 */
export const certificateAuthority: Handler = lifecycle({
    async check(problems, inputs, olds) {
        const keepsName = inputs.keepCommonName === true;
        delete inputs.keepCommonName;
        if (keepsName && olds?.commonName !== undefined) inputs.commonName = olds.commonName;
        inputs.generation ??= 1;
        // A changed default applies to new authorities, not to the one in use.
        const inUse = olds !== undefined && same(olds.generation, inputs.generation) ? olds.validityDays : undefined;
        inputs.validityDays ??= inUse ?? defaultAuthorityDays;
        if (isUnknown(inputs.generation)) return;
        inputs.signingGeneration ??= inputs.generation;
        if (!isUnknown(inputs.signingGeneration))
            inputs.oldestTrustedGeneration ??= oldestByDefault(olds ?? {}, inputs);
        checkAuthority(problems, inputs, olds ?? {});
    },

    diff: (_id, olds, news) => ({
        changes: hasUnknown(news) || compared.some((name) => !same(olds[name], news[name])),
    }),

    async create(inputs) {
        const generations = [await newGeneration(inputs)];
        return { id: crypto.randomUUID(), outs: outputs(inputs, generations) };
    },

    async update(_id, olds, news) {
        const kept = (olds.generations as Generation[]).filter(
            ({ generation }) => generation >= news.oldestTrustedGeneration,
        );
        const generations = news.generation > olds.generation ? [...kept, await newGeneration(news)] : kept;
        return outputs(news, generations);
    },
});

/**
 * By default, the generation before the signing one is still trusted, so that certificates of both are valid during the
 * change. A generation that was dropped is never trusted again.
 */
function oldestByDefault(olds: Inputs, news: Inputs): number {
    if (olds.generation === undefined) return news.generation;
    return Math.max(olds.oldestTrustedGeneration ?? 1, news.signingGeneration - 1);
}

function checkAuthority(problems: Problems, news: Inputs, olds: Inputs): void {
    problems.requiredString(news, "commonName", "the name of the authority", longestName);
    problems.optionalString(news, "organization", longestName);
    problems.integer(news, "validityDays", 1, longestValidityDays, "days");
    for (const name of ["generation", "signingGeneration", "oldestTrustedGeneration"])
        problems.integer(news, name, 1, 1e6, "generations");
    if (problems.list.length > 0 || hasUnknown(news)) return;

    const isNew = olds.generation === undefined;
    if (!isNew && news.generation !== olds.generation && news.generation !== olds.generation + 1)
        problems.add(
            "generation",
            `must stay ${olds.generation} or become ${olds.generation + 1}: one new authority at a time`,
        );
    if (!isNew && news.generation === olds.generation)
        for (const name of subject)
            if (!same(olds[name], news[name]))
                problems.add(
                    name,
                    "belongs to the authority in use. " +
                        `Increase generation to ${olds.generation + 1} to create a new authority with it`,
                );
    const least = isNew ? news.generation : olds.oldestTrustedGeneration;
    if (news.oldestTrustedGeneration < least)
        problems.add(
            "oldestTrustedGeneration",
            `${news.oldestTrustedGeneration} no longer exists: the oldest remaining generation is ${least}`,
        );
    if (news.signingGeneration < news.oldestTrustedGeneration || news.signingGeneration > news.generation)
        problems.add(
            "signingGeneration",
            `${news.signingGeneration} must be one of ${news.oldestTrustedGeneration} to ${news.generation}`,
        );
}

async function newGeneration(inputs: Inputs): Promise<Generation> {
    const { commonName, organization, validityDays, generation } = inputs;
    return { generation, ...(await issueAuthority({ commonName, organization, validityDays })) };
}

function outputs(inputs: Inputs, generations: Generation[]): Outputs {
    const signing = generations.find(({ generation }) => generation === inputs.signingGeneration);
    if (signing === undefined) throw new Error(`generation ${inputs.signingGeneration} of the authority not found`);
    // The signing certificate is first, for programs that read only one certificate of a bundle.
    const trusted = [signing, ...generations.filter((other) => other !== signing).reverse()];
    return {
        ...echoOf(inputs),
        generations,
        certificate: signing.certificate,
        privateKey: signing.privateKey,
        bundle: trusted.map(({ certificate }) => certificate).join(""),
        notAfter: new Date(notAfterOf(signing.certificate)).toISOString(),
    };
}
