import { verifySignature } from "../crypto/signature.ts";
import { type Bytes, bytesToHex, hexToBytes } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import type { AgreedConfig } from "../task/config.ts";
import { certificateItem } from "./signed-items.ts";

/** Certificates that are remembered; a larger roster than that is none. */
const KNOWN_MAX = 4_096;

/** Those that verified, oldest first, with everything that the verdict depends on. */
const knownBy = new WeakMap<Primitives, Set<string>>();

/**
 * Whether the issuer of the config vouches for an identity. The same devices meet in round after round with the same
 * certificates, so what has verified once is remembered; a refusal is not.
 */
export async function certifies(
  primitives: Primitives,
  { issuerKey, projectId }: Pick<AgreedConfig, "issuerKey" | "projectId">,
  identity: Bytes,
  certificate: Bytes,
): Promise<boolean> {
  const known = knownBy.get(primitives) ?? new Set<string>();
  knownBy.set(primitives, known);
  const claim = `${issuerKey} ${bytesToHex(identity)} ${bytesToHex(certificate)} ${projectId}`;
  if (known.has(claim)) return true;
  const item = certificateItem(projectId, identity);
  if (!(await verifySignature(primitives, hexToBytes(issuerKey), item, certificate))) return false;
  known.add(claim);
  for (const oldest of known) {
    if (known.size <= KNOWN_MAX) break;
    known.delete(oldest);
  }
  return true;
}
