import type { Bytes } from "#shared/kernel/bytes.ts";
import type { FoldInput } from "../core/ports/ports.ts";

export type IntakeJob =
  | {
      readonly type: "verify";
      readonly file: string;
      readonly byteCount: number;
      readonly root: string;
      /** Path under which `add` will ask for it; null if it never will. */
      readonly keepAs: string | null;
    }
  | {
      readonly type: "add";
      /** Transferred; null for zero. */
      readonly sum: Uint32Array<ArrayBuffer> | null;
      readonly length: number;
      readonly inputs: readonly FoldInput[];
    }
  | { readonly type: "forget"; readonly folder: string; readonly kept: readonly string[] };

export type IntakeResult =
  | { readonly type: "verified"; readonly isGood: boolean }
  | { readonly type: "added"; readonly sum: Uint32Array<ArrayBuffer>; readonly missing: readonly number[] }
  | { readonly type: "forgotten" };

/** A vector in memory whose bytes match its root. */
export interface HeldVector {
  readonly root: string;
  readonly bytes: Bytes;
}
