import type { Bytes } from "#shared/kernel/bytes.ts";
import { primitives } from "#shared/node/system.ts";
import { nextKey } from "#shared/tlog/key-rotation.ts";
import { parseLeaf } from "#shared/tlog/leaf.ts";
import { type VerifierKey, verifierKey } from "#shared/tlog/note.ts";

/** The key that a log's key hands over to by this entry; null if it does not. @param bytes  Of the entry. */
export async function keyAfter(
  bytes: Bytes,
  { name: origin, publicKey, type }: VerifierKey,
): Promise<VerifierKey | null> {
  const leaf = parseLeaf(bytes);
  if (!leaf.ok || leaf.value.kind !== "log.keyRotated") return null;
  const next = await nextKey(primitives, leaf.value.facts, { origin, publicKey });
  return next === undefined ? null : verifierKey(primitives, origin, type, next);
}
