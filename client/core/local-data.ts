import { type Dataset, pickRows } from "#shared/task/dataset.ts";
import { shuffledIndices } from "#shared/task/shuffle.ts";

export interface LocalData {
  readonly train: Dataset;
  /** Held back from training, so that the device evaluates the model on rows it never trained on. */
  readonly local: Dataset;
}

/**
 * Splits off a fraction of the rows for local evaluation. The shuffle depends on `identity` only, so every round holds
 * back the same rows and this device never trains on them. At least one row is left for training.
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
