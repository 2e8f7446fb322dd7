import * as pulumi from "@pulumi/pulumi";
import { Certificate } from "../../provider/certificates";
import { signedBy } from "../../provider/certificates/certificateAuthority";
import { renderKubeconfig, renderKubeconfigs } from "./kubeconfig";
import type { ClusterContext } from "./machines";
import { apiPort } from "./versions";

/** The administrator's client certificate. */
export function administrator({ name, cluster, authority, ending, child }: ClusterContext): Certificate {
    const admin = new Certificate(
        `${name}-admin`,
        {
            ...signedBy(authority),
            commonName: pulumi.interpolate`${cluster}-admin`,
            organizations: ["kubeadm:cluster-admins"],
            usages: ["client"],
        },
        child,
    );
    ending.push(admin);
    return admin;
}

/** The administrator's access to the cluster: the API's URL, and kubeconfigs. */
export function access({ cluster, authority, spec }: ClusterContext, admin: Certificate) {
    const endpoint = spec.apply(({ endpoint: at, controlPlanes }) =>
        at.mode === "nodeLocal"
            ? `https://${Object.values(controlPlanes)[0]}:${apiPort}`
            : `https://${at.host}:${at.port ?? apiPort}`,
    );
    const user = {
        cluster,
        caCertificate: authority.bundle,
        clientCertificate: admin.certificate,
        clientKey: admin.privateKey,
    };
    return {
        endpoint,
        kubeconfig: pulumi.secret(pulumi.output({ ...user, server: endpoint }).apply(renderKubeconfig)),
        kubeconfigs: pulumi.secret(
            pulumi
                .all([pulumi.output(user), spec])
                .apply(([known, { controlPlanes }]) => renderKubeconfigs(known, controlPlanes)),
        ),
    };
}
