import { sh, type WriteFile } from "../cloudInit";

/** Certificates of a machine whose expiry is watched. */
export interface WatchedCertificates {
    /**
     * Paths, with `*` as a wildcard, of PEM files (only the first certificate counts) or kubeconfigs with a
     * certificate.
     */
    readonly paths: readonly string[];
    /** The journal has a daily warning if a certificate expires in fewer days than this. */
    readonly days: number;
}

/** The timer to enable. */
export const certificatesTimer = "cs-certificates.timer";
export const certificatesPath = "/etc/cs/certificates";

/**
 * The files for a daily check of the machine's certificates. It writes the expiry dates as metrics for node_exporter's
 * textfile collector, and logs certificates that expire soon to the journal.
 */
export function renderCertificateWatch(watched: readonly WatchedCertificates[]): WriteFile[] {
    const lines = watched.map(({ paths, days }) => `${days} ${paths.join(" ")}\n`);
    return [
        { path: "/usr/local/sbin/cs-certificates", content: script, permissions: "0755" },
        { path: certificatesPath, content: lines.join("") },
        { path: "/etc/systemd/system/cs-certificates.service", content: service },
        { path: `/etc/systemd/system/${certificatesTimer}`, content: timer },
    ];
}

/** `<3>` (error) and `<4>` (warning) at the start of a line are the log levels of systemd's journal. */
const script = sh`
#!/bin/bash
# Reports when the certificates of /etc/cs/certificates expire: in the journal when that is near, and for node_exporter.
set -uo pipefail
out=\${CS_METRICS_FOLDER:-/var/lib/prometheus/node-exporter}/cs-certificates
now=$(date +%s)
mkdir -p "\${out%/*}" || exit 1
while read -r days files; do
    for file in $files; do
        case $file in
        *.conf) pem=$(sed -n 's/^ *client-certificate-data: //p' "$file" | base64 -d) ;;
        *) pem=$(cat "$file") ;;
        esac 2>/dev/null
        end=$(openssl x509 -noout -enddate <<<"$pem" 2>/dev/null) || continue
        end=$(date -d "\${end#*=}" +%s)
        echo "cs_certificate_not_after_seconds{path=\"$file\"} $end"
        left=$(((end - now) / 86400))
        if [ "$left" -lt 0 ]; then
            echo "<3>$file has expired" >&2
        elif [ "$left" -lt "$days" ]; then
            echo "<4>$file expires in $left days" >&2
        fi
    done
done <"\${CS_CERTIFICATES:-/etc/cs/certificates}" >"$out.new"
mv "$out.new" "$out.prom"
`;

const service = `[Unit]
Description=Report when certificates of this machine expire
[Service]
Type=oneshot
EnvironmentFile=-/etc/default/cs-certificates
ExecStart=/usr/local/sbin/cs-certificates
`;

const timer = `[Unit]
Description=Report when certificates of this machine expire
[Timer]
OnActiveSec=10min
OnUnitActiveSec=1d
[Install]
WantedBy=timers.target
`;
