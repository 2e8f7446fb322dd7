/** Accounts, users, limits, capabilities, and the list of commands. */
import { timestamp, type Cloud } from "../../cloud";
import type { Account, User } from "../../state/records";
import type { Commands, Request } from "../command";
import { DEFINITIONS, describe } from "../definitions";
import { DOMAIN } from "../entities";
import { denied, invalid } from "../errors";
import { limitOf, RESOURCE_TYPES, usageOf, type ResourceType } from "../limits";
import { contains, matches, equalsName, page } from "../lists";
import { accountFields, describeAccount, ownerOf } from "../ownership";

const ROLES = {
    user: { roleid: "5d0a6a54-52d5-11ef-9b1e-0242ac110002", roletype: "User", rolename: "User" },
    admin: { roleid: "5d0a5b7c-52d5-11ef-9b1e-0242ac110002", roletype: "Admin", rolename: "Root Admin" },
} as const;

const roleOf = (account: Account) => (account.type === 1 ? ROLES.admin : ROLES.user);

/** The resource types by their names in the fields of an account, in CloudStack's order. */
const RESOURCE_FIELDS: readonly (readonly [field: string, type: ResourceType])[] = [
    ["vm", "user_vm"],
    ["ip", "public_ip"],
    ["volume", "volume"],
    ["snapshot", "snapshot"],
    ["backup", "backup"],
    ["backupstorage", "backup_storage"],
    ["template", "template"],
    ["project", "project"],
    ["network", "network"],
    ["vpc", "vpc"],
    ["cpu", "cpu"],
    ["memory", "memory"],
    ["gpu", "gpu"],
    ["primarystorage", "primary_storage"],
    ["secondarystorage", "secondary_storage"],
    ["bucket", "bucket"],
    ["objectstorage", "object_storage"],
];

/** Limit, usage and remainder of every resource type. */
export function resourceCounts(cloud: Cloud, account: Account): object {
    const usage = usageOf(cloud, account);
    const fields: Record<string, string | number> = {};
    for (const [field, type] of RESOURCE_FIELDS) {
        const limit =
            account.type === 1
                ? -1
                : limitOf(
                      account,
                      RESOURCE_TYPES.findIndex(([name]) => name === type),
                  );
        const total = usage[type] ?? 0;
        fields[`${field}limit`] = limit === -1 ? "Unlimited" : String(limit);
        fields[`${field}total`] = total;
        fields[`${field}available`] = limit === -1 ? "Unlimited" : String(limit - total);
    }
    const machines = cloud.store.machines.filter((m) => m.ownerId === account.id && m.removed === undefined);
    return {
        ...fields,
        vmstopped: machines.filter((m) => m.state === "Stopped").length,
        vmrunning: machines.filter((m) => m.state === "Running").length,
    };
}

function userAnswer(cloud: Cloud, user: User): object {
    const account = cloud.store.accounts.need(user.accountId);
    return {
        id: user.id,
        username: user.name,
        firstname: user.name,
        lastname: user.name,
        email: `${user.name}@example.org`,
        created: timestamp(user.created),
        state: "enabled",
        account: account.name,
        accounttype: account.type,
        usersource: "native",
        ...roleOf(account),
        domainid: DOMAIN.id,
        domain: DOMAIN.name,
        apikey: user.apiKey,
        accountid: account.id,
        iscallerchilddomain: false,
        isdefault: account.type === 1,
        is2faenabled: false,
        is2famandated: false,
    };
}

function accountAnswer(cloud: Cloud, account: Account): object {
    return {
        id: account.id,
        name: account.name,
        accounttype: account.type,
        ...roleOf(account),
        domainid: DOMAIN.id,
        domain: DOMAIN.name,
        domainpath: DOMAIN.name,
        ...resourceCounts(cloud, account),
        state: "enabled",
        created: timestamp(account.created),
        user: cloud.store.users.filter((u) => u.accountId === account.id).map((u) => userAnswer(cloud, u)),
        isdefault: account.type === 1,
        groups: [],
    };
}

/** Administrators see all accounts with `listall` or a filter, others only their own. */
function seesAccount(request: Request, accountId: string): boolean {
    const { caller, arguments: given } = request;
    return (
        accountId === caller.account.id ||
        (caller.isAdmin &&
            (given.listall === true ||
                given.id !== undefined ||
                given.name !== undefined ||
                given.account !== undefined))
    );
}

function listAccounts(request: Request): object {
    const { cloud } = request;
    const { id, name, keyword, accounttype } = request.arguments;
    const accounts = cloud.store.accounts.filter(
        (a) =>
            a.projectId === undefined &&
            seesAccount(request, a.id) &&
            matches(a.id, id) &&
            equalsName(a.name, name) &&
            contains(a.name, keyword) &&
            matches(a.type as number, accounttype),
    );
    return page(request, "account", accounts, (account) => accountAnswer(cloud, account));
}

function listUsers(request: Request): object {
    const { cloud } = request;
    const { id, username, account, keyword } = request.arguments;
    const users = cloud.store.users.filter(
        (u) =>
            seesAccount(request, u.accountId) &&
            matches(u.id, id) &&
            equalsName(u.name, username) &&
            contains(u.name, keyword) &&
            equalsName(cloud.store.accounts.need(u.accountId).name, account),
    );
    return page(request, "user", users, (user) => userAnswer(cloud, user));
}

function limitAnswer(cloud: Cloud, account: Account, type: number): object {
    return {
        ...accountFields({ cloud }, account.id),
        domainid: DOMAIN.id,
        domain: DOMAIN.name,
        domainpath: DOMAIN.name,
        resourcetype: String(type),
        resourcetypename: RESOURCE_TYPES[type][0],
        max: account.type === 1 ? -1 : limitOf(account, type),
    };
}

function listResourceLimits(request: Request): object {
    const { resourcetype, resourcetypename } = request.arguments;
    const owner = ownerOf(request);
    const types = RESOURCE_TYPES.map((_, type) => type).filter(
        (type) => matches(type, resourcetype) && equalsName(RESOURCE_TYPES[type][0], resourcetypename),
    );
    return page(request, "resourcelimit", types, (type) => limitAnswer(request.cloud, owner, type));
}

function updateResourceLimit(request: Request): object {
    const { resourcetype: type, max } = request.arguments;
    if (RESOURCE_TYPES[type] === undefined)
        throw invalid(`Please specify a valid resource type: 0 to ${RESOURCE_TYPES.length - 1}`);
    if (request.arguments.account === undefined && request.arguments.projectid === undefined)
        throw invalid("This cloud has limits of accounts and projects only: account or projectid is missing");
    const owner = ownerOf(request);
    if (owner.type === 1) throw denied(`${describeAccount(owner)} is a root administrator and has no limits`);
    const changed = request.cloud.store.accounts.change(owner.id, { limits: { ...owner.limits, [type]: max ?? -1 } });
    return { resourcelimit: limitAnswer(request.cloud, changed, type) };
}

function listCapabilities(request: Request): object {
    const allowed = request.caller.isAdmin || request.caller.account.mayExpunge;
    return {
        capability: {
            securitygroupsenabled: true,
            dynamicrolesenabled: true,
            cloudstackversion: "4.22.0.0",
            userpublictemplateenabled: true,
            supportELB: "false",
            projectinviterequired: false,
            allowusercreateprojects: true,
            customdiskofferingminsize: 1,
            customdiskofferingmaxsize: 1024,
            regionsecondaryenabled: false,
            kvmsnapshotenabled: true,
            allowuserviewdestroyedvm: request.caller.isAdmin,
            allowuserexpungerecovervm: allowed,
            allowuserexpungerecovervolume: true,
            allowuserviewalldomainaccounts: false,
            allowuserforcestopvm: true,
            kubernetesserviceenabled: false,
            kubernetesclusterexperimentalfeaturesenabled: false,
            customhypervisordisplayname: "Custom",
            defaultuipagesize: 20,
            instancesstatsretentiontime: 720,
            instancesstatsuseronly: false,
            instancesdisksstatsretentionenabled: false,
            instancesdisksstatsretentiontime: 720,
            sharedfsvmmincpucount: 2,
            sharedfsvmminramsize: 1024,
            instanceleaseenabled: false,
            dynamicscalingenabled: false,
            additionalconfigenabled: false,
        },
    };
}

function listApis(request: Request): object {
    const { name } = request.arguments;
    const commands = [...DEFINITIONS.values()].filter(
        (c) => (request.caller.isAdmin || !c.adminOnly) && matches(c.name, name),
    );
    if (name !== undefined && commands.length === 0) throw invalid(`API name not found: ${name}`);
    // listApis has no pages, since clients that discover the API from it need the whole list.
    return { count: commands.length, api: commands.map(describe) };
}

export const accountCommands: Commands = {
    listAccounts: { entity: "account", run: listAccounts },
    listUsers: { entity: "user", run: listUsers },
    listResourceLimits: { run: listResourceLimits },
    updateResourceLimit: { run: updateResourceLimit },
    listCapabilities: { run: listCapabilities },
    listApis: { run: listApis },
};
