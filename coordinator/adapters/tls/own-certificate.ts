import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import type { RandomBytes, WallClock } from "#shared/kernel/ports.ts";
import { writeDurably } from "#shared/node/durable-files.ts";
import { isErrorCode } from "../system-errors.ts";
import { issueCertificate, makeAuthority, permittedBy } from "./certificates.ts";
import { isAddress, isPermitted, permittedFor } from "./names.ts";

/*
 * The certificate that `--tls` makes, and the authority that signs it. A phone trusts the authority once; the
 * certificate is renewed under it as names change and time passes.
 *
 * | file in `tls/`  | holds                                                        | mode |
 * | --------------- | ------------------------------------------------------------ | ---- |
 * | authority.pem   | private key and certificate of the authority                 | 0600 |
 * | server.pem      | private key and certificate of this coordinator              | 0600 |
 * | ca.crt          | the authority's certificate alone: what devices are to trust | 0644 |
 *
 * Does not protect devices that trust the authority from whoever can read authority.pem. That key can sign for names on
 * local networks only, because the certificate's name constraints permit no others.
 */

const FOLDER = "tls";
const AUTHORITY_FILE = "authority.pem";
const SERVER_FILE = "server.pem";
const TRUSTED_FILE = "ca.crt";

const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3_650;
/** Browsers accept at most 398 days. Source: CA/Browser Forum, Baseline Requirements section 6.3.2. */
const SERVER_DAYS = 397;
const RENEW_DAYS = 30;
/** A phone's clock may be slow. */
const BACKDATED_DAYS = 1;

export interface OwnCertificate {
  /** Both PEM. */
  readonly cert: string;
  readonly key: string;
  readonly authority: OwnAuthority;
}

/** What a person needs in order to trust the certificate. */
export interface OwnAuthority {
  /** PEM, public. */
  readonly certificate: string;
  /** File with the same, for NODE_EXTRA_CA_CERTS. */
  readonly path: string;
  /** SHA-256 of the certificate, as devices show it. */
  readonly fingerprint: string;
  /** True if devices have to trust it (again): it was made by this call. */
  readonly isNew: boolean;
}

export interface OwnCertificatePorts {
  readonly wall: WallClock;
  readonly random: RandomBytes;
}

/** File that devices trust, in a coordinator's data folder. */
export function trustedPath(dataDir: string): string {
  return join(dataDir, FOLDER, TRUSTED_FILE);
}

/** File with the server's certificate and its key, in a coordinator's data folder. */
export function serverPath(dataDir: string): string {
  return join(dataDir, FOLDER, SERVER_FILE);
}

/**
 * Reads the certificate in the data folder. Makes what is missing, expires within a month, or is for other names.
 *
 * @param needed  The name under which other devices reach this coordinator. If the authority may not sign for it, a new
 *   authority takes its place.
 * @param names   Further names. Those that the authority may not sign for are left out.
 * @throws Error that says what to do if the folder is damaged or cannot be written to. An authority that devices trust
 *   is never replaced because of that.
 */
export async function openOwnCertificate(
  { wall, random }: OwnCertificatePorts,
  dataDir: string,
  needed: string,
  names: readonly string[],
): Promise<OwnCertificate> {
  await mkdir(join(dataDir, FOLDER), { recursive: true, mode: 0o700 });
  const nowMs = wall.nowUnixMs();
  const { pair, isNew } = await authorityFor(dataDir, { nowMs, random, needed, names });
  const permitted = permittedBy(pair.certificate);
  const wanted = [...new Set([needed, ...names])].filter((name) => isPermitted(permitted, name)).sort();
  const server = await serverFor(dataDir, pair, { nowMs, random, names: wanted });
  const path = trustedPath(dataDir);
  if ((await readFile(path, "utf8").catch(() => "")) !== pair.certificate)
    await writeDurably(path, pair.certificate, 0o644);
  const { fingerprint256: fingerprint } = pair.parsed;
  const authority = { certificate: pair.certificate, path, fingerprint, isNew };
  return { cert: server.certificate, key: server.privateKey, authority };
}

interface Wanted {
  readonly nowMs: number;
  readonly random: RandomBytes;
  readonly names: readonly string[];
}

async function authorityFor(
  dataDir: string,
  { nowMs, random, needed, names }: Wanted & { readonly needed: string },
): Promise<{ readonly pair: Pair; readonly isNew: boolean }> {
  const path = join(dataDir, FOLDER, AUTHORITY_FILE);
  const kept = await readPair(path);
  if (kept !== null && !endsSoon(kept, nowMs) && isPermitted(permittedBy(kept.certificate), needed))
    return { pair: kept, isNew: false };
  const permitted = permittedFor([needed, ...names]);
  const made = await makeAuthority(authorityName(nowMs), permitted, validity(nowMs, AUTHORITY_DAYS), random);
  return { pair: await writePair(path, made), isNew: true };
}

async function serverFor(dataDir: string, authority: Pair, { nowMs, random, names }: Wanted): Promise<Pair> {
  const path = serverPath(dataDir);
  // Unlike the authority, nobody has to trust it anew.
  const kept = await readPair(path).catch(() => null);
  if (kept !== null && !endsSoon(kept, nowMs) && isFor(kept, authority, names)) return kept;
  return writePair(path, await issueCertificate(authority, names, serverValidity(nowMs, authority), random));
}

interface Pair {
  readonly privateKey: string;
  readonly certificate: string;
  readonly parsed: X509Certificate;
}

const PAIR =
  /^(-----BEGIN PRIVATE KEY-----\n[^-]+-----END PRIVATE KEY-----\n)(-----BEGIN CERTIFICATE-----\n[^-]+-----END CERTIFICATE-----\n)$/;

/**
 * One file for both, so that a crash cannot separate them. Null if there is none.
 *
 * @throws Error that says what to do if it is damaged.
 */
async function readPair(path: string): Promise<Pair | null> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    if (isErrorCode(error, "ENOENT")) return null;
    throw error;
  });
  if (text === null) return null;
  const [, privateKey, certificate] = PAIR.exec(text) ?? [];
  try {
    if (privateKey !== undefined && certificate !== undefined) {
      const parsed = new X509Certificate(certificate);
      if (parsed.checkPrivateKey(createPrivateKey(privateKey))) return { privateKey, certificate, parsed };
    }
  } catch {
    // Damaged, as below.
  }
  throw new Error(
    `${path} is damaged. Restore it from a backup, or delete it: then every device has to trust a new certificate.`,
  );
}

async function writePair(
  path: string,
  { privateKey, certificate }: Pick<Pair, "privateKey" | "certificate">,
): Promise<Pair> {
  await writeDurably(path, privateKey + certificate, 0o600);
  return { privateKey, certificate, parsed: new X509Certificate(certificate) };
}

function endsSoon({ parsed }: Pair, nowMs: number): boolean {
  return parsed.validToDate.getTime() < nowMs + RENEW_DAYS * DAY_MS;
}

/** Whether it is signed by this authority and for exactly these names. */
function isFor({ parsed }: Pair, authority: Pair, names: readonly string[]): boolean {
  const count = parsed.subjectAltName?.split(", ").length ?? 0;
  const has = (name: string) =>
    (isAddress(name) ? parsed.checkIP(name) : parsed.checkHost(name)) !== undefined;
  return parsed.verify(authority.parsed.publicKey) && count === names.length && names.every(has);
}

function validity(nowMs: number, days: number) {
  return { from: new Date(nowMs - BACKDATED_DAYS * DAY_MS), until: new Date(nowMs + days * DAY_MS) };
}

function serverValidity(nowMs: number, { parsed }: Pair) {
  const { from, until } = validity(nowMs, SERVER_DAYS - BACKDATED_DAYS);
  return { from, until: new Date(Math.min(until.getTime(), parsed.validToDate.getTime())) };
}

/** Tells it from other coordinators' in a phone's list. */
function authorityName(nowMs: number): string {
  return `Chorus on ${hostname()}, ${new Date(nowMs).toISOString().slice(0, 10)}`.slice(0, 64);
}
