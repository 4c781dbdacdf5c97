import { type Dataset, pickRows } from "#shared/task/dataset.ts";
import { shuffledIndices } from "#shared/task/shuffle.ts";

export interface LocalData {
  readonly train: Dataset;
  /** Kept back: the device judges the model on rows that it never trained on. */
  readonly local: Dataset;
}

/**
 * Keeps a share of the rows back, by a shuffle that `identity` fixes: the same rows every round, so that figures before
 * and after training are of rows that no round of this device has seen. At least one row is trained on.
 *
 * @param identity  32 bytes; public.
 */
export function splitLocal(rows: Dataset, fraction: number, identity: Uint8Array): LocalData {
  const localCount = Math.min(Math.floor(rows.count * fraction), Math.max(0, rows.count - 1));
  const seed = new DataView(identity.buffer, identity.byteOffset, 4).getUint32(0);
  const order = shuffledIndices(rows.count, seed);
  return {
    local: pickRows(rows, order.subarray(0, localCount)),
    train: pickRows(rows, order.subarray(localCount)),
  };
}
