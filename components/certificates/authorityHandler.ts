import * as crypto from "node:crypto";
import { type Handler, hasUnknown, type Inputs, isUnknown, type Outputs, same } from "../../provider/handler";
import { Failures, isCount, isText, withDefaults } from "./checks";
import { defaultAuthorityDays } from "./validity";
import { issueAuthority, notAfterOf } from "./x509";

/** One key and certificate of an authority's life; the newest is not always the one that signs. */
interface Generation {
    generation: number;
    certificate: string;
    privateKey: string;
}

const subject = ["commonName", "organization", "validityDays"] as const;
const compared = [...subject, "generation", "signingGeneration", "oldestTrustedGeneration"] as const;

/**
 * The lifecycle of `CertificateAuthority`. It is never renewed by itself: whoever trusts it would have to learn of it
 * first.
 */
export const authorityHandler: Handler = {
    async check(olds: Inputs, news: Inputs) {
        const { keepCommonName, ...given } = withDefaults(news, { generation: 1 });
        const inputs: Inputs = given;
        if (keepCommonName === true && olds?.commonName !== undefined) inputs.commonName = olds.commonName;
        // Another default is for another authority, not for the one in use.
        const inUse = same(olds?.generation, inputs.generation) ? olds.validityDays : undefined;
        inputs.validityDays ??= inUse ?? defaultAuthorityDays;
        if (isUnknown(inputs.generation)) return { inputs, failures: [] };
        inputs.signingGeneration ??= inputs.generation;
        if (!isUnknown(inputs.signingGeneration))
            inputs.oldestTrustedGeneration ??= oldestByDefault(olds ?? {}, inputs);
        return { inputs, failures: checkAuthority(olds ?? {}, inputs) };
    },

    async diff(_id: string, olds: Outputs, news: Inputs) {
        return { changes: hasUnknown(news) || compared.some((name) => !same(olds[name], news[name])) };
    },

    async create(inputs: Inputs) {
        const generations = [await newGeneration(inputs)];
        return { id: crypto.randomUUID(), outs: outputs(inputs, generations) };
    },

    async read(id: string, props?: Outputs) {
        return { id, props };
    },

    async update(_id: string, olds: Outputs, news: Inputs) {
        const kept = (olds.generations as Generation[]).filter(
            ({ generation }) => generation >= news.oldestTrustedGeneration,
        );
        const generations = news.generation > olds.generation ? [...kept, await newGeneration(news)] : kept;
        return { outs: outputs(news, generations) };
    },

    async delete() {},
};

/**
 * The one before the signing one stays trusted, so that certificates of both are good while they change; a dropped one
 * never returns.
 */
function oldestByDefault(olds: Inputs, news: Inputs): number {
    if (olds.generation === undefined) return news.generation;
    return Math.max(olds.oldestTrustedGeneration ?? 1, news.signingGeneration - 1);
}

function checkAuthority(olds: Inputs, news: Inputs) {
    const failures = new Failures(news);
    failures.required("commonName");
    failures.unless("commonName", isText, "must be 1 to 64 characters");
    failures.unless("organization", isText, "must be 1 to 64 characters");
    failures.unless("validityDays", isCount(1, 36500), "must be 1 to 36500 days");
    for (const name of ["generation", "signingGeneration", "oldestTrustedGeneration"])
        failures.unless(name, isCount(1, 1e6), "must be a whole number from 1 on");
    if (failures.list.length > 0 || hasUnknown(news)) return failures.list;

    const isNew = olds.generation === undefined;
    if (!isNew && news.generation !== olds.generation && news.generation !== olds.generation + 1)
        failures.add(
            "generation",
            `can only stay ${olds.generation} or become ${olds.generation + 1}: one authority at a time`,
        );
    if (!isNew && news.generation === olds.generation)
        for (const name of subject)
            if (!same(olds[name], news[name]))
                failures.add(
                    name,
                    "is part of the authority in use. " +
                        `Raise generation to ${olds.generation + 1} to make a new authority with it`,
                );
    const least = isNew ? news.generation : olds.oldestTrustedGeneration;
    if (news.oldestTrustedGeneration < least)
        failures.add(
            "oldestTrustedGeneration",
            `${news.oldestTrustedGeneration} is gone: the oldest that is left is ${least}`,
        );
    if (news.signingGeneration < news.oldestTrustedGeneration || news.signingGeneration > news.generation)
        failures.add(
            "signingGeneration",
            `${news.signingGeneration} must be one of ${news.oldestTrustedGeneration} to ${news.generation}`,
        );
    return failures.list;
}

async function newGeneration(inputs: Inputs): Promise<Generation> {
    const { commonName, organization, validityDays, generation } = inputs;
    return { generation, ...(await issueAuthority({ commonName, organization, validityDays })) };
}

function outputs(inputs: Inputs, generations: Generation[]): Outputs {
    const signing = generations.find(({ generation }) => generation === inputs.signingGeneration);
    if (signing === undefined) throw new Error(`the authority's generation ${inputs.signingGeneration} is gone`);
    // The signing one first: what reads only one certificate of a bundle reads that.
    const trusted = [signing, ...generations.filter((other) => other !== signing).reverse()];
    return {
        ...inputs,
        generations,
        certificate: signing.certificate,
        privateKey: signing.privateKey,
        bundle: trusted.map(({ certificate }) => certificate).join(""),
        notAfter: new Date(notAfterOf(signing.certificate)).toISOString(),
    };
}
