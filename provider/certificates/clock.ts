/** The one place where certificates ask for the time, so that tests can put it anywhere. */
export const clock = {
    /** Milliseconds since 1970. */
    now: (): number => Date.now(),
};

export const millisecondsPerDay = 86_400_000;
