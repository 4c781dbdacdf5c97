import { type FileHandle, open, rm } from "node:fs/promises";
import { storeTrouble } from "#coordinator/core/ports/store-trouble.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";

/* The body of an upload, from a connection into a file. */

/** Bytes of an upload that wait for the disk. Beyond that its connection waits. */
const WAITING_BYTES_MAX = 256 * 1024;

export interface BodySource {
  readonly body: AsyncIterable<Uint8Array>;
  /** Called with each piece of the body once it is no longer needed. */
  readonly free: (piece: Uint8Array) => void;
}

export interface BodyRefusal {
  readonly type: "bad-length" | "bad-offset" | "storage-full";
}

/**
 * Writes a body into the file at `path` from `offset` on. `all-here` if it then has its full length, durably. Memory is a
 * few chunks, whatever the length.
 *
 * Errors: `bad-offset` if the file is shorter than that, `bad-length` if the body is longer than announced, `storage-full`.
 * @throws any other error of the disk.
 */
export async function receiveInto(
  path: string,
  upload: { readonly offset: number; readonly byteCount: number },
  source: BodySource,
  cut: Cut,
): Promise<Result<"partial" | "all-here", BodyRefusal>> {
  const file = await open(path, "a+");
  try {
    const written = await writeBody(file, upload, source, cut);
    if (written.ok && written.value === "all-here") await syncOrRemove(file, path);
    return written;
  } finally {
    await file.close();
  }
}

async function writeBody(
  file: FileHandle,
  upload: { readonly offset: number; readonly byteCount: number },
  { body, free }: BodySource,
  cut: Cut,
): Promise<Result<"partial" | "all-here", BodyRefusal>> {
  const { size } = await file.stat();
  if (upload.offset > size) return err({ type: "bad-offset" });
  // If a device starts before the end of the file, its bytes replace the rest.
  if (upload.offset < size) await file.truncate(upload.offset);
  const writer = new BatchWriter(file, free);
  let byteCount = upload.offset;
  let isFull = false;
  for await (const chunk of cut.apply(body)) {
    byteCount += chunk.length;
    if (byteCount > upload.byteCount) return err({ type: "bad-length" });
    // If the disk is full, the rest is read and dropped. Otherwise the sender sees a reset, not the
    // answer.
    if (isFull) continue;
    isFull = !(await hasRoom(writer.write(chunk)));
    if (isFull) await file.truncate(0);
  }
  if (isFull || !(await hasRoom(writer.end()))) return err({ type: "storage-full" });
  return byteCount < upload.byteCount ? ok("partial") : ok("all-here");
}

async function hasRoom(writing: Promise<void>): Promise<boolean> {
  try {
    await writing;
    return true;
  } catch (error) {
    if (storeTrouble(error) === "full") return false;
    throw error;
  }
}

/** Stops reading a body from outside, even while it waits for bytes that never come. */
export class Cut {
  #done = false;
  #wake: () => void = () => undefined;

  now(): void {
    this.#done = true;
    this.#wake();
  }

  /** Yields the chunks of `body` until it ends, breaks (a lost connection) or is cut. */
  async *apply(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const iterator = body[Symbol.asyncIterator]();
    try {
      while (!this.#done) {
        // Promise.race with one long-lived promise would hold every chunk until the upload ends.
        const next = await new Promise<IteratorResult<Uint8Array, unknown> | null>((resolve) => {
          this.#wake = () => resolve(null);
          iterator.next().then(resolve, () => resolve(null));
        });
        if (next === null || next.done === true) return;
        yield next.value;
      }
    } finally {
      // Not awaited, because a stuck body would block here, too.
      iterator.return?.()?.catch(() => undefined);
    }
  }
}

/**
 * Appends to a file while more arrives. What arrives during one write goes out together in the next, so that
 * a fast upload takes few calls and a slow one is written immediately.
 */
class BatchWriter {
  readonly #file: FileHandle;
  readonly #free: (bytes: Uint8Array) => void;
  #waiting: Uint8Array[] = [];
  #waitingByteCount = 0;
  #writing: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  /** @param free  Called for each piece once nobody reads it anymore. */
  constructor(file: FileHandle, free: (bytes: Uint8Array) => void) {
    this.#file = file;
    this.#free = free;
  }

  /** Keeps `bytes` until they are written. @throws the error of an earlier write. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#waiting.push(bytes);
    this.#waitingByteCount += bytes.length;
    this.#start();
    if (this.#waitingByteCount > WAITING_BYTES_MAX) await this.#writing;
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Resolves once everything is handed to the system. */
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
    // A full disk may accept a part first. The next call then fails with the reason.
    left = left.flatMap((bytes) => {
      const done = Math.min(bytesWritten, bytes.length);
      bytesWritten -= done;
      return done === bytes.length ? [] : [bytes.subarray(done)];
    });
  }
}

/**
 * After a failed sync the system may mark the lost bytes clean, so that a later sync succeeds without them.
 */
async function syncOrRemove(file: FileHandle, path: string): Promise<void> {
  try {
    await file.datasync();
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}
