/**
 * A shell script as a template literal, verbatim except that `${` is written `\${` and a backtick `\``. Interpolation
 * is not allowed: scripts read their values from files and arguments, so that shellcheck checks the text that runs.
 */
export function sh(text: TemplateStringsArray): string {
    if (text.length !== 1) throw new Error("scripts read their values from files and arguments");
    return text.raw[0].replace(/^\n/, "").replace(/\\(\$\{|`)/g, "$1");
}

/**
 * A file of `NAME=value` lines that systemd (`EnvironmentFile=`) and a shell (`.`) read in the same way. Values that a
 * shell would split are quoted.
 */
export function envFile(values: Record<string, string | number>): string {
    return Object.entries(values)
        .map(([name, value]) => `${name}=${quoteValue(String(value))}\n`)
        .join("");
}

function quoteValue(value: string): string {
    if (/[\n'"\\$`]/.test(value))
        throw new Error(
            `a value in an environment file must not contain quotes, $, \\ or newlines: ${JSON.stringify(value)}`,
        );
    return /^[\w@%+=:,./-]*$/.test(value) ? value : `"${value}"`;
}
