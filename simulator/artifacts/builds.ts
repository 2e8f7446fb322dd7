/**
 * What a Go toolchain builds from Go modules. The versions that this package knows have their go.mod and go.sum in
 * `modules/<name>-<version>`, and mains of this package's own are beside them, in `modules/<program>`.
 */

export interface GoBuild {
    readonly name: string;
    readonly version: string;
    /** As people call it. */
    readonly title: string;
    /** The folder in `modules` with its go.mod and go.sum, if this package knows the version. */
    readonly folder: string;
    /** Modules, each at this version: what go.mod requires of a version that this package does not know. */
    readonly modules: readonly string[];
    /** Packages by the names of the programs that they become. `./NAME` is a main of this package. */
    readonly packages: Readonly<Record<string, string>>;
    /** Files of the first module that go with programs, by their names. */
    readonly files?: Readonly<Record<string, string>>;
    /** Packages whose tests become programs, by the names of those. */
    readonly tests?: Readonly<Record<string, string>>;
    /** Values of variables that the linker sets. */
    readonly variables?: Readonly<Record<string, string>>;
    readonly tags?: readonly string[];
    /** Whether it is linked, statically, with libraries in C. */
    readonly isCgo?: boolean;
    /** A program that is the main of a module, but without some of its imports. */
    readonly derived?: { readonly program: string; readonly module: string; readonly withoutImports: RegExp };
    /** Processor time of a build from nothing, in seconds, as measured. */
    readonly seconds: number;
}

function build(name: string, version: string, recipe: Omit<GoBuild, "name" | "version" | "title" | "folder"> & Titles) {
    return { title: `${name} ${version}`, folder: `${name}-${version}`, ...recipe, name, version } satisfies GoBuild;
}

type Titles = Partial<Pick<GoBuild, "title" | "folder">>;

/** The programs of a module, by the last parts of their packages. */
function packagesOf(module: string, paths: readonly string[]): Record<string, string> {
    return Object.fromEntries(paths.map((path) => [path.slice(path.lastIndexOf("/") + 1), `${module}/${path}`]));
}

const ETCD = "go.etcd.io/etcd";

export function etcdBuild(version: string): GoBuild {
    return build("etcd", version, {
        modules: ["server", "etcdctl", "etcdutl"].map((name) => `${ETCD}/${name}/v3`),
        packages: { etcd: `${ETCD}/server/v3`, etcdctl: `${ETCD}/etcdctl/v3`, etcdutl: `${ETCD}/etcdutl/v3` },
        // The module contains the version but not the commit.
        variables: { [`${ETCD}/api/v3/version.GitSHA`]: "built-from-go-modules" },
        seconds: 170,
    });
}

const KUBERNETES_PROGRAMS = [
    ...["kubelet", "kubeadm", "kubectl", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy"],
] as const;

/** The staging modules of Kubernetes are separate modules with a version of their own: see `goBuild.ts`. */
export function kubernetesBuild(version: string): GoBuild {
    const [major, minor] = version.split(".");
    const variables = { gitVersion: `v${version}`, gitMajor: major, gitMinor: minor, gitTreeState: "clean" };
    return build("kubernetes", version, {
        title: `Kubernetes ${version}`,
        modules: ["k8s.io/kubernetes"],
        packages: {
            ...packagesOf("k8s.io/kubernetes/cmd", KUBERNETES_PROGRAMS),
            ...packagesOf("k8s.io/kubernetes/test/images", ["agnhost", "nonewprivs"]),
            // What runs the tests in several processes.
            ginkgo: "github.com/onsi/ginkgo/v2/ginkgo",
        },
        files: {
            "localhost.crt": "test/images/agnhost/porter/localhost.crt",
            "localhost.key": "test/images/agnhost/porter/localhost.key",
            "nautilus.jpg": "test/images/nautilus/html/nautilus.jpg",
            "data.json": "test/images/nautilus/html/data.json",
        },
        tests: { "e2e.test": "k8s.io/kubernetes/test/e2e" },
        variables: Object.fromEntries(
            ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"].flatMap((where) =>
                Object.entries(variables).map(([name, value]) => [`${where}.${name}`, value]),
            ),
        ),
        seconds: 1_150,
    });
}

/** What Kubernetes' tests register with the API server as a second one. */
export const sampleApiServerBuild: GoBuild = build("sample-apiserver", "0.29.2", {
    modules: ["k8s.io/sample-apiserver"],
    packages: { "sample-apiserver": "k8s.io/sample-apiserver" },
    seconds: 120,
});

export function containerdBuild(version: string): GoBuild {
    const module = "github.com/containerd/containerd/v2";
    return build("containerd", version, {
        modules: [module],
        packages: packagesOf(`${module}/cmd`, ["containerd", "containerd-shim-runc-v2", "ctr"]),
        variables: { [`${module}/version.Version`]: `v${version}`, [`${module}/version.Revision`]: "go-modules" },
        seconds: 160,
    });
}

/** runc has its version in a file that is compiled into it. */
export function runcBuild(version: string): GoBuild {
    return build("runc", version, {
        modules: ["github.com/opencontainers/runc"],
        packages: { runc: "github.com/opencontainers/runc" },
        tags: ["seccomp", "netgo", "osusergo", "urfave_cli_no_docs"],
        isCgo: true,
        seconds: 40,
    });
}

export function cniPluginsBuild(version: string): GoBuild {
    const module = "github.com/containernetworking/plugins";
    const plugins = {
        ipam: ["dhcp", "host-local", "static"],
        main: ["bridge", "dummy", "host-device", "ipvlan", "loopback", "macvlan", "ptp", "tap", "vlan"],
        meta: ["bandwidth", "firewall", "portmap", "sbr", "tuning", "vrf"],
    };
    return build("cni-plugins", version, {
        title: `CNI plugins ${version}`,
        modules: [module],
        packages: packagesOf(
            `${module}/plugins`,
            Object.entries(plugins).flatMap(([kind, names]) => names.map((name) => `${kind}/${name}`)),
        ),
        variables: { [`${module}/pkg/utils/buildversion.BuildVersion`]: `v${version}` },
        seconds: 60,
    });
}

export function corednsBuild(version: string): GoBuild {
    return build("coredns", version, {
        title: `CoreDNS ${version}`,
        modules: ["github.com/coredns/coredns"],
        packages: { coredns: "./coredns" },
        seconds: 150,
    });
}

export function flannelBuild(version: string): GoBuild {
    const module = "github.com/flannel-io/flannel";
    return build("flannel", version, {
        title: `Flannel ${version}`,
        modules: [module],
        packages: { flanneld: "./flanneld", install_conf: `${module}/cmd/install_conf` },
        variables: { [`${module}/pkg/version.Version`]: `v${version}` },
        // Those need C, or programs and clouds that machines do not have.
        derived: {
            program: "flanneld",
            module,
            withoutImports:
                /^\s*_ "github\.com\/flannel-io\/flannel\/pkg\/backend\/(udp|ipsec|tencentvpc|extension)"$/m,
        },
        seconds: 100,
    });
}

/** From the last release of the CNI plugins that had it, with a newer library of CNI, so that it speaks CNI 1.0. */
export const flannelCniBuild: GoBuild = build("flannel-cni-plugin", "0.9.1", {
    title: "Flannel's CNI plugin",
    folder: "flannel-cni-plugin",
    modules: ["github.com/containernetworking/plugins"],
    packages: { flannel: "github.com/containernetworking/plugins/plugins/meta/flannel" },
    variables: { "github.com/containernetworking/plugins/pkg/utils/buildversion.BuildVersion": "v0.9.1" },
    seconds: 10,
});

export function pauseBuild(version: string): GoBuild {
    return build("pause", version, {
        folder: "pause",
        modules: [],
        packages: { pause: "./pause" },
        variables: { "main.version": version },
        seconds: 10,
    });
}
