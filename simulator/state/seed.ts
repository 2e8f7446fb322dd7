/**
 * A new cloud: its zones, offerings, templates, networks and accounts. Keys and ids are random.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { rangeOf } from "./addresses";
import type { Account, NetworkOffering } from "./records";
import type { Store } from "./store";

export const ACCOUNTS = { user: "user", expunger: "expunger", admin: "admin" } as const;

export type AccountName = keyof typeof ACCOUNTS;

/** Name of the project whose members are the two users. */
export const PROJECT = "sandbox";

const key = () => randomBytes(64).toString("base64url");

function addAccount(store: Store, now: number, name: string, type: Account["type"], mayExpunge: boolean): Account {
    const account = store.accounts.insert({
        id: randomUUID(),
        number: store.next("account"),
        name,
        type,
        created: now,
        mayExpunge,
        limits: {},
    });
    store.users.insert({
        id: randomUUID(),
        name,
        accountId: account.id,
        apiKey: key(),
        secretKey: key(),
        created: now,
    });
    return account;
}

/**
 * The administrator, a user, a user who may expunge, and a project of both; every account has its default security
 * group.
 */
function addAccounts(store: Store, now: number): void {
    const admin = addAccount(store, now, ACCOUNTS.admin, 1, true);
    const members = [
        addAccount(store, now, ACCOUNTS.user, 0, false),
        addAccount(store, now, ACCOUNTS.expunger, 0, true),
    ];
    const projectId = randomUUID();
    const projectAccount = store.accounts.insert({
        id: randomUUID(),
        number: store.next("account"),
        // CloudStack's name for it, with the number of the project's domain.
        name: `PrjAcct-${PROJECT}-1`,
        type: 5,
        created: now,
        mayExpunge: false,
        projectId,
        limits: {},
    });
    store.projects.insert({
        id: projectId,
        name: PROJECT,
        displayText: "A project to try projects with",
        ownerId: projectAccount.id,
        memberIds: members.map((member) => member.id),
        created: now,
    });
    for (const owner of [admin, ...members, projectAccount]) {
        store.securityGroups.insert({
            id: randomUUID(),
            name: "default",
            description: "Default Security Group",
            ownerId: owner.id,
        });
    }
}

function addOfferings(store: Store, now: number): void {
    const sizes = [
        ["Small Instance", 1, 500, 512],
        ["Medium Instance", 1, 1000, 1024],
        ["Large Instance", 2, 1000, 2048],
        ["XLarge Instance", 4, 1000, 4096],
    ] as const;
    for (const [name, cpuNumber, cpuSpeed, memory] of sizes) {
        store.serviceOfferings.insert({
            id: randomUUID(),
            number: store.next("serviceOffering"),
            name,
            created: now,
            diskOfferingId: randomUUID(),
            cpuNumber,
            cpuSpeed,
            memory,
        });
    }
    store.serviceOfferings.insert({
        id: randomUUID(),
        number: store.next("serviceOffering"),
        name: "Custom Constrained",
        created: now,
        diskOfferingId: randomUUID(),
        cpuSpeed: 1000,
        bounds: { minCpu: 1, maxCpu: 8, minMemory: 512, maxMemory: 16_384 },
    });
    // An unconstrained one is only limited by the range of a Java integer.
    store.serviceOfferings.insert({
        id: randomUUID(),
        number: store.next("serviceOffering"),
        name: "Custom",
        created: now,
        diskOfferingId: randomUUID(),
        bounds: { minCpu: 1, maxCpu: 2 ** 31 - 1, minMemory: 32, maxMemory: 2 ** 31 - 1 },
    });
    const disks = [
        ["Small", "Small Disk, 5 GB", 5],
        ["Medium", "Medium Disk, 20 GB", 20],
        ["Large", "Large Disk, 100 GB", 100],
        ["Custom", "Custom Disk", 0],
    ] as const;
    for (const [name, displayText, sizeGiB] of disks)
        store.diskOfferings.insert({ id: randomUUID(), name, displayText, created: now, sizeGiB });
}

const CATEGORIES = [
    "Ubuntu",
    "Debian",
    "Fedora",
    "CentOS",
    "Rocky Linux",
    "AlmaLinux",
    "Oracle",
    "RedHat",
    "SUSE",
    "Windows",
    "Other",
];

const DAY = 86_400_000;

/** Two builds of one Debian, so that "the newest" means something; one with passwords; and a later Debian. */
function addTemplates(store: Store, now: number, zoneIds: string[]): void {
    for (const name of CATEGORIES) store.osCategories.insert({ id: randomUUID(), name });
    const debian = store.osCategories.find((category) => category.name === "Debian")!;
    const osType = store.osTypes.insert({
        id: randomUUID(),
        name: "Debian GNU/Linux 12 (64-bit)",
        categoryId: debian.id,
    });
    const osType13 = store.osTypes.insert({
        id: randomUUID(),
        name: "Debian GNU/Linux 13 (64-bit)",
        categoryId: debian.id,
    });
    const templates = [
        ["Debian 12", "Debian 12 (bookworm), first build", osType, 60, false],
        ["Debian 12", "Debian 12 (bookworm)", osType, 1, false],
        ["Debian 12 with password", "Debian 12 (bookworm) with the password script", osType, 1, true],
        ["Debian 13", "Debian 13 (trixie)", osType13, 1, false],
        ["Debian 13 with password", "Debian 13 (trixie) with the password script", osType13, 1, true],
    ] as const;
    for (const [name, displayText, { id: osTypeId }, age, passwordEnabled] of templates) {
        store.templates.insert({
            id: randomUUID(),
            name,
            displayText,
            zoneIds,
            osTypeId,
            created: now - age * DAY,
            sizeGiB: 2,
            passwordEnabled,
        });
    }
}

/** Offerings of networks that users create: CloudStack's own, and a persistent one as operators add it. */
const NETWORK_OFFERINGS: readonly Omit<NetworkOffering, "id" | "created">[] = [
    {
        name: "DefaultIsolatedNetworkOfferingWithSourceNatService",
        displayText: "Offering for Isolated networks with Source Nat service enabled",
        guestType: "Isolated",
    },
    {
        name: "PersistentIsolatedNetwork",
        displayText: "Isolated networks whose virtual router always runs, with egress allowed",
        guestType: "Isolated",
        persistent: true,
        egressAllowed: true,
    },
    { name: "DefaultL2NetworkOffering", displayText: "Offering for L2 networks", guestType: "L2" },
];

/**
 * Fills an empty store.
 *
 * @param cidr addresses of the shared network
 */
export function seed(store: Store, now: number, cidr: string): void {
    const range = rangeOf(cidr);
    store.transaction(() => {
        addAccounts(store, now);
        addOfferings(store, now);
        const zone = store.zones.insert({
            id: randomUUID(),
            name: "sandbox",
            securityGroups: true,
            token: randomUUID(),
        });
        const isolated = store.zones.insert({
            id: randomUUID(),
            name: "sandbox-isolated",
            securityGroups: false,
            token: randomUUID(),
        });
        addTemplates(store, now, [zone.id, isolated.id]);
        const shared = store.networkOfferings.insert({
            id: randomUUID(),
            name: "DefaultSharedNetworkOfferingWithSGService",
            displayText: "Offering for Shared Security group enabled networks",
            created: now,
            guestType: "Shared",
        });
        for (const offering of NETWORK_OFFERINGS)
            store.networkOfferings.insert({ id: randomUUID(), created: now, ...offering });
        store.networks.insert({
            id: randomUUID(),
            name: "shared",
            displayText: "Shared network with security groups",
            zoneId: zone.id,
            offeringId: shared.id,
            state: "Setup",
            cidr: range.cidr,
            gateway: range.gateway,
            start: range.start,
            end: range.end,
            domain: "cs1cloud.internal",
            vlan: 31,
            created: now,
        });
    });
}
