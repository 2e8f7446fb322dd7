/** Up to three of `names` that look most like `wanted`, the nearest first: what an error offers instead of a name that nobody has. */
export function nearest(wanted: string, names: readonly string[]): string[] {
    const target = wanted.toLowerCase();
    return [...new Set(names)]
        .map((name) => ({ name, distance: distance(target, name.toLowerCase()) }))
        .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
        .slice(0, 3)
        .map(({ name }) => name);
}

/** Optimal string alignment; a name that contains the other counts as near. */
function distance(a: string, b: string): number {
    if (a !== "" && (b.includes(a) || a.includes(b))) return Math.abs(a.length - b.length) / 100;
    let beforeLast: number[] = [];
    let last = Array.from({ length: b.length + 1 }, (_, j) => j);
    for (let i = 1; i <= a.length; i++) {
        const row = [i];
        for (let j = 1; j <= b.length; j++) {
            const cost = a[i - 1] === b[j - 1] ? 0 : 1;
            row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + cost);
            if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(row[j], beforeLast[j - 2] + 1);
        }
        beforeLast = last;
        last = row;
    }
    return last[b.length];
}
