import { sh } from "../cloudInit";

/**
 * Applies changes of user data to a running machine. It is written in Python, since cloud-init needs Python and its
 * YAML library too. cloud-init's own module writes the files, so that encodings, owners and modes work as at first
 * boot. The position of its option --file depends on the version: https://github.com/canonical/cloud-init/pull/4559
 */
export const convergeScript = sh`
#!/usr/bin/python3
"""Applies changes of this machine's user data: cs-converge

Reads the user data again, writes the files of /etc/cs/converge that have changed, and runs the command of each.
A line of /etc/cs/converge is "PATH" or "PATH COMMAND". A command that fails is tried again next time.
Exit status: 0 everything is up to date, 1 a file or a command failed, 75 the user data could not be read.
"""
import base64
import gzip
import hashlib
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import urllib.request

import yaml

RULES = os.environ.get("CS_CONVERGE_RULES", "/etc/cs/converge")
STATE = os.environ.get("CS_CONVERGE_STATE", "/var/lib/cs/converge.json")
# Which user data this machine has. In /var/log, where kubelet serves it to the API.
TAKEN_UP = os.environ.get("CS_CONVERGE_TAKEN_UP", "/var/log/cs-user-data")
LEASES = "/run/systemd/netif/leases"
DHCLIENT = ("/var/lib/dhcp", "/var/lib/dhclient", "/var/lib/NetworkManager")


def log(text):
    print("cs-converge: " + text, file=sys.stderr, flush=True)


def routers():
    """Where the virtual router may be, as cloud-init looks for it: name, lease, gateway."""
    try:
        yield socket.getaddrinfo("data-server", 80, socket.AF_INET)[0][4][0]
    except OSError:
        pass
    for folder in (LEASES,) + DHCLIENT:
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            with open(os.path.join(folder, name), errors="replace") as lease:
                for line in lease:
                    if line.startswith("SERVER_ADDRESS="):
                        yield line.split("=", 1)[1].strip()
                    elif "dhcp-server-identifier" in line:
                        yield line.split()[-1].strip(";")
    with open("/proc/net/route") as routes:
        for fields in (line.split() for line in routes):
            if fields[1] == "00000000":
                yield socket.inet_ntoa(struct.pack("<L", int(fields[2], 16)))


def user_data():
    given = os.environ.get("CS_CONVERGE_URL")
    urls = [given] if given else ["http://%s/latest/user-data" % router for router in routers()]
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    reason = "no virtual router found"
    for url in dict.fromkeys(urls):
        try:
            with opener.open(url, timeout=10) as answer:
                return answer.read()
        except OSError as error:
            reason = "%s: %s" % (url, error)
    log("cannot read the user data: " + reason)
    sys.exit(75)


def unpacked():
    raw = user_data()
    return gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw


def document(data):
    text = data.decode()
    if not text.startswith("#cloud-config"):
        log("the user data is not a cloud-config document, nothing to do")
        sys.exit(0)
    return yaml.safe_load(text) or {}


def content(file):
    encoding = str(file.get("encoding", "")).lower()
    data = file.get("content", "")
    data = data if isinstance(data, bytes) else str(data).encode()
    if encoding.endswith(("b64", "base64")):
        data = base64.b64decode(data)
    if encoding.startswith("gz"):
        data = gzip.decompress(data)
    return data


def differs(file):
    try:
        with open(file["path"], "rb") as present:
            return present.read() != content(file)
    except FileNotFoundError:
        return True


def write(files):
    # Without defer, which would leave the file to a later stage of the boot; users exist by now.
    files = [{key: value for key, value in file.items() if key != "defer"} for file in files]
    with tempfile.NamedTemporaryFile("w", prefix="cs-converge-", suffix=".yaml", dir="/run") as config:
        config.write("#cloud-config\n" + yaml.safe_dump({"write_files": files}))
        config.flush()
        # Up to cloud-init 24.1 --file comes before the subcommand.
        file = ["--file", config.name]
        for words in ["single"] + file, file + ["single"]:
            command = ["cloud-init"] + words + ["--name", "write_files", "--frequency", "always"]
            result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
            if result.returncode != 2:
                break
    missed = [file["path"] for file in files if differs(file)]
    if missed:
        log("cloud-init could not write %s: %s" % (", ".join(missed), result.stdout.strip()))
    return missed


def parse_rules(text):
    return [tuple((line.split(None, 1) + [""])[:2]) for line in text.splitlines() if line and not line.startswith("#")]


def load_pending():
    try:
        with open(STATE) as state:
            return json.load(state)["pending"]
    except (FileNotFoundError, ValueError, KeyError):
        return []


def save_pending(pending):
    os.makedirs(os.path.dirname(STATE), exist_ok=True)
    with open(STATE + ".new", "w") as state:
        json.dump({"pending": pending}, state)
    os.replace(STATE + ".new", STATE)


def note(data):
    with open(TAKEN_UP + ".new", "w") as file:
        file.write("sha256:%s\n" % hashlib.sha256(data).hexdigest())
    os.replace(TAKEN_UP + ".new", TAKEN_UP)


def main():
    data = unpacked()
    files = {file["path"]: file for file in document(data).get("write_files", []) if not file.get("append")}
    if RULES in files:
        rules = parse_rules(content(files[RULES]).decode())
    else:
        with open(RULES) as present:
            rules = parse_rules(present.read())
    changed = [files[path] for path, _ in rules if path in files and differs(files[path])]
    commands = dict(rules)
    pending = load_pending()
    if changed:
        log("writing " + ", ".join(file["path"] for file in changed))
        # Saved before anything is written, so that no command is lost in a crash.
        pending = list(dict.fromkeys(pending + [commands[file["path"]] for file in changed if commands[file["path"]]]))
        save_pending(pending)
        missed = write(changed)
    else:
        missed = []
    for command in list(pending):
        log("running " + command)
        if subprocess.run(["/bin/sh", "-c", command], check=False).returncode == 0:
            pending.remove(command)
            save_pending(pending)
        else:
            log("%s failed and will be tried again next time" % command)
    if missed or pending:
        return 1
    note(data)
    return 0


sys.exit(main())
`;
