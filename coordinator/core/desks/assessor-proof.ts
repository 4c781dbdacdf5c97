import { bytesToHex } from "#shared/kernel/bytes.ts";
import type { ProvedLeaf } from "#shared/tlog/log-proof.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";

/** Leaves as they stand in the log, with their paths to a signed checkpoint. Bytes are hex. */
export interface AssessorProof {
  readonly origin: string;
  /** The log's first key; later ones follow from `rotations`. */
  readonly publicKey: string;
  /** A signed note, with the cosignatures that have come. */
  readonly checkpoint: string;
  readonly leaves: readonly ReturnType<typeof leafView>[];
  readonly rotations: readonly ReturnType<typeof leafView>[];
}

/**
 * Proves entries of the audit log; those that no checkpoint has yet are left out. Null without a log, before its first
 * checkpoint, and while a file of it is damaged.
 *
 * @param sequences  Of the entries, ascending. A leaf's index is one less.
 */
export async function proofOf(
  { publicLog }: Pick<CoordinatorPorts, "publicLog">,
  sequences: readonly number[],
): Promise<AssessorProof | null> {
  const size = publicLog?.head()?.size ?? 0;
  if (publicLog == null || size === 0) return null;
  const leaves = sequences.map((sequence) => sequence - 1).filter((index) => index < size);
  const proved = await publicLog.proof({ from: null, leaves });
  if (!proved.ok) return null;
  const { origin, publicKey } = publicLog.key;
  const { checkpoint, rotations } = proved.value;
  return {
    origin,
    publicKey: bytesToHex(publicKey),
    checkpoint,
    leaves: proved.value.leaves.map(leafView),
    rotations: rotations.map(leafView),
  };
}

function leafView({ index, leaf, path }: ProvedLeaf) {
  return { index, leaf: bytesToHex(leaf), path: path.map(bytesToHex) };
}
