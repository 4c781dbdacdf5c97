import { closeSync, fstatSync, openSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import { VECTOR_CHUNK_BYTES } from "#shared/codec/vector-bytes.ts";
import { addMasks } from "#shared/crypto/mask-stream.ts";
import { type RingBlock, returnRingBlock, takeRingBlock } from "#shared/crypto/ring-block.ts";
import { present } from "#shared/kernel/assert.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import { leafHash, primitives, readFully, rootOf } from "./chunk-hashes.ts";
import type { FoldReply, FoldTask, Roots, RootsTask, Slice, SliceTask } from "./fold-messages.ts";
import { isErrorCode, messageOf } from "./system-errors.ts";

/*
 * Adds one slice of vectors and masks, and replies with the sum or an error. It keeps nothing between tasks,
 * so that any worker can repeat one.
 */

/** Number of files open at once. */
const OPEN_FILES_MAX = 64;
const HASH_BYTES = 32;

const port = present(parentPort, "this file runs as a worker");
port.on("message", (task: FoldTask) => void answer(task));

async function answer(task: FoldTask): Promise<void> {
  try {
    const reply = task.type === "slice" ? await sliceOf(task) : await rootsOf(task);
    port.postMessage(reply satisfies FoldReply, reply.type === "slice" ? [reply.sum.buffer] : []);
  } catch (error) {
    port.postMessage({ type: "failed", message: messageOf(error) } satisfies FoldReply);
  } finally {
    if (task.type === "slice") for (const { key } of task.masks) key.fill(0);
  }
}

async function sliceOf(task: SliceTask): Promise<Slice> {
  const sum = task.initial ?? new Uint32Array(task.to - task.from);
  const leaves: (Bytes | null)[] = [];
  for (let first = 0; first < task.paths.length; first += OPEN_FILES_MAX) {
    leaves.push(...addFiles(sum, task, task.paths.slice(first, first + OPEN_FILES_MAX)));
  }
  // A sum with missing inputs is unusable, so it gets no masks.
  if (!leaves.includes(null)) await addMasks(primitives, sum, task.masks, task.from);
  return { type: "slice", sum, leaves };
}

/** Null once the file proves damaged. It is not read any further. */
type OpenFile = { readonly handle: number; readonly leaves: Bytes } | null;

/**
 * Adds a slice of some files, each chunk of all files before the next chunk. The files hold little-endian
 * u32.
 *
 * @returns Hashes of the chunks, per file.
 */
function addFiles(
  sum: Uint32Array,
  { from, length }: SliceTask,
  paths: readonly string[],
): readonly (Bytes | null)[] {
  const chunkWords = VECTOR_CHUNK_BYTES / 4;
  const leafBytes = HASH_BYTES * Math.ceil(sum.length / chunkWords);
  const files: OpenFile[] = [];
  const block = takeRingBlock();
  try {
    for (const path of paths) files.push(openFile(path, 4 * length, leafBytes));
    for (let done = 0, chunk = 0; done < sum.length; done += chunkWords, chunk++) {
      const words = sum.subarray(done, done + chunkWords);
      block.sum.set(words);
      for (const [index, file] of files.entries()) {
        if (file === null || addChunk(block, file, words.byteLength, 4 * (from + done), chunk)) continue;
        closeSync(file.handle);
        files[index] = null;
      }
      words.set(block.sum.subarray(0, words.length));
    }
    return files.map((file) => file?.leaves ?? null);
  } finally {
    returnRingBlock(block);
    for (const file of files) if (file !== null) closeSync(file.handle);
  }
}

function openFile(path: string, byteCount: number, leafBytes: number): OpenFile {
  try {
    const handle = openSync(path, "r");
    if (fstatSync(handle).size === byteCount) return { handle, leaves: new Uint8Array(leafBytes) };
    closeSync(handle);
    return null;
  } catch (error) {
    if (isUnreadable(error)) return null;
    throw error;
  }
}

/** @returns False if the bytes cannot be read. */
function addChunk(
  block: RingBlock,
  { handle, leaves }: NonNullable<OpenFile>,
  byteCount: number,
  position: number,
  chunk: number,
): boolean {
  const input = block.input.subarray(0, byteCount);
  try {
    if (!readFully(handle, input, position)) return false;
  } catch (error) {
    if (isUnreadable(error)) return false;
    throw error;
  }
  leaves.set(leafHash(input), HASH_BYTES * chunk);
  block.add(byteCount);
  return true;
}

/**
 * True if the file or its sectors are lost. Other errors (too many open files, out of memory) may be
 * temporary.
 */
function isUnreadable(error: unknown): boolean {
  return isErrorCode(error, "ENOENT", "EIO", "EISDIR", "ENOTDIR", "EACCES", "EUCLEAN", "EBADMSG");
}

async function rootsOf({ files }: RootsTask): Promise<Roots> {
  const wrong: number[] = [];
  for (const [index, { leaves, root }] of files.entries()) {
    const hashes = leaves.flatMap((hashed) =>
      Array.from({ length: hashed.length / HASH_BYTES }, (_, at) =>
        hashed.subarray(HASH_BYTES * at, HASH_BYTES * (at + 1)),
      ),
    );
    if ((await rootOf(hashes)) !== root) wrong.push(index);
  }
  return { type: "roots", wrong };
}
