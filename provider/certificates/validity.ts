/** The clock of certificates, which tests replace. */
export const clock = {
    /** Milliseconds since 1970. */
    now: (): number => Date.now(),
};

export const millisecondsPerDay = 86_400_000;

/** The default validity of a certificate in days: long, because it is only renewed by `pulumi up`. */
export const defaultValidityDays = 1825;
/** The default validity of an authority in days: four times that of a certificate. */
export const defaultAuthorityDays = 7300;
/** The longest validity in days. */
export const longestValidityDays = 36_500;
/** How many days before a certificate expires warnings begin. */
export const warningDays = 90;
/** The same for an authority, whose replacement takes several runs. */
export const authorityWarningDays = 365;

/** The last quarter of a certificate's validity in whole days: the default renewal window. */
export function lastQuarterDays(start: number, end: number): number {
    return Math.floor((end - start) / 4 / millisecondsPerDay);
}

/** Describes when a certificate expires. @param end in milliseconds since 1970 */
export function describeEnd(end: number): string {
    const days = Math.floor((end - clock.now()) / millisecondsPerDay);
    return days < 0 ? "has expired" : `expires in ${days} days`;
}

/**
 * Whether a certificate expires soon. For a short-lived certificate, that is in the last quarter of its validity.
 *
 * @param start in milliseconds since 1970, as `end` is
 */
export function endsSoon(start: number, end: number, mostDays: number): boolean {
    return clock.now() > end - Math.min(mostDays, lastQuarterDays(start, end)) * millisecondsPerDay;
}
