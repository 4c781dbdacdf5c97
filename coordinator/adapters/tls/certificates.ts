import { X509Certificate } from "node:crypto";
import { BitString, Integer, OctetString, Utf8String } from "asn1js";
import ipaddr from "ipaddr.js";
import {
  AttributeTypeAndValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  Extension,
  ExtKeyUsage,
  GeneralName,
  GeneralNames,
  GeneralSubtree,
  id_AuthorityKeyIdentifier,
  id_BasicConstraints,
  id_ExtKeyUsage,
  id_KeyUsage,
  id_NameConstraints,
  id_SubjectAltName,
  id_SubjectKeyIdentifier,
  NameConstraints,
  type RelativeDistinguishedNames,
  Time,
  TimeType,
} from "pkijs";
import { assert } from "#shared/kernel/assert.ts";
import type { RandomBytes } from "#shared/kernel/ports.ts";
import { isAddress, type Permitted } from "./names.ts";

/*
 * X.509 certificates of a private authority: ECDSA on P-256, extensions as RFC 5280 asks for them. DER, signatures and
 * key identifiers are the library's.
 */

const KEY: EcKeyGenParams = { name: "ECDSA", namedCurve: "P-256" };
const HASH = "SHA-256";
const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const COMMON_NAME = "2.5.4.3";
/** Types of a GeneralName. Source: RFC 5280 section 4.2.1.6. */
const DNS_NAME = 2;
const IP_ADDRESS = 7;
/** Bits of keyUsage from the left: digitalSignature is 0, keyCertSign 5, cRLSign 6. */
const SIGNS_DATA = { bits: 0x80, unused: 7 };
const SIGNS_CERTIFICATES = { bits: 0x06, unused: 1 };

/** A certificate with its private key, both PEM. */
export interface KeyedCertificate {
  readonly certificate: string;
  readonly privateKey: string;
}

export interface Validity {
  readonly from: Date;
  readonly until: Date;
}

/** Makes an authority that may sign certificates of servers with the permitted names, and nothing else. */
export async function makeAuthority(
  commonName: string,
  permitted: Permitted,
  validity: Validity,
  random: RandomBytes,
): Promise<KeyedCertificate> {
  const keys = await makeKeys();
  const certificate = await draft(commonName, keys, validity, random);
  certificate.issuer.typesAndValues.push(nameAttribute(commonName));
  certificate.extensions?.push(
    extension(id_BasicConstraints, true, new BasicConstraints({ cA: true, pathLenConstraint: 0 })),
    keyUsage(SIGNS_CERTIFICATES),
    extension(id_NameConstraints, true, new NameConstraints({ permittedSubtrees: subtreesOf(permitted) })),
  );
  await certificate.sign(keys.privateKey, HASH);
  return toPem(certificate, keys);
}

/** Makes the certificate of a server with these names, signed by the authority. */
export async function issueCertificate(
  authority: KeyedCertificate,
  names: readonly string[],
  validity: Validity,
  random: RandomBytes,
): Promise<KeyedCertificate> {
  const [keys, signingKey] = await Promise.all([makeKeys(), readPrivateKey(authority.privateKey)]);
  const issuer = readCertificate(authority.certificate);
  const certificate = await draft("Chorus coordinator", keys, validity, random);
  certificate.issuer = issuer.subject as RelativeDistinguishedNames;
  const keyIdentifier = new OctetString({ valueHex: await issuer.getKeyHash("SHA-1") });
  certificate.extensions?.push(
    extension(id_AuthorityKeyIdentifier, false, new AuthorityKeyIdentifier({ keyIdentifier })),
    extension(id_BasicConstraints, true, new BasicConstraints({ cA: false })),
    keyUsage(SIGNS_DATA),
    extension(id_ExtKeyUsage, false, new ExtKeyUsage({ keyPurposes: [SERVER_AUTH] })),
    extension(id_SubjectAltName, false, new GeneralNames({ names: names.map(generalName) })),
  );
  await certificate.sign(signingKey, HASH);
  return toPem(certificate, keys);
}

/** What an authority's certificate permits. */
export function permittedBy(authority: string): Permitted {
  const constraints = readCertificate(authority).extensions?.find(
    ({ extnID }) => extnID === id_NameConstraints,
  );
  const parsed = constraints?.parsedValue;
  const bases = (parsed instanceof NameConstraints ? (parsed.permittedSubtrees ?? []) : []).map(
    ({ base }) => base,
  );
  return {
    domains: bases.filter(({ type }) => type === DNS_NAME).map(({ value }) => String(value)),
    networks: bases
      .filter(({ type }) => type === IP_ADDRESS)
      .map(({ value }) => networkOf(new Uint8Array((value as OctetString).valueBlock.valueHexView))),
  };
}

async function draft(
  commonName: string,
  keys: CryptoKeyPair,
  { from, until }: Validity,
  random: RandomBytes,
): Promise<Certificate> {
  const certificate = new Certificate();
  certificate.version = 2;
  certificate.serialNumber = new Integer({ valueHex: serialNumber(random) });
  certificate.subject.typesAndValues.push(nameAttribute(commonName));
  certificate.notBefore = timeOf(from);
  certificate.notAfter = timeOf(until);
  await certificate.subjectPublicKeyInfo.importKey(keys.publicKey);
  const keyIdentifier = new OctetString({ valueHex: await certificate.getKeyHash("SHA-1") });
  certificate.extensions = [extension(id_SubjectKeyIdentifier, false, keyIdentifier)];
  return certificate;
}

/** 127 random bits, positive and in the shortest form. */
function serialNumber(random: RandomBytes): ArrayBuffer {
  const bytes = random(16);
  bytes[0] = ((bytes[0] as number) & 0x3f) | 0x40;
  return bytes.buffer;
}

/** Years from 2050 need the other type. Source: RFC 5280 section 4.1.2.5. */
function timeOf(value: Date): Time {
  return new Time({
    type: value.getUTCFullYear() < 2050 ? TimeType.UTCTime : TimeType.GeneralizedTime,
    value,
  });
}

function nameAttribute(commonName: string): AttributeTypeAndValue {
  return new AttributeTypeAndValue({ type: COMMON_NAME, value: new Utf8String({ value: commonName }) });
}

interface Encodable {
  toBER?(): ArrayBuffer;
  toSchema?(): { toBER(): ArrayBuffer };
}

function extension(extnID: string, critical: boolean, value: Encodable): Extension {
  const extnValue = value.toSchema?.().toBER() ?? value.toBER?.();
  assert(extnValue !== undefined, "an extension's value can be encoded");
  return new Extension({ extnID, critical, extnValue });
}

function keyUsage({ bits, unused }: typeof SIGNS_DATA): Extension {
  const value = new BitString({ valueHex: new Uint8Array([bits]).buffer, unusedBits: unused });
  return extension(id_KeyUsage, true, value);
}

function generalName(name: string): GeneralName {
  if (!isAddress(name)) return new GeneralName({ type: DNS_NAME, value: name });
  return ipName(ipaddr.parse(name).toByteArray());
}

function ipName(bytes: readonly number[]): GeneralName {
  return new GeneralName({
    type: IP_ADDRESS,
    value: new OctetString({ valueHex: new Uint8Array(bytes).buffer }),
  });
}

function subtreesOf({ domains, networks }: Permitted): GeneralSubtree[] {
  const bases = [
    ...domains.map((name) => new GeneralName({ type: DNS_NAME, value: name })),
    ...networks.map((network) => {
      const [address, bitCount] = ipaddr.parseCIDR(network);
      const kind = address.kind() === "ipv4" ? ipaddr.IPv4 : ipaddr.IPv6;
      return ipName([...address.toByteArray(), ...kind.subnetMaskFromPrefixLength(bitCount).toByteArray()]);
    }),
  ];
  return bases.map((base) => new GeneralSubtree({ base }));
}

/** Address and mask, half each, in CIDR notation. */
function networkOf(bytes: Uint8Array): string {
  const half = bytes.length / 2;
  const [address, mask] = [bytes.slice(0, half), bytes.slice(half)].map((part) =>
    ipaddr.fromByteArray([...part]),
  ) as [ipaddr.IPv4, ipaddr.IPv4];
  return `${address.toString()}/${mask.prefixLengthFromSubnetMask()}`;
}

function makeKeys(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(KEY, true, ["sign", "verify"]);
}

function readCertificate(pem: string): Certificate {
  return Certificate.fromBER(new Uint8Array(new X509Certificate(pem).raw));
}

function readPrivateKey(pem: string): Promise<CryptoKey> {
  const der = Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ""), "base64");
  return crypto.subtle.importKey("pkcs8", der, KEY, false, ["sign"]);
}

async function toPem(certificate: Certificate, { privateKey }: CryptoKeyPair): Promise<KeyedCertificate> {
  const der = Buffer.from(certificate.toSchema(true).toBER());
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey("pkcs8", privateKey));
  return { certificate: pemOf("CERTIFICATE", der), privateKey: pemOf("PRIVATE KEY", pkcs8) };
}

/** Source: RFC 7468. */
function pemOf(label: string, der: Buffer): string {
  const lines = der.toString("base64").replaceAll(/.{64}(?=.)/g, "$&\n");
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}
