import { type Bytes, bytesToHex } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import { ok } from "../kernel/result.ts";
import type { AuditSource } from "./claims.ts";
import { type Checked, fault, withheld } from "./fault.ts";

/** Fetches a model or a state and checks it against its hash. */
export async function fetchBlob(
  primitives: Primitives,
  source: Pick<AuditSource, "blob">,
  hash: string,
): Promise<Checked<Bytes>> {
  const bytes = await source.blob(hash);
  if (bytes === null) return withheld(`The model or state ${hash}`);
  const digest = bytesToHex(await primitives.sha256(bytes));
  return digest === hash ? ok(bytes) : fault("MODEL", `The blob served as ${hash} has the hash ${digest}.`);
}
