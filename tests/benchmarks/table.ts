/** One line of the table. */
export interface Figure {
    what: string;
    /** The goal; `none` if the figure is only reported. */
    goal: string;
    figure: string;
    /** Whether the goal is reached; `undefined` if there is none. */
    met?: boolean;
    /** The seconds, calls or bytes that the figure is computed from. */
    detail?: string;
}

/** A figure with an upper limit. */
export function atMost(what: string, goal: number, value: number, unit: string, detail?: string): Figure {
    return { what, goal: `at most ${goal}${unit}`, figure: `${rounded(value)}${unit}`, met: value <= goal, detail };
}

/** A figure without a goal. */
export function figure(what: string, value: number, unit: string, detail?: string): Figure {
    return { what, goal: "none", figure: `${rounded(value)}${unit}`, detail };
}

/** The figures as a Markdown table. */
export function table(figures: readonly Figure[]): string {
    const rows = figures.map(({ what, goal, figure, met, detail }) => {
        const verdict = met === undefined ? "" : met ? "yes" : "**no**";
        return `| ${[what, goal, figure, verdict, detail ?? ""].join(" | ")} |`;
    });
    return ["| measurement | goal | result | reached | details |", "|---|---|---|---|---|", ...rows].join("\n");
}

/** The median of some values. */
export function median(values: readonly number[]): number {
    const sorted = [...values].sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)];
}

function rounded(value: number): string {
    if (value >= 100 || Number.isInteger(value)) return value.toFixed(0);
    return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
