/** The most similar names, best first, for messages about names that do not exist. */
export function nearestNames(name: string, candidates: readonly string[], most = 3): string[] {
    const wanted = name.toLowerCase();
    return [...new Set(candidates)]
        .map((candidate) => ({ candidate, far: distance(wanted, candidate.toLowerCase()) }))
        .sort((a, b) => a.far - b.far || a.candidate.localeCompare(b.candidate))
        .slice(0, most)
        .map(({ candidate }) => candidate);
}

/** The names that were probably meant: the most similar ones, or all if none is similar. */
export function likelyNames(name: string, candidates: readonly string[]): string[] {
    const far = candidates.map((candidate) => distance(name.toLowerCase(), candidate.toLowerCase()));
    const least = Math.min(...far);
    return least > name.length / 2 ? [...candidates] : candidates.filter((_, index) => far[index] === least);
}

/** The Levenshtein distance; smaller if one name contains the other. */
function distance(a: string, b: string): number {
    if (a.length > 0 && b.length > 0 && (a.includes(b) || b.includes(a))) {
        return Math.min(1, Math.abs(a.length - b.length));
    }
    let row = Array.from({ length: b.length + 1 }, (_, index) => index);
    for (let i = 1; i <= a.length; i++) {
        const next = [i];
        for (let j = 1; j <= b.length; j++) {
            next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
        }
        row = next;
    }
    return row[b.length]!;
}
