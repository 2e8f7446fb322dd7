/**
 * A shell script as a text module: what stands between the quotes is the script as it is, except that `\${` means `${`
 * and a back-quote is written `\``. Nothing can be interpolated: scripts take their values from files and arguments, so
 * that shellcheck sees the real text.
 */
export function sh(text: TemplateStringsArray): string {
    if (text.length !== 1) throw new Error("scripts take their values from files and arguments");
    return text.raw[0].replace(/^\n/, "").replace(/\\(\$\{|`)/g, "$1");
}

/**
 * A file of `NAME=value` lines that both systemd (`EnvironmentFile=`) and a shell (`.`) read alike. Values are quoted
 * where a shell would take them apart.
 */
export function envFile(values: Record<string, string | number>): string {
    return Object.entries(values)
        .map(([name, value]) => `${name}=${quoteValue(String(value))}\n`)
        .join("");
}

function quoteValue(value: string): string {
    if (/[\n'"\\$`]/.test(value))
        throw new Error(
            `a value for an environment file may not hold quotes, $, \\ or line ends: ${JSON.stringify(value)}`,
        );
    return /^[\w@%+=:,./-]*$/.test(value) ? value : `"${value}"`;
}
