import type { Bytes } from "#shared/kernel/bytes.ts";
import type { FoldInput } from "../core/ports.ts";

export type IntakeJob =
  | {
      readonly type: "verify";
      readonly file: string;
      readonly byteCount: number;
      readonly root: string;
      /** The path by which it is asked for later; null if it never is. */
      readonly keepAs: string | null;
    }
  | {
      readonly type: "add";
      /** Handed over; zero if null. */
      readonly sum: Uint32Array<ArrayBuffer> | null;
      readonly length: number;
      readonly inputs: readonly FoldInput[];
    }
  | { readonly type: "forget"; readonly folder: string; readonly kept: readonly string[] };

export type IntakeResult =
  | { readonly type: "verified"; readonly isGood: boolean }
  | { readonly type: "added"; readonly sum: Uint32Array<ArrayBuffer>; readonly missing: readonly number[] }
  | { readonly type: "forgotten" };

/** A vector whose bytes in memory are those of its root. */
export interface HeldVector {
  readonly root: string;
  readonly bytes: Bytes;
}
