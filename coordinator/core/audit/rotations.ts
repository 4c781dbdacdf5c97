import { type Bytes, hexToBytes } from "#shared/kernel/bytes.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import { nextKey } from "#shared/tlog/key-rotation.ts";
import { LEAF_KINDS, type LeafFacts } from "#shared/tlog/leaf-kinds.ts";
import type { StagedLeaf } from "../ports/leaf-store.ts";
import type { LogKey } from "../ports/public-log.ts";

export interface Rotation {
  /** Of its leaf in the log. */
  readonly index: number;
  readonly facts: LeafFacts<"log.keyRotated">;
  readonly to: Bytes;
}

/** @param leaves  Of kind `log.keyRotated`, ascending. */
export function readRotations(leaves: readonly StagedLeaf[]): readonly Rotation[] {
  return leaves.flatMap(({ sequence, body }) => {
    const { version: _, ...facts } = body;
    const parsed = LEAF_KINDS["log.keyRotated"].safeParse(facts);
    return parsed.success
      ? [{ index: sequence - 1, facts: parsed.data, to: hexToBytes(parsed.data.to) }]
      : [];
  });
}

/** The key that signs a tree of `size` leaves. Null if a rotation before is not signed by the key that it leaves. */
export async function keyAt(
  primitives: Primitives,
  { origin, publicKey }: LogKey,
  rotations: readonly Rotation[],
  size: number,
): Promise<Bytes | null> {
  let key = publicKey;
  for (const { index, facts } of rotations) {
    if (index >= size) break;
    const next = await nextKey(primitives, facts, { origin, publicKey: key });
    if (next === undefined) return null;
    key = next;
  }
  return key;
}
