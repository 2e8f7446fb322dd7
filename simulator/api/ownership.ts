/** Which account owns the resources of a request, and which resources a caller may list and change. */
import type { Account, Project } from "../state/records";
import { denied, invalid } from "./errors";
import { DOMAIN } from "./entities";
import type { Request } from "./command";

function memberships(request: Request): Project[] {
    return request.cloud.store.projects.filter((project) => project.memberIds.includes(request.caller.account.id));
}

function projectOf(request: Request, id: string): Project {
    const project = request.cloud.store.projects.need(id);
    if (!request.caller.isAdmin && !project.memberIds.includes(request.caller.account.id)) {
        throw denied(`Account ${describeAccount(request.caller.account)} is unauthorized to view project id=${id}`);
    }
    return project;
}

export function describeAccount(account: Account): string {
    return `Account [${JSON.stringify({ accountName: account.name, id: account.number, uuid: account.id })}]`;
}

function accountNamed(request: Request, name: string): Account {
    const account = request.cloud.store.accounts.find((a) => a.name === name && a.projectId === undefined);
    if (account === undefined) throw invalid(`Unable to find account ${name} in domain ${DOMAIN.id}`);
    if (!request.caller.isAdmin && account.id !== request.caller.account.id) {
        throw denied(
            `${describeAccount(request.caller.account)} does not have permission to operate with resource ` +
                `${describeAccount(account)}`,
        );
    }
    return account;
}

/** The account that owns what the request creates: the project's, the named one, or the caller's own. */
export function ownerOf(request: Request): Account {
    const { projectid, account } = request.arguments;
    if (projectid === "-1") throw invalid("Unable to find project by id -1");
    if (projectid !== undefined) return request.cloud.store.accounts.need(projectOf(request, projectid).ownerId);
    return account === undefined ? request.caller.account : accountNamed(request, account);
}

/** A predicate on owners: whether their resources belong in the requested list. */
export function scopeOf(request: Request): (ownerId: string) => boolean {
    const { projectid, account, listall, id, ids } = request.arguments;
    const { caller, cloud } = request;
    if (projectid === "-1") {
        const owners = new Set([caller.account.id, ...memberships(request).map((project) => project.ownerId)]);
        return (ownerId) => caller.isAdmin || owners.has(ownerId);
    }
    if (projectid !== undefined || account !== undefined) {
        const owner = ownerOf(request);
        return (ownerId) => ownerId === owner.id;
    }
    if (caller.isAdmin && (listall === true || id !== undefined || ids !== undefined)) {
        return (ownerId) => id !== undefined || cloud.store.accounts.need(ownerId).projectId === undefined;
    }
    const reachable = new Set([
        caller.account.id,
        ...(id === undefined ? [] : memberships(request).map((project) => project.ownerId)),
    ]);
    return (ownerId) => reachable.has(ownerId);
}

/**
 * Checks that the caller may change resources of `ownerId`.
 *
 * @throws ApiError 531
 */
export function checkAccess(request: Request, ownerId: string): void {
    const { caller, cloud } = request;
    if (caller.isAdmin || caller.account.id === ownerId) return;
    const owner = cloud.store.accounts.need(ownerId);
    if (
        owner.projectId !== undefined &&
        cloud.store.projects.need(owner.projectId).memberIds.includes(caller.account.id)
    )
        return;
    throw denied(
        `${describeAccount(caller.account)} does not have permission to operate with resource of ` +
            `${describeAccount(owner)}`,
    );
}

/** The owner's fields in answers: account or project, and domain. */
export function ownerFields(request: Pick<Request, "cloud">, ownerId: string): Record<string, string> {
    return { ...accountFields(request, ownerId), domainid: DOMAIN.id, domain: DOMAIN.name, domainpath: DOMAIN.name };
}

/** The account, or for a project's account the project instead. */
export function accountFields(request: Pick<Request, "cloud">, ownerId: string): Record<string, string> {
    const owner = request.cloud.store.accounts.need(ownerId);
    if (owner.projectId === undefined) return { account: owner.name };
    const project = request.cloud.store.projects.need(owner.projectId);
    return { projectid: project.id, project: project.name };
}
