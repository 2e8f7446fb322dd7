/** Apache CloudStack for Pulumi: resources, lookups, and components that assemble clusters. */
export * from "./provider";
export * from "./components/certificates";
