import { err } from "#shared/kernel/result.ts";
import type { TileError } from "#shared/tlog/tiled-tree.ts";

/** Why the log signs nothing, in a sentence for the operator. */
export type Refusal = { readonly type: "halted"; readonly sentence: string };

export const halted = (sentence: string) => err({ type: "halted", sentence } as const);

export function damaged({ type, path }: TileError): { readonly ok: false; readonly error: Refusal } {
  const what = type === "no-tile" ? "is missing" : "is damaged";
  return halted(
    `The log's file ${path} ${what}, so nothing more is signed. Restore the folder log/ from a backup, or ask 'npm run log -- fsck'.`,
  );
}
