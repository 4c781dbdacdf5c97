import type { Bytes } from "#shared/kernel/bytes.ts";

/** One worker's part of a fold: the coordinates `from` up to `to` of every file. */
export interface SliceTask {
  readonly type: "slice";
  /** On the border of a chunk where there are files. */
  readonly from: number;
  readonly to: number;
  /** Of the whole vector; each file has four times as many bytes. */
  readonly length: number;
  readonly paths: readonly string[];
  /** The slice to start from, handed over and not copied; zero where null. */
  readonly initial: Uint32Array<ArrayBuffer> | null;
  readonly masks: readonly { readonly key: Bytes; readonly sign: 1 | -1 }[];
}

export interface Slice {
  readonly type: "slice";
  readonly sum: Uint32Array<ArrayBuffer>;
  /** Hashes of the slice's chunks, file by file, 32 bytes each; null for a file that cannot be read as it should be. */
  readonly leaves: readonly (Bytes | null)[];
}

/** Which files have another root than they should. */
export interface RootsTask {
  readonly type: "roots";
  /** By file: the hashes of its chunks, and its root in hex. */
  readonly files: readonly { readonly leaves: readonly Bytes[]; readonly root: string }[];
}

export interface Roots {
  readonly type: "roots";
  readonly wrong: readonly number[];
}

export type FoldTask = SliceTask | RootsTask;
/** What was asked for, or what went wrong. */
export type FoldReply = Slice | Roots | { readonly type: "failed"; readonly message: string };
