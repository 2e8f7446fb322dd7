/** What a test file has proved, printed as a table at its end. */
export class Proofs {
    private readonly rows: [what: string, figure: string][] = [];
    private readonly title: string;

    constructor(title: string) {
        this.title = title;
    }

    add(what: string, figure: string): void {
        this.rows.push([what, figure]);
    }

    print(): void {
        const width = Math.max(...this.rows.map(([what]) => what.length), this.title.length);
        const lines = [[this.title, "figures"], ...this.rows].map(
            ([what, figure]) => `${what.padEnd(width)}  ${figure}`,
        );
        console.log(lines.join("\n"));
    }
}
