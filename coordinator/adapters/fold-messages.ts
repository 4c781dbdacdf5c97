import type { Bytes } from "#shared/kernel/bytes.ts";

/** One worker's part of a fold: the coordinates `from` up to `to` of every file. */
export interface SliceTask {
  readonly from: number;
  readonly to: number;
  /** Of the whole vector; each file has four times as many bytes. */
  readonly length: number;
  readonly paths: readonly string[];
  /** The slice to start from, handed over and not copied; zero where null. */
  readonly initial: Uint32Array<ArrayBuffer> | null;
  readonly masks: readonly { readonly key: Bytes; readonly sign: 1 | -1 }[];
}

export type SliceReply =
  | { readonly ok: true; readonly sum: Uint32Array<ArrayBuffer> }
  | { readonly ok: false; readonly message: string };
