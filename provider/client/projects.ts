import { CloudStackError } from "./errors";
import { nearestNames } from "../nearest";
import { takesProject } from "./projectCommands";
import type { ClientSettings, Params } from "./types";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Adds the project of the settings to every call that accepts one. */
export class Projects {
    private readonly settings: ClientSettings;
    private readonly list: (command: string, params: Params) => Promise<{ id: string; name: string }[]>;
    private found: Promise<string> | undefined;

    constructor(settings: ClientSettings, list: (command: string, params: Params) => Promise<any[]>) {
        this.settings = settings;
        this.list = list;
    }

    /**
     * The parameters with `projectid`, if the command takes one. A `projectid` of the call takes precedence (`-1`: all
     * projects; the empty string: none). It is not added to an `account`, because CloudStack does not allow both.
     * @throws CloudStackError when there is no project of that name
     */
    async scope(command: string, params: Params): Promise<Params> {
        if (params.projectid !== undefined) {
            return params.projectid === "" ? { ...params, projectid: undefined } : params;
        }
        if (!this.settings.project || params.account !== undefined || !takesProject(command)) {
            return params;
        }
        return { ...params, projectid: await this.id(this.settings.project) };
    }

    /** The id of the project in the settings; `undefined` when they name none. */
    async current(): Promise<string | undefined> {
        return this.settings.project ? this.id(this.settings.project) : undefined;
    }

    private id(project: string): Promise<string> {
        if (UUID.test(project)) {
            return Promise.resolve(project);
        }
        this.found ??= this.lookUp(project).catch((error) => {
            this.found = undefined;
            throw error;
        });
        return this.found;
    }

    private async lookUp(project: string): Promise<string> {
        const projects = await this.list("listProjects", { listall: true });
        const found = projects.filter(({ name }) => name === project);
        if (found.length === 1) {
            return found[0]!.id;
        }
        const { sources } = this.settings;
        const from = sources.project ? ` (from ${sources.project})` : "";
        const near = nearestNames(
            project,
            projects.map(({ name }) => name),
        );
        throw new CloudStackError({
            command: "listProjects",
            outcome: "unsent",
            errorText:
                found.length > 1
                    ? `${found.length} projects are named "${project}"${from}: ${found.map(({ id }) => id).join(", ")}`
                    : `there is no project "${project}"${from} that this account may use`,
            hint:
                found.length > 1
                    ? "Give the id."
                    : near.length > 0
                      ? `There are: ${near.join(", ")}.`
                      : "The account is in no project.",
        });
    }
}
