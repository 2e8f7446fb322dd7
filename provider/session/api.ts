/** The parts of API responses that this package reads. Field names are CloudStack's. */

export interface ApiZone {
    id: string;
    name: string;
    networktype: string;
    securitygroupsenabled: boolean;
}

export interface ApiOffering {
    id: string;
    name: string;
    iscustomized?: boolean;
    cpunumber?: number;
    cpuspeed?: number;
    memory?: number;
    disksize?: number;
    /** Bounds of a constrained offering: `mincpunumber`, `maxcpunumber`, `minmemory`, `maxmemory`. */
    serviceofferingdetails?: Record<string, string>;
}

export interface ApiTemplate {
    id: string;
    name: string;
    displaytext?: string;
    created: string;
    isready: boolean;
    passwordenabled?: boolean;
    zoneid?: string;
    zonename?: string;
    hypervisor?: string;
    ostypename?: string;
    arch?: string;
    size?: number;
    isfeatured?: boolean;
    tags?: { key: string; value: string }[];
    account?: string;
}

export interface ApiNetwork {
    id: string;
    name: string;
    displaytext?: string;
    type: string;
    zoneid: string;
    zonename: string;
    networkofferingid: string;
    networkofferingname: string;
    cidr?: string;
    gateway?: string;
    netmask?: string;
    networkdomain?: string;
    dns1?: string;
    dns2?: string;
    state: string;
    ispersistent?: boolean;
    egressdefaultpolicy?: boolean;
    vpcid?: string;
    service?: { name: string }[];
    tags?: { key: string; value: string }[];
}

export interface ApiNetworkOffering {
    id: string;
    name: string;
    guestiptype: string;
    forvpc?: boolean;
    ispersistent?: boolean;
    /** Whether a network of the offering needs a VLAN, which only administrators may give. */
    specifyvlan?: boolean;
    service?: { name: string }[];
}

/** A public address. Its id stays the same if it is released and allocated again, also to another account. */
export interface ApiPublicAddress {
    id: string;
    ipaddress: string;
    /** When it was allocated. */
    allocated?: string;
    zoneid: string;
    zonename: string;
    state: string;
    issourcenat: boolean;
    isstaticnat: boolean;
    associatednetworkid?: string;
    associatednetworkname?: string;
    vpcid?: string;
    virtualmachineid?: string;
    vmipaddress?: string;
    tags?: { key: string; value: string }[];
}

export interface ApiFirewallRule {
    id: string;
    protocol: string;
    startport?: number;
    endport?: number;
    icmptype?: number;
    icmpcode?: number;
    ipaddressid?: string;
    networkid: string;
    /** Sources, separated by commas. */
    cidrlist?: string;
    /** Destinations of egress rules, separated by commas. */
    destcidrlist?: string;
}

/** Ports are texts here, and numbers in firewall rules. */
export interface ApiPortForwardingRule {
    id: string;
    protocol: string;
    publicport: string;
    publicendport?: string;
    privateport: string;
    privateendport?: string;
    ipaddressid: string;
    virtualmachineid?: string;
    /** Sources, separated by commas. */
    cidrlist?: string;
}

export interface ApiAccount {
    id: string;
    name: string;
    accounttype: number;
    roletype?: string;
    /** Limits by resource type: `vmlimit`, `vmtotal`, `vmavailable` ("Unlimited" without a limit), … */
    [limit: string]: string | number | undefined;
}

export interface ApiProject {
    id: string;
    name: string;
    /** The name of the project's own account. Rules refer to it if their source is a group of the project. */
    projectaccountname?: string;
}

export interface ApiNic {
    id: string;
    networkid: string;
    networkname: string;
    /** The type of its network: `Shared`, `Isolated` or `L2`. */
    type?: string;
    ipaddress?: string;
    macaddress?: string;
    isdefault: boolean;
    gateway?: string;
    netmask?: string;
}

export interface ApiMachine {
    id: string;
    name: string;
    displayname?: string;
    state: string;
    group?: string;
    zoneid: string;
    zonename: string;
    templateid: string;
    templatename: string;
    /** Whether CloudStack generates a password for each machine of the template. */
    passwordenabled?: boolean;
    serviceofferingid: string;
    serviceofferingname: string;
    cpunumber?: number;
    memory?: number;
    created?: string;
    keypairs?: string;
    deleteprotection?: boolean;
    details?: Record<string, string>;
    /** Names of details that the tenant cannot change, separated by commas. */
    readonlydetails?: string;
    nic?: ApiNic[];
    securitygroup?: { id: string; name: string }[];
    affinitygroup?: { id: string; name: string }[];
    tags?: { key: string; value: string }[];
    userdata?: string;
    password?: string;
}

export interface ApiRule {
    ruleid: string;
    protocol: string;
    startport?: number;
    endport?: number;
    icmptype?: number;
    icmpcode?: number;
    cidr?: string;
    securitygroupname?: string;
    account?: string;
}

export interface ApiSecurityGroup {
    id: string;
    name: string;
    description?: string;
    ingressrule?: ApiRule[];
    egressrule?: ApiRule[];
    tags?: { key: string; value: string }[];
    virtualmachineids?: string[];
}

export interface ApiVolume {
    id: string;
    name: string;
    type: string;
    state: string;
    size: number;
    zoneid: string;
    zonename: string;
    virtualmachineid?: string;
    deviceid?: number;
    diskofferingid?: string;
    diskofferingname?: string;
    tags?: { key: string; value: string }[];
    deleteprotection?: boolean;
}

export interface ApiKeyPair {
    id: string;
    name: string;
    fingerprint: string;
    privatekey?: string;
}

export interface ApiAffinityGroup {
    id: string;
    name: string;
    description?: string;
    type: string;
}
