import * as fs from "node:fs";
import * as path from "node:path";
import { type CloudConfig, renderCloudConfig, type WriteFile } from "../../components/cloudInit";
import { expectSuccess, runTool, withFolder } from "./tools";

/** The files of a document whose first line names a shell, and libraries that tell shellcheck which one. */
export function shellScripts(doc: CloudConfig): WriteFile[] {
    return (doc.writeFiles ?? []).filter(({ content }) => /^#!.*\b(ba|da)?sh\b|^# shellcheck shell=/.test(content));
}

/** Fails unless cloud-init's own schema takes the document. */
export function expectValidDocument(doc: CloudConfig): Promise<void> {
    return withFolder((folder) => {
        const file = path.join(folder, "document.yaml");
        fs.writeFileSync(file, renderCloudConfig(doc));
        expectSuccess(runTool("cloud-init", ["schema", "-c", file]));
    });
}

/** Fails unless shellcheck has nothing to say about any script, of any severity. */
export function expectCleanScripts(doc: CloudConfig): Promise<void> {
    return withFolder((folder) => {
        const files = shellScripts(doc).map(({ path: name, content }) => {
            const file = path.join(folder, path.basename(name));
            fs.writeFileSync(file, content);
            return file;
        });
        expect(files.length).toBeGreaterThan(0);
        expectSuccess(runTool("shellcheck", files));
    });
}

/** Fails if systemd finds anything in the units. Programs that are on the machine only are stood in for. */
export function expectCleanUnits(doc: CloudConfig): Promise<void> {
    return withFolder((folder) => {
        const units = (doc.writeFiles ?? []).filter(({ path: name }) => name.startsWith("/etc/systemd/system/"));
        expect(units.length).toBeGreaterThan(0);
        for (const { path: name, content } of units) {
            const file = path.join(folder, name.slice("/etc/systemd/system/".length));
            fs.mkdirSync(path.dirname(file), { recursive: true });
            fs.writeFileSync(file, content.replace(/^(Exec\w+=[-+!:@]*)\S+/gm, "$1/bin/true"));
        }
        // A template is looked at through an instance.
        const names = units
            .map(({ path: name }) => path.basename(name))
            .filter((name) => /\.(service|timer|socket|path|mount|target)$/.test(name))
            .map((name) => name.replace("@.", "@instance."));
        const result = runTool("systemd-analyze", ["verify", "--man=no", ...names], {
            cwd: folder,
            env: { SYSTEMD_UNIT_PATH: `${folder}:` },
        });
        expectSuccess(result);
        // It warns of keys that it does not know, and succeeds: such a setting would not be in force.
        const remarks = result.output.split("\n").filter((line) => line.includes(folder));
        expect(remarks).toEqual([]);
    });
}
