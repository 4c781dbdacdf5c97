import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openFolder } from "#coordinator/adapters/folder.ts";
import { openIntake } from "#coordinator/adapters/intake.ts";
import { openSpool } from "#coordinator/adapters/spool.ts";
import type { FoldInput } from "#coordinator/core/ports/ports.ts";
import { present } from "#shared/kernel/assert.ts";
import type { Call } from "#shared/kernel/calls.ts";
import { primitives } from "#shared/node/system.ts";
import { ManualClock } from "#test/kit/fakes/manual-clock.ts";
import { positionNo } from "#test/kit/places.ts";

const LENGTH = 40_000; // three chunks, the last of 28,928 bytes
const SID = "a".repeat(64);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "chorus-intake-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const workers: Worker[] = [];
const note = (worker: Worker) => void workers.push(worker);
beforeEach(() => {
  process.on("worker", note);
});

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  process.off("worker", note);
  workers.length = 0;
  for (const close of closers.splice(0)) await close();
});

let scenes = 0;
async function scene() {
  const intake = openIntake();
  const fold = openFolder({ workerCount: 2, intake });
  const spool = await openSpool(join(folder, String(++scenes)), primitives, intake);
  closers.push(
    () => fold.close(),
    () => intake.close(),
  );
  return { intake, fold, spool };
}
type Scene = Awaited<ReturnType<typeof scene>>;

/** RFC 6962 over chunks of 64 KiB, by its recursive definition. */
function rootOf(bytes: Uint8Array): string {
  const sha256 = (...parts: Uint8Array[]) => createHash("sha256").update(Buffer.concat(parts)).digest();
  const hash = (leaves: readonly Uint8Array[]): Buffer => {
    const [first] = leaves;
    if (first === undefined) return sha256();
    if (leaves.length === 1) return sha256(Buffer.of(0), first);
    const half = 2 ** Math.floor(Math.log2(leaves.length - 1));
    return sha256(Buffer.of(1), hash(leaves.slice(0, half)), hash(leaves.slice(half)));
  };
  const count = Math.ceil(bytes.length / 65_536);
  const leaves = Array.from({ length: count }, (_, i) => bytes.subarray(65_536 * i, 65_536 * (i + 1)));
  return hash(leaves).toString("hex");
}

/** Sends vectors to the positions 1, 2, ... of a session. */
async function receive({ spool }: Scene, vectors: readonly Buffer[]): Promise<FoldInput[]> {
  return Promise.all(
    vectors.map(async (bytes, index) => {
      const position = positionNo(index + 1);
      const root = rootOf(bytes);
      const upload = { sid: SID, position, offset: 0, byteCount: bytes.length, root };
      async function* body(): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < bytes.length; at += 10_007)
          yield Uint8Array.from(bytes.subarray(at, at + 10_007));
      }
      expect(await spool.receive(upload, body())).toEqual({ ok: true, value: "complete" });
      return { path: spool.path(SID, position), root };
    }),
  );
}

const vectorsOf = (count: number, length = LENGTH) =>
  Array.from({ length: count }, () => randomBytes(4 * length));

/** Keeps the next addition from the intake's thread and calls this instead. */
function atAddition(happen: (worker: Worker) => void): void {
  for (const worker of workers) {
    const post = worker.postMessage.bind(worker);
    worker.postMessage = (message: Partial<Call<{ readonly type: string }>>, transferred) => {
      if (message.request?.type === "add") happen(worker);
      else post(message, transferred as never);
    };
  }
}

/** The oracle: word by word, reduced at the end. */
function plainSum(vectors: readonly Buffer[], length = LENGTH, begun = 0): Uint32Array {
  return Uint32Array.from(
    { length },
    (_, i) => vectors.reduce((sum, bytes) => sum + bytes.readUInt32LE(4 * i), begun) % 2 ** 32,
  );
}

async function sumOf({ fold }: Scene, inputs: readonly FoldInput[], initial?: Uint32Array<ArrayBuffer>) {
  const job = { length: initial?.length ?? LENGTH, inputs, masks: [] };
  return fold.fold(initial === undefined ? job : { ...job, initial });
}

describe("[R50] an input that was just received", () => {
  test("is added from the memory in which it was hashed: what the disk does to it later is in no sum", async () => {
    const own = await scene();
    const vectors = vectorsOf(3);
    const inputs = await receive(own, vectors);
    for (const { path } of inputs) await writeFile(path, randomBytes(4 * LENGTH));
    const initial = new Uint32Array(LENGTH).fill(9);
    expect(await sumOf(own, inputs, initial)).toEqual({ ok: true, value: plainSum(vectors, LENGTH, 9) });
  });

  test("is added from memory once, and read and hashed again after that", async () => {
    const own = await scene();
    const vectors = vectorsOf(3);
    const inputs = await receive(own, vectors);
    expect(await sumOf(own, inputs)).toEqual({ ok: true, value: plainSum(vectors) });
    expect(await sumOf(own, inputs)).toEqual({ ok: true, value: plainSum(vectors) });
    await writeFile((inputs[1] as FoldInput).path, randomBytes(4 * LENGTH));
    expect(await sumOf(own, inputs)).toEqual({ ok: false, error: { type: "input-damaged", indexes: [1] } });
  });

  test("is not mistaken for another: an input with a different root is looked for on disk", async () => {
    const own = await scene();
    const inputs = await receive(own, vectorsOf(2));
    const [first, second] = inputs as [FoldInput, FoldInput];
    const crossed = [{ ...first, root: second.root }, second];
    expect(await sumOf(own, crossed)).toEqual({ ok: false, error: { type: "input-damaged", indexes: [0] } });
  });

  test("makes room for later ones; damage to those no longer in memory is found, by their own index", async () => {
    const own = await scene();
    const length = 2_100_000; // 8.4 MB: three of them in 32 MiB
    const vectors = vectorsOf(6, length);
    const inputs = await receive(own, vectors);
    for (const { path } of inputs) await writeFile(path, randomBytes(4 * length));
    const sum = await own.fold.fold({ length, inputs, masks: [] });
    const damaged = sum.ok ? [] : sum.error.indexes;
    expect(damaged).toHaveLength(3);
    const kept = inputs.filter((_, index) => !damaged.includes(index));
    // The fold gave away what was in memory.
    expect(await own.fold.fold({ length, inputs: kept, masks: [] })).toMatchObject({ ok: false });
  });

  test("is forgotten with its session, except for inputs that stay in it", async () => {
    const own = await scene();
    const vectors = vectorsOf(2);
    const inputs = await receive(own, vectors);
    await own.spool.discard(SID, [positionNo(2)]);
    for (const { path } of inputs) await writeFile(path, randomBytes(4 * LENGTH));
    expect(await sumOf(own, inputs)).toEqual({ ok: false, error: { type: "input-damaged", indexes: [0] } });
    expect((await sumOf(own, inputs.slice(1))).ok).toBe(false);
  });

  test("is read from disk if the thread that had it ended", async () => {
    const own = await scene();
    const vectors = vectorsOf(2);
    const inputs = await receive(own, vectors);
    for (const worker of workers) await worker.terminate();
    expect(await sumOf(own, inputs)).toEqual({ ok: true, value: plainSum(vectors) });
  });

  test("is read from disk if the thread ends while it adds; a sum that the thread was given is lost", async () => {
    const own = await scene();
    const vectors = vectorsOf(2);
    const end = (worker: Worker) => void worker.terminate();
    const inputs = await receive(own, vectors);
    atAddition(end);
    expect(await sumOf(own, inputs)).toEqual({ ok: true, value: plainSum(vectors) });
    await own.spool.discard(SID);
    const again = await receive(own, vectors);
    atAddition(end);
    await expect(sumOf(own, again, new Uint32Array(LENGTH))).rejects.toThrow("ended");
    expect(await sumOf(own, again)).toEqual({ ok: true, value: plainSum(vectors) });
  });

  test("is no longer added once its fold is cancelled, even if the thread never answers", async () => {
    const own = await scene();
    const inputs = await receive(own, vectorsOf(2));
    const cancel = new AbortController();
    atAddition(() => cancel.abort(new Error("the round is over")));
    const fold = own.fold.fold({ length: LENGTH, inputs, masks: [] }, cancel.signal);
    await expect(fold).rejects.toThrow("the round is over");
  });
});

test("[W7] a file of another root or length is no upload, and is not kept", async () => {
  const own = await scene();
  const [bytes] = vectorsOf(1) as [Buffer];
  const file = join(folder, "one");
  const root = rootOf(bytes);
  const verify = (expected: { byteCount: number; root: string }) => own.intake.verify(file, expected, file);
  await writeFile(file, bytes);
  expect(await verify({ byteCount: bytes.length, root: "0".repeat(64) })).toBe(false);
  expect(await verify({ byteCount: bytes.length - 4, root })).toBe(false);
  expect(await verify({ byteCount: bytes.length + 4, root })).toBe(false);
  expect(await own.intake.add(LENGTH, [{ path: file, root }])).toMatchObject({ missing: [0] });
  expect(await verify({ byteCount: bytes.length, root })).toBe(true);
  expect(await own.intake.add(LENGTH, [{ path: file, root }])).toEqual({
    sum: plainSum([bytes]),
    missing: [],
  });
  await expect(own.intake.verify(join(folder, "none"), { byteCount: 4, root }, null)).rejects.toThrow(
    "ENOENT",
  );
});

test("[R50] no thread starts only to forget what nobody kept", async () => {
  const own = await scene();
  await own.spool.discard(SID);
  expect(workers).toHaveLength(0);
});

test("[W7] a file that cannot be read to its end fails alone after half a minute; the files behind it are checked", async () => {
  const clock = new ManualClock();
  const intake = openIntake({ clock, after: clock.after });
  closers.push(() => intake.close());
  const [bytes] = vectorsOf(1) as [Buffer];
  const good = { byteCount: bytes.length, root: rootOf(bytes) };
  const file = join(folder, "behind");
  await writeFile(file, bytes);
  expect(await intake.verify(file, good, null)).toBe(true);
  // As if it hung in the first of its reads.
  present(workers[0], "the thread").postMessage = () => {};
  const checks = Promise.allSettled([file, file, file].map((path) => intake.verify(path, good, null)));
  // The first two are handed over.
  await new Promise((resolve) => setImmediate(resolve));
  for (let passed = 0; passed < 31; passed++) clock.advance(1_000);
  expect(await checks).toMatchObject([
    { status: "rejected", reason: { message: expect.stringContaining("gave no sign of life for 30 s") } },
    { status: "fulfilled", value: true },
    { status: "fulfilled", value: true },
  ]);
  expect(workers).toHaveLength(2);
});

test("[W7] a long check reports that it is still running", async () => {
  const own = await scene();
  const bytes = randomBytes(129 * 65_536);
  const file = join(folder, "long");
  await writeFile(file, bytes);
  const short = join(folder, "short");
  await writeFile(short, bytes.subarray(0, 4));
  await own.intake.verify(short, { byteCount: 4, root: rootOf(bytes.subarray(0, 4)) }, null);
  const kinds: string[] = [];
  present(workers[0], "the thread").on("message", ({ kind }: { kind: string }) => kinds.push(kind));
  expect(await own.intake.verify(file, { byteCount: bytes.length, root: rootOf(bytes) }, null)).toBe(true);
  expect(kinds).toEqual(["beat", "beat", "done"]);
});
