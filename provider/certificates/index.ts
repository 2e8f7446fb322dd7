export { Certificate, type CertificateArgs } from "./certificate";
export { CertificateAuthority, type CertificateAuthorityArgs } from "./certificateAuthority";
export { ClusterToken, type ClusterTokenArgs } from "./clusterToken";
export { RandomSecret, type RandomSecretArgs } from "./randomSecret";
export { SigningKeyPair, type SigningKeyPairArgs } from "./signingKeyPair";
