/** Tables, sizes and durations as people read them. */

/** Rows in aligned columns under their titles. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
    const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column].length)));
    const lines = [head, ...rows].map((row) => row.map((cell, column) => cell.padEnd(widths[column])).join("  "));
    return lines.map((line) => line.trimEnd()).join("\n");
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** 1536 is "1.5 KiB". */
export function size(bytes: number): string {
    const power = Math.min(UNITS.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10));
    const value = bytes / 2 ** (10 * power);
    return `${value < 10 && power > 0 ? value.toFixed(1) : Math.round(value)} ${UNITS[power]}`;
}

/** 3725 is "1h 2m"; below a minute with one decimal. */
export function duration(seconds: number): string {
    if (seconds < 60) return `${seconds.toFixed(1)}s`;
    const minutes = Math.floor(seconds / 60);
    if (minutes < 60) return `${minutes}m ${Math.floor(seconds % 60)}s`;
    const hours = Math.floor(minutes / 60);
    return hours < 24 ? `${hours}h ${minutes % 60}m` : `${Math.floor(hours / 24)}d ${hours % 24}h`;
}

/** "1 machine", "2 machines". */
export function counted(count: number, noun: string): string {
    return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
