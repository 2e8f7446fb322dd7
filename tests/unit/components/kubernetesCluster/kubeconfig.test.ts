import * as fs from "node:fs";
import * as path from "node:path";
import { load } from "js-yaml";
import { placeholder } from "../../../../components/cloudInit";
import { renderKubeconfig, renderKubeconfigs } from "../../../../components/kubernetesCluster/kubeconfig";
import { expectSuccess, runTool, testWithTools, withFolder } from "../../../support/tools";

const admin = {
    cluster: "demo",
    caCertificate: placeholder("authority", "ca"),
    clientCertificate: placeholder("certificate", "admin"),
    clientKey: placeholder("privateKey", "admin"),
};

test("a kubeconfig has one cluster, user and context, with the given values", () => {
    const text = renderKubeconfig({ ...admin, server: "https://10.1.1.21:6443" });
    const base64 = (value: string) => Buffer.from(value).toString("base64");
    expect(load(text)).toEqual({
        apiVersion: "v1",
        kind: "Config",
        clusters: [
            {
                name: "demo",
                cluster: {
                    server: "https://10.1.1.21:6443",
                    "certificate-authority-data": base64(admin.caCertificate),
                },
            },
        ],
        users: [
            {
                name: "demo-admin",
                user: {
                    "client-certificate-data": base64(admin.clientCertificate),
                    "client-key-data": base64(admin.clientKey),
                },
            },
        ],
        contexts: [{ name: "demo", context: { cluster: "demo", user: "demo-admin" } }],
        "current-context": "demo",
        preferences: {},
    });
});

test("there is a kubeconfig for each control plane", () => {
    const all = renderKubeconfigs(admin, { "demo-a": "10.1.1.21", "demo-b": "10.1.1.22" });
    expect(Object.keys(all)).toEqual(["demo-a", "demo-b"]);
    expect(all["demo-b"]).toBe(renderKubeconfig({ ...admin, server: "https://10.1.1.22:6443" }));
});

testWithTools(["kubectl"])("kubectl reads it", () =>
    withFolder((folder) => {
        const name = path.join(folder, "kubeconfig");
        fs.writeFileSync(name, renderKubeconfig({ ...admin, server: "https://10.1.1.21:6443" }));
        const result = runTool("kubectl", [
            "config",
            "view",
            "--kubeconfig",
            name,
            "--minify",
            "-o",
            "jsonpath={.clusters[0].name}",
        ]);
        expectSuccess(result);
        expect(result.stdout).toBe("demo");
    }),
);
