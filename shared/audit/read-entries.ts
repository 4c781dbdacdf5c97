import { z } from "zod";
import { parseStrictText } from "../codec/strict-json.ts";
import { type Bytes, utf8ToText } from "../kernel/bytes.ts";
import { ok, type Result } from "../kernel/result.ts";
import { parseLeaf } from "../tlog/leaf.ts";
import type { TiledTree, TileError } from "../tlog/tiled-tree.ts";
import type { ProvedEntry, RoundEvidence } from "./evidence.ts";

/** Entries of one step of a reading: 16 bundles, about a megabyte. */
export const READ_BLOCK = 4_096;

/** What of a log is read, and who hears of it. */
export interface Reading {
  /** Where the run's entries begin, as whoever serves the log says. What follows is read first. */
  readonly from: number;
  /** Only these are read; all if absent. For a file, which has no others. */
  readonly within?: RoundEvidence["read"];
  /** After each step: how many entries of how many. False ends the reading there. */
  readonly onStep?: (done: number, total: number) => boolean;
}

/**
 * Reads entries of a log, each proved to be under its root, in steps of `READ_BLOCK`: first those from `from` on, then those
 * before it, newest first. So it does not matter what whoever serves the log says of `from`, unless the reading was ended.
 */
export async function readEntries(
  tree: TiledTree,
  { from, within = { from: 0, to: tree.head.size }, onStep = () => true }: Reading,
): Promise<Result<Pick<RoundEvidence, "entries" | "read">, TileError>> {
  const [first, last] = [Math.max(0, within.from), Math.min(tree.head.size, within.to)];
  const begin = Math.min(Math.max(first, from), last);
  const read = { from: begin, to: begin };
  const later: ProvedEntry[] = [];
  const earlier: (readonly ProvedEntry[])[] = [];
  let goesOn = true;
  while (goesOn && (read.to < last || read.from > first)) {
    const isLater = read.to < last;
    const [low, high] = isLater
      ? [read.to, Math.min(last, read.to + READ_BLOCK)]
      : [Math.max(first, read.from - READ_BLOCK), read.from];
    const leaves = await tree.leaves(low, high);
    if (!leaves.ok) return leaves;
    const entries = leaves.value.map((leaf, offset) => entryOf(low + offset, leaf));
    if (isLater) {
      for (const entry of entries) later.push(entry);
      read.to = high;
    } else {
      earlier.unshift(entries);
      read.from = low;
    }
    goesOn = onStep(read.to - read.from, last - first);
  }
  return ok({ entries: [...earlier.flat(), ...later], read });
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
