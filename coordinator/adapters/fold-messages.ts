import type { Bytes } from "#shared/kernel/bytes.ts";

/** One worker's part of a fold: coordinates `from` up to, but not including, `to` of every file. */
export interface SliceTask {
  readonly type: "slice";
  /** On a chunk boundary if there are files. */
  readonly from: number;
  readonly to: number;
  /** Length of the whole vector. Each file has four times as many bytes. */
  readonly length: number;
  readonly paths: readonly string[];
  /** The slice to start from, transferred instead of copied; null for zero. */
  readonly initial: Uint32Array<ArrayBuffer> | null;
  readonly masks: readonly { readonly key: Bytes; readonly sign: 1 | -1 }[];
}

export interface Slice {
  readonly type: "slice";
  readonly sum: Uint32Array<ArrayBuffer>;
  /** Hashes of the slice's chunks, per file, 32 bytes each; null if the file is unreadable or too short. */
  readonly leaves: readonly (Bytes | null)[];
}

/** Asks which files have a wrong root. */
export interface RootsTask {
  readonly type: "roots";
  /** Per file: the hashes of its chunks, and the expected root in hex. */
  readonly files: readonly { readonly leaves: readonly Bytes[]; readonly root: string }[];
}

export interface Roots {
  readonly type: "roots";
  readonly wrong: readonly number[];
}

export type FoldTask = SliceTask | RootsTask;
/** The answer, or what went wrong. */
export type FoldReply = Slice | Roots | { readonly type: "failed"; readonly message: string };
