import { merkleRoot, verifyInclusion } from "../crypto/merkle.ts";
import { bytesToHex, hexToBytes } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import { inputLeafHash } from "../secagg/input.ts";

/** A device's record of its own masked list and of the outcome that it was told. Hashes in hex. */
export interface OwnInput {
  /** Root over the chunks of its masked list. */
  readonly root: string;
  readonly survivorCount: number;
  readonly proof: {
    readonly inputsRoot: string;
    readonly leafIndex: number;
    readonly path: readonly string[];
  };
}

/** The roots that the round shows to everyone. */
export interface ShownInputs {
  readonly inputsRoot: string | null;
  readonly transcript?: { readonly sessions: readonly { readonly inputsRoot: string }[] } | undefined;
}

/**
 * Checks that a device's own masked list is under the root that the round shows to everyone, not under one that only this
 * device was told. Rule A7.
 *
 * @returns `shown`; `other-root` if everyone else is shown another root; `not-under-root` if the list does not lead to the
 * root that the device was told; `not-published` if the round shows no root.
 */
export async function ownInputShown(
  primitives: Primitives,
  { root, survivorCount, proof }: OwnInput,
  shown: ShownInputs,
): Promise<"shown" | "other-root" | "not-under-root" | "not-published"> {
  if (shown.inputsRoot === null) return "not-published";
  const isUnder = await verifyInclusion(primitives, {
    leafHash: await inputLeafHash(primitives, hexToBytes(root)),
    index: proof.leafIndex,
    size: survivorCount,
    path: proof.path.map(hexToBytes),
    root: hexToBytes(proof.inputsRoot),
  });
  if (!isUnder) return "not-under-root";
  // A round of one sum shows the root of that sum, a round of several a root over their roots.
  const roots = shown.transcript?.sessions.map(({ inputsRoot }) => inputsRoot) ?? [shown.inputsRoot];
  const over =
    roots.length === 1 ? roots[0] : bytesToHex(await merkleRoot(primitives, roots.map(hexToBytes)));
  return over === shown.inputsRoot && roots.includes(proof.inputsRoot) ? "shown" : "other-root";
}
