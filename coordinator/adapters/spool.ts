import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Spool } from "#coordinator/core/ports.ts";
import { assert } from "#shared/kernel/assert.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import { err, ok } from "#shared/kernel/result.ts";
import { syncFolder } from "#shared/node/durable-files.ts";
import type { Intake } from "./intake.ts";
import { chunkReader } from "./spool-chunks.ts";
import { isErrorCode } from "./system-errors.ts";

type Upload = Parameters<Spool["receive"]>[0];
type Received = Awaited<ReturnType<Spool["receive"]>>;

/** Of an upload that comes in faster than the disk takes it; then its connection waits. */
const WAITING_BYTES_MAX = 256 * 1024;

const SID = /^[0-9a-z]+$/i;

/** See `Spool.receive`. */
interface Source {
  readonly body: AsyncIterable<Uint8Array>;
  readonly free: (piece: Uint8Array) => void;
}

/** An upload in progress; another to the same slot makes it end and waits for that. */
interface Turn {
  readonly cut: Cut;
  readonly ended: Promise<unknown>;
}

/**
 * Uploads on disk: `<sid>/<position>.part` while bytes arrive, `<sid>/<position>` when all are there, checked and
 * durable. Memory is a few chunks an upload, whatever its length; the check is the intake's, over what is on disk then.
 *
 * One upload a slot at a time. A newer one takes over: the older is a connection that its device has given up.
 */
export async function openSpool(
  folder: string,
  primitives: Primitives,
  intake: Pick<Intake, "verify" | "forget">,
): Promise<Spool> {
  await mkdir(folder, { recursive: true });
  const turns = new Map<string, Turn>();
  const chunks = chunkReader(primitives);
  const sessions = new SessionFolders();
  const pathOf = (sid: string, position: number) => {
    // These come from the database, not from a peer; a path must not depend on that.
    assert(SID.test(sid) && Number.isInteger(position) && position >= 0, "not a slot");
    return join(folder, sid, String(position));
  };

  return {
    path: pathOf,
    chunk: (sid, position, index, root) => chunks.read(pathOf(sid, position), index, root),
    offset: async (sid, position) => {
      const path = pathOf(sid, position);
      return (await byteCountOf(path)) ?? (await byteCountOf(`${path}.part`)) ?? 0;
    },
    receive: async (upload, body, free = () => {}) => {
      const path = pathOf(upload.sid, upload.position);
      const older = turns.get(path);
      older?.cut.now();
      const cut = new Cut();
      const received = (older?.ended ?? Promise.resolve()).then(() =>
        receive(path, upload, { body, free }, { cut, intake, sessions }),
      );
      const turn: Turn = { cut, ended: received.catch(() => undefined) };
      turns.set(path, turn);
      try {
        return await received;
      } finally {
        if (turns.get(path) === turn) turns.delete(path);
      }
    },
    sessions: async () => (await readdir(folder)).filter((name) => SID.test(name)),
    discard: async (sid, kept = []) => {
      const session = dirname(pathOf(sid, 0));
      // An upload that is under way would write its file again.
      for (const [path, turn] of turns) {
        if (dirname(path) !== session) continue;
        turn.cut.now();
        await turn.ended;
      }
      intake.forget(
        session,
        kept.map((position) => pathOf(sid, position)),
      );
      if (kept.length === 0) {
        sessions.forget(session);
        await rm(session, { recursive: true, force: true });
        return;
      }
      const keptNames = new Set(kept.map(String));
      for (const name of await readdir(session).catch(() => [])) {
        if (!keptNames.has(name)) await rm(join(session, name), { force: true });
      }
    },
  };
}

interface ReceiveParts {
  readonly cut: Cut;
  readonly intake: Pick<Intake, "verify">;
  readonly sessions: SessionFolders;
}

async function receive(
  path: string,
  upload: Upload,
  source: Source,
  { cut, intake, sessions }: ReceiveParts,
): Promise<Received> {
  if ((await byteCountOf(path)) !== null) {
    // It may be acknowledged already: it stays, whatever comes now.
    if (!(await intake.verify(path, upload, null))) return err({ type: "bad-digest" });
    // The sync after its rename may have failed, and a receipt must outlive a power cut.
    await syncTogether(dirname(path));
    return ok("complete");
  }
  const part = `${path}.part`;
  let written: Received | "all-here";
  try {
    await sessions.make(dirname(path));
    const file = await open(part, "a+");
    try {
      written = await writeBody(file, upload, source, cut);
      if (written === "all-here") await syncOrRemove(file, part);
    } finally {
      await file.close();
    }
    if (written === "all-here") {
      if (await intake.verify(part, upload, path)) {
        await rename(part, path);
        await syncTogether(dirname(path));
        return ok("complete");
      }
      written = err({ type: "bad-digest" });
    }
  } catch (error) {
    if (!isDiskFull(error)) throw error;
    written = err({ type: "storage-full" });
  }
  // What is refused is not kept: of bytes that do not add up none can be resumed, and a full disk needs the room.
  if (!written.ok && written.error.type !== "bad-offset") await rm(part, { force: true });
  return written;
}

/** Appends what arrives; `all-here` if the file then has the length that the upload announced. */
async function writeBody(
  file: FileHandle,
  upload: Upload,
  { body, free }: Source,
  cut: Cut,
): Promise<Received | "all-here"> {
  const { size } = await file.stat();
  if (upload.offset > size) return err({ type: "bad-offset" });
  // A device that starts further back knows less than we have; its bytes count.
  if (upload.offset < size) await file.truncate(upload.offset);
  const writer = new BatchWriter(file, free);
  let byteCount = upload.offset;
  let isFull = false;
  for await (const chunk of cut.apply(body)) {
    byteCount += chunk.length;
    if (byteCount > upload.byteCount) return err({ type: "bad-length" });
    // On a full disk the rest is read and dropped: a sender in mid-body would see a reset connection, not the answer.
    if (isFull) continue;
    isFull = !(await hasRoom(writer.write(chunk)));
    if (isFull) await file.truncate(0);
  }
  if (isFull || !(await hasRoom(writer.end()))) return err({ type: "storage-full" });
  return byteCount < upload.byteCount ? ok("partial") : "all-here";
}

async function hasRoom(writing: Promise<void>): Promise<boolean> {
  try {
    await writing;
    return true;
  } catch (error) {
    if (isDiskFull(error)) return false;
    throw error;
  }
}

function isDiskFull(error: unknown): boolean {
  return isErrorCode(error, "ENOSPC", "EDQUOT");
}

/** Ends the reading of a body from outside, even while it waits for bytes that never come. */
class Cut {
  #done = false;
  #wake: () => void = () => undefined;

  now(): void {
    this.#done = true;
    this.#wake();
  }

  /** What `body` gives until it ends, breaks (a lost connection) or is cut. */
  async *apply(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const iterator = body[Symbol.asyncIterator]();
    try {
      while (!this.#done) {
        // Promise.race against one long-lived promise would hold every chunk until the upload ends.
        const next = await new Promise<IteratorResult<Uint8Array, unknown> | null>((resolve) => {
          this.#wake = () => resolve(null);
          iterator.next().then(resolve, () => resolve(null));
        });
        if (next === null || next.done === true) return;
        yield next.value;
      }
    } finally {
      // Not awaited: a body that hangs would hang here too.
      iterator.return?.()?.catch(() => undefined);
    }
  }
}

/**
 * Appends to a file while more arrives: what comes during one write goes out together in the next, so that a fast
 * upload takes few calls and a slow one is written at once.
 */
class BatchWriter {
  readonly #file: FileHandle;
  readonly #free: (bytes: Uint8Array) => void;
  #waiting: Uint8Array[] = [];
  #waitingByteCount = 0;
  #writing: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  /** @param free  Called for each piece once nobody reads it any more. */
  constructor(file: FileHandle, free: (bytes: Uint8Array) => void) {
    this.#file = file;
    this.#free = free;
  }

  /** Keeps `bytes` until they are written. @throws what an earlier write threw. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#waiting.push(bytes);
    this.#waitingByteCount += bytes.length;
    this.#start();
    if (this.#waitingByteCount > WAITING_BYTES_MAX) await this.#writing;
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Resolves when everything is with the system. */
  async end(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #start(): void {
    if (this.#writing !== undefined || this.#waiting.length === 0 || this.#failure !== undefined) return;
    const batch = this.#waiting;
    this.#waiting = [];
    this.#waitingByteCount = 0;
    this.#writing = writeAll(this.#file, batch)
      .catch((error: unknown) => {
        this.#failure = { error };
      })
      .then(() => {
        for (const bytes of batch) this.#free(bytes);
        this.#writing = undefined;
        this.#start();
      });
  }
}

async function writeAll(file: FileHandle, batch: readonly Uint8Array[]): Promise<void> {
  let left = [...batch];
  while (left.length > 0) {
    let { bytesWritten } = await file.writev(left);
    // A full disk may take a part first; the call after that says why.
    left = left.flatMap((bytes) => {
      const done = Math.min(bytesWritten, bytes.length);
      bytesWritten -= done;
      return done === bytes.length ? [] : [bytes.subarray(done)];
    });
  }
}

/** Of a folder: the sync that is under way, and the one that starts after it. */
interface Syncs {
  readonly running: Promise<void>;
  next: Promise<void> | null;
}
const syncsByFolder = new Map<string, Syncs>();

/**
 * As `syncFolder`, together with whoever wants the same folder synced meanwhile: what has been renamed before a sync
 * starts is in it. Of eight uploads at a time this takes a quarter of the syncs.
 */
function syncTogether(folder: string): Promise<void> {
  const known = syncsByFolder.get(folder);
  if (known !== undefined) {
    known.next ??= known.running.catch(() => undefined).then(() => begin());
    return known.next;
  }
  return begin();

  function begin(): Promise<void> {
    const syncs: Syncs = { running: syncFolder(folder), next: null };
    syncsByFolder.set(folder, syncs);
    const ended = () => {
      if (syncs.next === null) syncsByFolder.delete(folder);
    };
    syncs.running.then(ended, ended);
    return syncs.running;
  }
}

/** Folders of sessions, and which of them have a durable name. */
class SessionFolders {
  readonly #durable = new Set<string>();

  /** Resolves when the folder is there and its name durable, also if another upload has just made it. */
  async make(folder: string): Promise<void> {
    const made = await mkdir(folder, { recursive: true });
    if (made === undefined && this.#durable.has(folder)) return;
    await syncTogether(dirname(folder));
    this.#durable.add(folder);
  }

  forget(folder: string): void {
    this.#durable.delete(folder);
  }
}

/** After a sync that failed the system may call the lost bytes clean, and a later sync would succeed without them. */
async function syncOrRemove(file: FileHandle, path: string): Promise<void> {
  try {
    await file.datasync();
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

async function byteCountOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isErrorCode(error, "ENOENT")) return null;
    throw error;
  }
}
