import { present } from "#shared/kernel/assert.ts";
import { bytesToHex, equalBytes } from "#shared/kernel/bytes.ts";
import type { Primitives, Signer } from "#shared/kernel/ports.ts";
import { ok, type Result } from "#shared/kernel/result.ts";
import { type Checkpoint, parseCheckpoint } from "#shared/tlog/checkpoint.ts";
import { EMPTY_EDGE, type TreeEdge } from "#shared/tlog/grow.ts";
import { parseNote, SIGNATURE_TYPES, verifierKey, verifyNote } from "#shared/tlog/note.ts";
import { openTiledTree, type TiledTree } from "#shared/tlog/tiled-tree.ts";
import type { TreeHead } from "#shared/tlog/tree.ts";
import type { LeafStore } from "../ports/leaf-store.ts";
import type { LogFiles, LogKey } from "../ports/public-log.ts";
import { reconcileLeaves } from "./reconcile-leaves.ts";
import { damaged, halted, type Refusal } from "./refusal.ts";
import { keyAt, type Rotation, readRotations } from "./rotations.ts";

/*
 * What a start finds. Files and database each know how far the log is:
 *
 * | the database's head     | the published checkpoint | then                                                       |
 * | ----------------------- | ------------------------ | ---------------------------------------------------------- |
 * | none                    | none                     | a log begins                                               |
 * | n                       | n                        | goes on                                                    |
 * | n                       | less, or none            | killed before publishing: the head's note is published     |
 * | less, or none           | n                        | an earlier database: its lost leaves come from the bundles |
 * | less, and other leaves  | n                        | one that was written to since: these come after the lost   |
 *
 * Whatever is on both sides must be the same, else nothing is signed.
 */

export interface OpeningPorts {
  readonly store: LeafStore;
  readonly files: LogFiles;
  readonly primitives: Primitives;
  readonly key: LogKey;
  /** The keys at hand. More than one only while a rotation is under way. */
  readonly signers: readonly Signer[];
}

export interface OpenedLog {
  readonly edge: TreeEdge;
  /** What is signed and published; null before the first checkpoint. */
  readonly published: { readonly head: TreeHead; readonly note: string } | null;
  readonly rotations: readonly Rotation[];
  /** Entries of an earlier database that came after those of the log. */
  readonly movedCount: number;
}

/**
 * Brings files and database to the same state, and finds where the log goes on.
 *
 * @param isStart  Whether nobody knows a place of a leaf yet, so that those that no checkpoint has may still move.
 */
export async function openLog(
  ports: OpeningPorts,
  { isStart }: { readonly isStart: boolean },
): Promise<Result<OpenedLog, Refusal>> {
  const { store, files } = ports;
  const doubt = await files.doubt();
  if (doubt !== null) return halted(doubt);
  const [row, published] = [await store.logHead(), await files.checkpoint()];
  if (row === null && published === null)
    return ok({ edge: EMPTY_EDGE, published: null, rotations: [], movedCount: 0 });
  const shown = published === null ? ok(null) : await ownCheckpoint(ports, published);
  const signed = row === null ? ok(null) : await ownCheckpoint(ports, row.note);
  if (!shown.ok) return shown;
  if (!signed.ok) return signed;
  const isBehind = sizeOf(shown.value) > sizeOf(signed.value);
  const newest = present(isBehind ? shown.value : signed.value, "there is a checkpoint");
  const tree = await openTiledTree(ports.primitives, newest, (path) => files.read(path));
  if (!tree.ok) return damaged(tree.error);
  for (const earlier of [shown.value, signed.value]) {
    const agreed = earlier === null ? ok(undefined) : await isPast(tree.value, earlier);
    if (!agreed.ok) return agreed;
  }
  const imported = await reconcileLeaves(ports.store, tree.value, {
    signedSize: signed.value?.size ?? 0,
    mayMove: isStart && isBehind,
  });
  if (!imported.ok) return imported;
  let note = isBehind ? published : (row?.note ?? null);
  if (isBehind && !(await moveHead(ports, row?.size ?? null, newest, present(note, "what is shown"))))
    return OVERTAKEN;
  // A published note may have cosignatures beside.
  if (!isBehind && sizeOf(shown.value) === newest.size) note = published;
  else if (!isBehind) await files.publish(present(note, "what is signed"));
  const edge = await tree.value.edge();
  if (!edge.ok) return damaged(edge.error);
  const staged = readRotations(await store.findLeaves("log.keyRotated", ports.key.origin));
  return ok({
    edge: edge.value,
    published: { head: newest, note: present(note, "there is a checkpoint") },
    movedCount: imported.value,
    // One that is staged comes with its batch.
    rotations: staged.filter(({ index }) => index < newest.size),
  });
}

/** Another process works on the same database. */
export const OVERTAKEN = halted(
  "Another coordinator has moved the log's head. Run one coordinator for a database.",
);

/** @returns False if another was first. */
export function moveHead(
  { store }: Pick<OpeningPorts, "store">,
  from: number | null,
  { size, root }: TreeHead,
  note: string,
): Promise<boolean> {
  return store.moveLogHead(from, { size, root: bytesToHex(root), note });
}

function sizeOf(checkpoint: Checkpoint | null): number {
  return checkpoint?.size ?? -1;
}

/** A checkpoint that one of this log's keys has signed. Which one follows from the leaves, which are checked later. */
async function ownCheckpoint(
  { primitives, key, store, signers }: OpeningPorts,
  text: string,
): Promise<Result<Checkpoint, Refusal>> {
  const bad = halted(
    "The log's checkpoint is damaged, or of another log. Restore the folder log/ from a backup of this installation.",
  );
  const note = parseNote(text);
  const checkpoint = note.ok ? parseCheckpoint(note.value.text) : null;
  if (!note.ok || checkpoint?.ok !== true || checkpoint.value.origin !== key.origin) return bad;
  const rotations = readRotations(await store.findLeaves("log.keyRotated", key.origin));
  // A database that is behind does not know of the newest rotation; the key is at hand.
  const atHand = signers.map(({ publicKey }) => publicKey);
  for (const publicKey of [key.publicKey, ...rotations.map(({ to }) => to), ...atHand]) {
    const named = await verifierKey(primitives, key.origin, SIGNATURE_TYPES.ed25519, publicKey);
    const verified = await verifyNote(primitives, note.value, [named]);
    if (verified.ok && verified.value.length > 0) return ok(checkpoint.value);
  }
  return bad;
}

async function isPast(tree: TiledTree, { size, root }: Checkpoint): Promise<Result<undefined, Refusal>> {
  const own = await tree.rootAt(size);
  if (!own.ok) return damaged(own.error);
  if (equalBytes(own.value, root)) return ok(undefined);
  return halted(
    "The log's checkpoint and the database's head contradict each other: they are of two histories. Restore database and data folder from one backup.",
  );
}

/** @returns The key that signs a tree of `size` leaves, by the rotations before. */
async function signerAt(
  { primitives, key, signers }: Pick<OpeningPorts, "primitives" | "key" | "signers">,
  rotations: readonly Rotation[],
  size: number,
): Promise<Result<Signer, Refusal>> {
  const current = await keyAt(primitives, key, rotations, size);
  const signer = signers.find(({ publicKey }) => current !== null && equalBytes(publicKey, current));
  if (signer !== undefined) return ok(signer);
  return halted(
    current === null
      ? "The log has a key rotation that the key before has not signed. Restore database and data folder from a backup."
      : "The log's key is not in the data folder (log.key, or log-next.key during a rotation). Restore it from a backup: nobody can make it anew.",
  );
}

/**
 * Who signs the step from one checkpoint to the next. The one that first has a rotation is signed by the key before as well,
 * so that whoever knows only that one sees the entry that hands over.
 */
export async function signersOfStep(
  ports: Pick<OpeningPorts, "primitives" | "key" | "signers">,
  rotations: readonly Rotation[],
  from: number,
  to: number,
): Promise<Result<readonly Signer[], Refusal>> {
  const now = await signerAt(ports, rotations, to);
  if (!now.ok) return now;
  const before = await signerAt(ports, rotations, from);
  return ok(before.ok && before.value !== now.value ? [before.value, now.value] : [now.value]);
}
