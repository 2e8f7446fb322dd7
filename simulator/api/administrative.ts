/**
 * Commands of CloudStack that the role User may not call and that this cloud does not implement. They are refused as
 * "not available", whereas a command that does not exist is refused with 401, as by a real management server.
 */
const NAMES = `
    addBaremetalDhcp addBaremetalHost addCluster addGuestOs addGuestOsMapping addHost addImageStore
    addLdapConfiguration addNetworkDevice addNetworkServiceProvider addObjectStoragePool addRegion
    addResourceDetail addSecondaryStorage addSwift addTrafficMonitor addTrafficType addVmwareDc archiveAlerts
    assignVirtualMachine assignVolume cancelHostMaintenance cancelStorageMaintenance changeBgpPeersForVpc
    changeOutOfBandManagementPassword cleanVMReservations configureHAForHost configureOutOfBandManagement
    configureVirtualRouterElement createAccount createDiskOffering createDomain createManagementNetworkIpRange
    createNetworkOffering createPhysicalNetwork createPod createPortableIpRange createRole createRolePermission
    createSecondaryStagingStore createServiceInstance createServiceOffering createStorageNetworkIpRange
    createStoragePool createUser createVirtualRouterElement createVlanIpRange createVPCOffering createZone
    dedicateCluster dedicateGuestVlanRange dedicateHost dedicatePod dedicatePublicIpRange dedicateZone
    deleteAccount deleteAlerts deleteCluster deleteDiskOffering deleteDomain deleteHost deleteImageStore
    deleteLdapConfiguration deleteManagementNetworkIpRange deleteNetworkOffering deleteNetworkServiceProvider
    deleteObjectStoragePool deletePhysicalNetwork deletePod deleteRole deleteRolePermission
    deleteServiceOffering deleteStorageNetworkIpRange deleteStoragePool deleteTrafficType deleteUser
    deleteVlanIpRange deleteVPCOffering deleteZone destroyRouter destroySystemVm disableAccount disableUser
    enableAccount enableStorageMaintenance enableUser findHostsForMigration findStoragePoolsForMigration
    getCustomDomains getDiagnosticsData getPathForVolume getUser importRole
    importUnmanagedInstance importVm importVolume issueCertificate ldapCreateAccount linkDomainToLdap listAlerts
    listBgpPeers listCapacity listClusters listClustersMetrics listConfigurations listDedicatedHosts
    listDeploymentPlanners listDomainChildren listDomains listGuestOsMapping listHosts listHostsMetrics
    listHostTags listImageStores listInfrastructure listInternalLoadBalancerElements listLdapConfigurations
    listManagementServers listNetworkServiceProviders listPhysicalNetworks listPods listRolePermissions
    listRoles listRouters listSecondaryStagingStores listStorageNetworkIpRange listStoragePools
    listStorageProviders listStorageTags listSupportedNetworkServices listSystemVms listTrafficTypes
    listUnmanagedInstances listUsageRecords listUsageTypes listVirtualRouterElements listVlanIpRanges
    listVmwareDcs lockAccount lockUser markDefaultZoneForAccount migrateSystemVm migrateVirtualMachine
    migrateVirtualMachineWithVolume migrateVolume moveUser patchSystemVm prepareHostForMaintenance
    prepareTemplate provisionCertificate quotaBalance quotaCredits quotaStatement quotaTariffCreate quotaUpdate
    rebootRouter rebootSystemVm reconnectHost recoverVm releaseDedicatedHost releaseHostReservation
    releasePublicIpRange resetUserDataForVirtualMachine revokeCertificate scaleSystemVm startRouter
    startSystemVm stopRouter stopSystemVm updateAccount updateCloudToUseObjectStore updateCluster
    updateConfiguration updateDiskOffering updateDomain updateHost updateHostPassword updateImageStore
    updateNetworkOffering updateNetworkServiceProvider updatePhysicalNetwork updatePod updateResourceCount
    updateRole updateRolePermission updateSecurityGroup updateServiceOffering updateStorageNetworkIpRange
    updateStoragePool updateTrafficType updateVlanIpRange updateVolume updateVPCOffering updateZone
    upgradeRouterTemplate`;

const ADMINISTRATIVE: ReadonlySet<string> = new Set(NAMES.split(/\s+/).filter((name) => name !== ""));

export function isAdministrative(command: string): boolean {
    return ADMINISTRATIVE.has(command);
}
