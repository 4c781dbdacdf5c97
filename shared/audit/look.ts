import { z } from "zod";
import { type Bytes, bytesToHex, equalBytes, hexToBytes } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import { ok, type Result } from "../kernel/result.ts";
import { type OpenCheckpointError, type OpenedCheckpoint, openCheckpoint } from "../tlog/checkpoint.ts";
import { nextKey } from "../tlog/key-rotation.ts";
import { parseLeaf } from "../tlog/leaf.ts";
import { SIGNATURE_TYPES, type VerifierKey, verifierKey } from "../tlog/note.ts";
import { openTiledTree, type TiledTree, type TileError, type TileReader } from "../tlog/tiled-tree.ts";
import type { LogSight } from "./evidence.ts";
import { counted } from "./words.ts";

/*
 * A look at the public log from outside: its newest checkpoint is signed, its tiles make the signed root, and it goes on from
 * what was seen here before.
 *
 * Does not protect a first look: whoever never saw the log before takes its key from the coordinator.
 */

const hash = z.string().regex(/^[0-9a-f]{64}$/);

/** What was seen of a log here, to hold the next look against. */
export const seenLogSchema = z.strictObject({
  origin: z.string().max(200),
  /** Ed25519. */
  key: hash,
  size: z.int().min(0),
  root: hash,
  /** The signed note, as evidence. */
  note: z.string().max(262_144),
  /** ISO 8601. */
  at: z.string().max(40),
});
export type SeenLog = z.infer<typeof seenLogSchema>;

/** What a coordinator shows of its log. */
export interface ShownLog {
  readonly origin: string;
  /** Ed25519, 32 bytes. */
  readonly key: Bytes;
  /** The newest checkpoint, a signed note. */
  readonly note: string;
  readonly witnesses: readonly VerifierKey[];
  /** Indexes of all entries `log.keyRotated`, ascending. */
  readonly rotations: readonly number[];
  /** A key that is known from elsewhere: the log's, or one from which its entries lead to it. */
  readonly pinned?: Bytes | null;
}

export interface Look {
  readonly sight: LogSight;
  /** Null if nothing of the log can be read: the contradiction says why. */
  readonly log: { readonly tree: TiledTree; readonly opened: OpenedCheckpoint } | null;
}

/** Looks at a log. It does not throw for what a coordinator serves; `read` may reject. Rule A63. */
export async function lookAtLog(
  primitives: Primitives,
  shown: ShownLog,
  read: TileReader,
  seen: SeenLog | null,
): Promise<Look> {
  const witnessCount = shown.witnesses.length;
  const unread = (contradiction: string): Look => {
    const sight = { size: 0, witnesses: [], witnessCount, seenSize: seen?.size ?? null, contradiction };
    return { sight, log: null };
  };
  const key = await verifierKey(primitives, shown.origin, SIGNATURE_TYPES.ed25519, shown.key);
  const opened = await openCheckpoint(primitives, shown.note, key, shown.witnesses);
  if (!opened.ok) return unread(checkpointFault(opened.error));
  const { checkpoint, cosigned } = opened.value;
  const tree = await openTiledTree(primitives, checkpoint, read);
  if (!tree.ok) return unread(tileFault(tree.error));
  const { pinned } = shown;
  const keys = await handedOver(primitives, shown, tree.value);
  if (!keys.ok) return unread(tileFault(keys.error));
  if (pinned !== undefined && pinned !== null && !keys.value(pinned))
    return unread("The log is signed by another key than the pinned one, and no entry hands over to it.");
  const contradiction = seen === null ? null : await contradictionOf(shown, tree.value, seen, keys.value);
  return {
    sight: {
      size: checkpoint.size,
      witnesses: [...new Set(cosigned.map(({ key: { name } }) => name))],
      witnessCount,
      seenSize: seen?.size ?? null,
      contradiction,
    },
    log: { tree: tree.value, opened: opened.value },
  };
}

/** What to remember of a look that nothing contradicts. @param at  ISO 8601. */
export function seenOf(shown: ShownLog, { opened }: NonNullable<Look["log"]>, at: string): SeenLog {
  const { origin, size, root } = opened.checkpoint;
  return { origin, key: bytesToHex(shown.key), size, root: bytesToHex(root), note: shown.note, at };
}

async function contradictionOf(
  shown: ShownLog,
  tree: TiledTree,
  seen: SeenLog,
  leadsFrom: LeadsFrom,
): Promise<string | null> {
  const before = `On ${seen.at.slice(0, 10)} at ${seen.at.slice(11, 19)} UTC ${counted(seen.size, "entry was", "entries were")} seen here`;
  const keep = "Keep the file with both checkpoints.";
  if (seen.origin !== shown.origin)
    return `${before}, of the log ${seen.origin}. Now the coordinator shows another log, ${shown.origin}. ${keep}`;
  const { size } = tree.head;
  if (size < seen.size)
    return `${before}; now the log has ${counted(size, "entry", "entries")}. The log was rolled back. ${keep}`;
  const root = await tree.rootAt(seen.size);
  if (!root.ok) return tileFault(root.error);
  if (!equalBytes(root.value, hexToBytes(seen.root)))
    return `${before} under another root than the same entries have now. Someone is shown another log. ${keep}`;
  return leadsFrom(hexToBytes(seen.key))
    ? null
    : `${before} under another key, and no entry hands over to the key that signs now. ${keep}`;
}

/** True if the log's entries lead from `known` to the key that signs now. */
export async function isHandedOver(
  primitives: Primitives,
  shown: ShownLog,
  tree: TiledTree,
  known: Bytes,
): Promise<boolean> {
  const keys = await handedOver(primitives, shown, tree);
  return keys.ok && keys.value(known);
}

/** True if the log's entries lead from this key to the one that signs now. */
type LeadsFrom = (known: Bytes) => boolean;

/**
 * Reads all entries by which the key has changed, so that whoever records what a look reads has them, whichever key they pin.
 *
 * Errors: of a tile. An index that is no such entry ends the chain.
 */
async function handedOver(
  primitives: Primitives,
  { origin, key, rotations }: ShownLog,
  tree: TiledTree,
): Promise<Result<LeadsFrom, TileError>> {
  /** From which the entries read so far lead on, with the last first. */
  const chain: Bytes[] = [key];
  for (const index of rotations.toReversed()) {
    if (!(Number.isSafeInteger(index) && index >= 0 && index < tree.head.size)) break;
    const read = await tree.leaves(index, index + 1);
    if (!read.ok) return read;
    const leaf = read.value[0] === undefined ? null : parseLeaf(read.value[0]);
    if (leaf?.ok !== true || leaf.value.kind !== "log.keyRotated") break;
    const { facts } = leaf.value;
    const from = hexToBytes(facts.from);
    const next = await nextKey(primitives, facts, { origin, publicKey: from });
    if (next === undefined || !equalBytes(next, chain.at(-1) ?? key)) break;
    chain.push(from);
  }
  return ok((known) => chain.some((one) => equalBytes(one, known)));
}

/** A tile that does not fit, as a sentence. */
export function tileFault({ type, path }: TileError): string {
  return type === "no-tile"
    ? `The coordinator does not serve ${path}, which the log's checkpoint promises.`
    : `What the coordinator serves as ${path} is not what the log's signed root commits to.`;
}

function checkpointFault(error: OpenCheckpointError): string {
  switch (error.type) {
    case "not-signed":
      return "The log's checkpoint is not signed by the log's key.";
    case "other-origin":
      return `The checkpoint is that of another log, ${error.origin}.`;
    case "bad-note":
    case "bad-checkpoint":
      return `What the coordinator serves as a checkpoint is none. ${error.sentence}`;
    default:
      return "A signature under the log's checkpoint is wrong.";
  }
}
