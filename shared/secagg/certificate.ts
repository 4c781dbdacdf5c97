import { verifySignature } from "../crypto/signature.ts";
import { type Bytes, bytesToHex, hexToBytes } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import type { AgreedConfig } from "../task/config.ts";
import { certificateItem } from "./signed-items.ts";

/** Number of remembered certificates. No roster is larger. */
const KNOWN_MAX = 4_096;

/**
 * Verified certificates, oldest first, with everything that the verdict depends on. Kept here by the primitives that
 * verified them: the verdict never changes, and a value handed down would pass through every check of every roster.
 */
const knownBy = new WeakMap<Primitives, Set<string>>();

/**
 * True if the issuer of the config certified the identity. The same devices bring the same certificates in round after
 * round, so a success is remembered. A failure is not.
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
