import { buildMerkleTree, merklePath } from "#shared/crypto/merkle.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import { inputLeafHash } from "#shared/secagg/input.ts";
import type { SealedInput } from "#shared/transcript/input-receipt.ts";
import type { MemoryLog } from "../tlog.ts";

/**
 * Seals the inputs of a session in a log. Their roots are 1, 2, 3 ... in every byte.
 *
 * @param ownIndex  Of the input that the caller owns, from 0.
 * @returns The entry's index in the log, and what its owner knows.
 */
export async function sealInputs(
  primitives: Primitives,
  log: MemoryLog,
  session: { readonly roundId: string; readonly sid: string },
  { count, ownIndex }: { readonly count: number; readonly ownIndex: number },
): Promise<{ readonly entry: number; readonly own: SealedInput }> {
  const roots = Array.from({ length: count }, (_, index) => new Uint8Array(32).fill(index + 1));
  const leaves = await Promise.all(roots.map((root) => inputLeafHash(primitives, root)));
  const tree = await buildMerkleTree(primitives, leaves);
  const inputsRoot = bytesToHex(tree.root);
  const { roundId, sid } = session;
  const entry = await log.add("inputs.sealed", { roundId, sid, survivors: count, merkleRoot: inputsRoot });
  const path = merklePath(tree, ownIndex).map(bytesToHex);
  const root = bytesToHex(new Uint8Array(32).fill(ownIndex + 1));
  const proof = { inputsRoot, leafIndex: ownIndex, path };
  return { entry, own: { sid, root, survivorCount: count, proof } };
}
