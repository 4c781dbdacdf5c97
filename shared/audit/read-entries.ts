import { z } from "zod";
import { parseStrictText } from "../codec/strict-json.ts";
import { type Bytes, utf8ToText } from "../kernel/bytes.ts";
import { ok, type Result } from "../kernel/result.ts";
import { parseLeaf } from "../tlog/leaf.ts";
import type { TiledTree, TileError } from "../tlog/tiled-tree.ts";
import type { ProvedEntry, RoundEvidence } from "./evidence.ts";

/** Entries that one look reads at most: 16 bundles, about a megabyte. */
export const READ_ENTRIES_MAX = 4_096;

/**
 * Reads entries of a log, each proved to be under its root: all of them, or `READ_ENTRIES_MAX` from `from` on.
 *
 * @param from  Where the run's entries begin, as whoever serves the log says.
 */
export async function readEntries(
  tree: TiledTree,
  from: number,
): Promise<Result<Pick<RoundEvidence, "entries" | "read">, TileError>> {
  // A log that can be read whole is: then it does not matter what whoever serves it says.
  const begin = tree.head.size <= READ_ENTRIES_MAX ? 0 : Math.min(Math.max(0, from), tree.head.size);
  const to = Math.min(tree.head.size, begin + READ_ENTRIES_MAX);
  const leaves = await tree.leaves(begin, to);
  if (!leaves.ok) return leaves;
  return ok({
    entries: leaves.value.map((leaf, offset) => entryOf(begin + offset, leaf)),
    read: { from: begin, to },
  });
}

/** An entry that this program cannot read is in the log all the same: it keeps its kind and says nothing. */
export function entryOf(index: number, bytes: Bytes): ProvedEntry {
  const leaf = parseLeaf(bytes);
  if (leaf.ok) return { index, kind: leaf.value.kind, at: leaf.value.at, body: { ...leaf.value.facts } };
  return { index, kind: kindOf(bytes) ?? "unreadable", at: null, body: {} };
}

function kindOf(bytes: Bytes): string | undefined {
  const parsed = parseStrictText(utf8ToText(bytes) ?? "", "The entry", { entryCountMax: bytes.length });
  const named = kindSchema.safeParse(parsed.ok ? parsed.value : null);
  return named.success ? named.data.kind : undefined;
}
const kindSchema = z.looseObject({ kind: z.string().max(64) });
