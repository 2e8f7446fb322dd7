/** The one place where certificates ask for the time, so that tests can put it anywhere. */
export const clock = {
    /** Milliseconds since 1970. */
    now: (): number => Date.now(),
};

export const millisecondsPerDay = 86_400_000;

/** How long a certificate is good for where nothing is said: it outlives some years of neglect. */
export const defaultValidityDays = 1825;
/** The same of an authority: four certificates' lives. */
export const defaultAuthorityDays = 7300;
/** The longest validity that can be asked for, in days. */
export const longestValidityDays = 36_500;
/** So many days before its end a certificate is spoken of. */
export const warningDays = 90;
/** The same of an authority, whose replacement takes several runs and waits. */
export const authorityWarningDays = 365;

/** The last quarter of a certificate's life, in whole days: when `pulumi up` renews it where nothing else is said. */
export function lastQuarterDays(start: number, end: number): number {
    return Math.floor((end - start) / 4 / millisecondsPerDay);
}

/** How far away an end is, in words. @param end in milliseconds since 1970 */
export function describeEnd(end: number): string {
    const days = Math.floor((end - clock.now()) / millisecondsPerDay);
    return days < 0 ? "has expired" : `expires in ${days} days`;
}

/**
 * Whether a certificate is near its end. Of one that lives for a short time only its last quarter counts.
 *
 * @param start in milliseconds since 1970, as `end` is
 */
export function endsSoon(start: number, end: number, mostDays: number): boolean {
    return clock.now() > end - Math.min(mostDays, lastQuarterDays(start, end)) * millisecondsPerDay;
}
