import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as path from "node:path";
import { releaseOf, type Release } from "../../../../simulator/artifacts/releases";

/** An address where nothing answers. */
export const NOWHERE = "http://127.0.0.1:9/file";

/** A release like etcd's, at another address. */
export function elsewhere(url: string, more: Partial<Release> = {}): Release {
    return { ...releaseOf("etcd", "3.6.14"), url, ...more };
}

/** An HTTP server for the duration of a test. */
export async function withServer<T>(answer: http.RequestListener, body: (url: string) => Promise<T>): Promise<T> {
    const server = http.createServer(answer).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    try {
        return await body(`http://127.0.0.1:${(server.address() as AddressInfo).port}/file`);
    } finally {
        server.closeAllConnections();
        server.close();
    }
}

/** A stand-in for Go, and its calls. */
export class FakeGo {
    private readonly folder: string;
    private readonly path = process.env.PATH;

    /** @param script a shell script that runs in a build; `$1` is Go's subcommand */
    constructor(folder: string, script = "") {
        this.folder = path.join(folder, "go");
        fs.mkdirSync(this.folder);
        const text = `#!/bin/sh
[ "$1" != env ] || { echo "\${FAKE_GO_VERSION-go1.26.8}"; exit; }
here='${this.folder}'
echo "$GOOS/$GOARCH $CGO_ENABLED $GOFLAGS: $*" >>"$here/calls"
cp go.mod "$here/go.mod" 2>/dev/null
case $1 in
  mod)
    mkdir -p "$here/module"
    printf 'go 1.25.0\n\nreplace (\n\tk8s.io/api => ./staging/src/k8s.io/api\n)\n' >"$here/module/go.mod"
    printf 'import (\n\t_ "github.com/flannel-io/flannel/pkg/backend/udp"\n\t_ "kept"\n)\n' >"$here/module/main.go"
    printf '{"Dir": "%s", "GoMod": "%s"}' "$here/module" "$here/module/go.mod"
    exit ;;
  list)
    echo "go: downloading example.org/module v1.0.0" >&2
    printf 'example.org/module\nother\nthird\n'
    exit ;;
esac
echo "example.org/module" >&2
${script}
command=$1
while [ "$1" != -o ]; do shift; done
out=$2
shift 2
[ "$command" != test ] || { echo "the tests of $1" >"$out"; exit; }
mkdir -p "$out"
for package; do
  case $package in ./*) cp "$package/main.go" "$here/$(basename "$package").go" ;; esac
  name=$(basename "\${package%/v[0-9]*}")
  (umask 027; printf '#!/bin/sh\necho %s\n' "$package" >"$out$name"; chmod 0710 "$out$name")
done
`;
        fs.writeFileSync(path.join(this.folder, "go"), text, { mode: 0o755 });
        process.env.PATH = `${this.folder}:${this.path}`;
    }

    /** What it was to build; other calls resolve modules only. */
    get builds(): string[] {
        return this.calls.filter((call) => /: (build|test) /.test(call));
    }

    /** The source of a main package of this package's own. */
    source(program: string): string {
        return fs.readFileSync(path.join(this.folder, `${program}.go`), "utf8");
    }

    get calls(): string[] {
        const file = path.join(this.folder, "calls");
        return fs.existsSync(file) ? fs.readFileSync(file, "utf8").trim().split("\n") : [];
    }

    /** The module in which it was to build. */
    get module(): string {
        return fs.readFileSync(path.join(this.folder, "go.mod"), "utf8");
    }

    remove(): void {
        process.env.PATH = this.path;
        delete process.env.FAKE_GO_VERSION;
    }
}

/** Runs `body` with a stand-in for Go on PATH. */
export async function withGo<T>(folder: string, script: string, body: (go: FakeGo) => Promise<T>): Promise<T> {
    const go = new FakeGo(folder, script);
    try {
        return await body(go);
    } finally {
        go.remove();
    }
}
