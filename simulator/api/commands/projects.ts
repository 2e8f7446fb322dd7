/** Projects: resources that several accounts share. */
import { timestamp, type Cloud } from "../../cloud";
import type { Account, Project } from "../../state/records";
import type { Commands, Request, Work } from "../command";
import { DOMAIN } from "../entities";
import { denied, invalid } from "../errors";
import { contains, matches, equalsName, page } from "../lists";
import { describeAccount } from "../ownership";
import { resourceCounts } from "./accounts";

function projectAnswer(cloud: Cloud, project: Project): object {
    const owner = cloud.store.accounts.need(project.ownerId);
    // A project has the counts of an account except that of projects.
    const counted = Object.entries(resourceCounts(cloud, owner)).filter(([field]) => !field.startsWith("project"));
    return {
        id: project.id,
        name: project.name,
        displaytext: project.displayText,
        domainid: DOMAIN.id,
        domain: DOMAIN.name,
        state: "Active",
        ...Object.fromEntries(counted),
        projectaccountname: owner.name,
        created: timestamp(project.created),
        tags: [],
        owner: membersOf(cloud, project)
            .slice(0, 1)
            .map((member) => ({ account: member.name })),
    };
}

function membersOf(cloud: Cloud, project: Project): Account[] {
    return project.memberIds.map((id) => cloud.store.accounts.need(id));
}

/** @throws ApiError 531 unless the caller is a member or the administrator */
function projectOf(request: Request): Project {
    const project = request.cloud.store.projects.need(request.arguments.projectid);
    const { caller } = request;
    if (caller.isAdmin || project.memberIds.includes(caller.account.id)) return project;
    throw denied(`${describeAccount(caller.account)} is unauthorized to modify project id=${project.id}`);
}

function listProjects(request: Request): object {
    const { cloud, caller } = request;
    const { id, name, keyword, listall, state } = request.arguments;
    const projects = cloud.store.projects.filter(
        (p) =>
            (p.memberIds.includes(caller.account.id) || (caller.isAdmin && (listall === true || id !== undefined))) &&
            matches(p.id, id) &&
            equalsName(p.name, name) &&
            contains(p.name, keyword) &&
            equalsName("Active", state),
    );
    return page(request, "project", projects, (project) => projectAnswer(cloud, project));
}

function accountNamed(work: Work): Account {
    const account = work.cloud.store.accounts.find(
        (a) => a.name === work.arguments.account && a.projectId === undefined,
    );
    if (account === undefined)
        throw invalid(`Account name=${work.arguments.account} can't be added to the project: it does not exist`);
    return account;
}

const submit = (request: Request) => ({ queue: projectOf(request).id });

export const projectCommands: Commands = {
    listProjects: { entity: "project", run: listProjects },
    addAccountToProject: {
        java: "user.account.AddAccountToProjectCmd",
        event: "PROJECT.ACCOUNT.ADD",
        submit,
        finish(work) {
            const project = projectOf(work);
            const account = accountNamed(work);
            if (!project.memberIds.includes(account.id))
                work.cloud.store.projects.change(project.id, { memberIds: [...project.memberIds, account.id] });
            return { success: true };
        },
    },
    deleteAccountFromProject: {
        java: "user.account.DeleteAccountFromProjectCmd",
        event: "PROJECT.ACCOUNT.REMOVE",
        submit,
        finish(work) {
            const project = projectOf(work);
            const account = accountNamed(work);
            if (!project.memberIds.includes(account.id))
                throw invalid(`Account name=${account.name} is not assigned to the project id=${project.id}`);
            work.cloud.store.projects.change(project.id, {
                memberIds: project.memberIds.filter((id) => id !== account.id),
            });
            return { success: true };
        },
    },
};
