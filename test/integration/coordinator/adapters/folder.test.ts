import { createCipheriv, createHash, randomBytes } from "node:crypto";
import { appendFile, mkdir, mkdtemp, open, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { openFolder, sliceBounds } from "#coordinator/adapters/folder.ts";
import type { Folder, FoldInput, FoldJob } from "#coordinator/core/ports/ports.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "chorus-fold-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const opened: Folder[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});
function newFolder(workerCount?: number): Folder {
  const one = openFolder(workerCount === undefined ? {} : { workerCount });
  opened.push(one);
  return one;
}

let files = 0;
async function vectors(
  length: number,
  count: number,
): Promise<{ inputs: FoldInput[]; values: Uint32Array[] }> {
  const inputs: FoldInput[] = [];
  const values: Uint32Array[] = [];
  for (let index = 0; index < count; index++) {
    const bytes = randomBytes(4 * length);
    const path = join(folder, String(++files));
    await writeFile(path, bytes);
    inputs.push({ path, root: rootOf(bytes) });
    values.push(Uint32Array.from({ length }, (_, i) => bytes.readUInt32LE(4 * i)));
  }
  return { inputs, values };
}

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
  return hash(Array.from({ length: count }, (_, i) => bytes.subarray(65_536 * i, 65_536 * (i + 1)))).toString(
    "hex",
  );
}

/** Folds inputs that are not damaged. */
async function folded(one: Folder, job: FoldJob): Promise<Uint32Array<ArrayBuffer>> {
  const sum = await one.fold(job);
  if (!sum.ok) throw new Error(`inputs ${sum.error.indexes.join()} are damaged`);
  return sum.value;
}

/** A mask by Node's own AES, in one go from counter zero, read word by word. */
function keyStream(key: Uint8Array, length: number): Uint32Array {
  const bytes = createCipheriv("aes-256-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(4 * length));
  return Uint32Array.from({ length }, (_, i) => bytes.readUInt32LE(4 * i));
}

/** The oracle: one coordinate after the other, in integers, reduced at the end. */
function plainFold(job: Omit<FoldJob, "inputs"> & { readonly values: readonly Uint32Array[] }): Uint32Array {
  const streams = job.masks.map(({ key, sign }) => ({ sign, words: keyStream(key, job.length) }));
  return Uint32Array.from({ length: job.length }, (_, i) => {
    let sum = BigInt(job.initial?.[i] ?? 0);
    for (const vector of job.values) sum += BigInt(vector[i] ?? 0);
    for (const { sign, words } of streams) sum += BigInt(sign) * BigInt(words[i] ?? 0);
    return Number(BigInt.asUintN(32, sum));
  });
}

const mask = (sign: 1 | -1) => ({ key: new Uint8Array(randomBytes(32)), sign });

describe("a fold", () => {
  test.each([
    [1, 1],
    [3, 1],
    [4, 2],
    [5, 2],
    [1_001, 2],
    [65_536, 2],
    [131_077, 2],
    [200_003, 3],
  ])("of %i coordinates in %i workers is the plain sum of vectors and masks", async (length, workerCount) => {
    const { inputs, values } = await vectors(length, 5);
    const masks = [mask(1), mask(-1), mask(1)];
    const initial = Uint32Array.from({ length }, (_, i) => (i * 2_654_435_761) >>> 0);
    const sum = await folded(newFolder(workerCount), { length, inputs, initial: initial.slice(), masks });
    expect(sum).toEqual(plainFold({ length, values, initial, masks }));
  });

  test("leaves its masks unchanged and gives the same sum again; its initial sum is handed over", async () => {
    const { inputs, values } = await vectors(10_000, 3);
    const masks = [mask(1), mask(-1)];
    const begun = () => new Uint32Array(10_000).fill(7);
    const keys = masks.map(({ key }) => key.slice());
    const fold = newFolder();
    const job = () => ({ length: 10_000, inputs, initial: begun(), masks });
    const [first, second] = await Promise.all([folded(fold, job()), folded(fold, job())]);
    expect(second).toEqual(first);
    expect(first).toEqual(plainFold({ ...job(), values }));
    expect(masks.map(({ key }) => key)).toEqual(keys);
  });

  test("may be made in parts: a later one starts from the sum of an earlier one", async () => {
    const { inputs, values } = await vectors(4_097, 4);
    const fold = newFolder();
    const masks = [mask(-1)];
    const half = await folded(fold, { length: 4_097, inputs: inputs.slice(0, 2), masks: [] });
    const whole = await folded(fold, { length: 4_097, inputs: inputs.slice(2), initial: half, masks });
    expect(whole).toEqual(plainFold({ length: 4_097, values, masks }));
  });

  test("of nothing is zero", async () => {
    expect(await folded(newFolder(), { length: 9, inputs: [], masks: [] })).toEqual(new Uint32Array(9));
    expect(await folded(newFolder(), { length: 0, inputs: [], masks: [mask(1)] })).toEqual(
      new Uint32Array(0),
    );
  });

  test("removes masks again: a subtraction undoes an addition", async () => {
    const { inputs, values } = await vectors(33_333, 1);
    const secret = mask(1);
    const fold = newFolder();
    const masked = await folded(fold, { length: 33_333, inputs, masks: [secret] });
    expect(masked).not.toEqual(values[0]);
    const opened = await folded(fold, {
      length: 33_333,
      inputs: [],
      initial: masked,
      masks: [{ ...secret, sign: -1 }],
    });
    expect(opened).toEqual(values[0]);
  });

  describe("[R50] of a file that differs from its receipt gives no sum and names the file", () => {
    const LENGTH = 200_003; // 13 chunks, the last of 26,588 bytes; slices end at chunk 7
    const flip = (at: number) => async (path: string) => {
      const file = await open(path, "r+");
      const byte = Buffer.alloc(1);
      await file.read(byte, 0, 1, at);
      await file.write(Buffer.of((byte[0] as number) ^ 0x10), 0, 1, at);
      await file.close();
    };
    const damages: [string, (path: string) => Promise<unknown>][] = [
      ["first byte", flip(0)],
      ["last byte of a chunk", flip(65_535)],
      ["first byte of the second slice", flip(7 * 65_536)],
      ["last byte", flip(4 * LENGTH - 1)],
      ["end cut off", (path) => truncate(path, 4 * LENGTH - 4)],
      ["all cut off", (path) => truncate(path, 0)],
      ["bytes behind its end", (path) => appendFile(path, Buffer.alloc(4))],
      ["name gone", (path) => rm(path)],
      ["name taken by a folder", (path) => rm(path).then(() => mkdir(path))],
    ];

    test.each(damages)("%s", async (_, damage) => {
      const { inputs, values } = await vectors(LENGTH, 5);
      const fold = newFolder(2);
      const job = { length: LENGTH, inputs, masks: [mask(1)] };
      expect((await fold.fold(job)).ok).toBe(true);
      await damage((inputs[3] as FoldInput).path);
      expect(await fold.fold(job)).toEqual({ ok: false, error: { type: "input-damaged", indexes: [3] } });
      await damage((inputs[1] as FoldInput).path);
      expect(await fold.fold(job)).toMatchObject({ ok: false, error: { indexes: [1, 3] } });
      // The other inputs are unchanged.
      const rest = [0, 2, 4].map((index) => inputs[index] as FoldInput);
      expect(await folded(fold, { length: LENGTH, inputs: rest, masks: [] })).toEqual(
        plainFold({ length: LENGTH, values: [0, 2, 4].map((at) => values[at] as Uint32Array), masks: [] }),
      );
    });

    test("with chunks that changed places", async () => {
      const { inputs } = await vectors(LENGTH, 2);
      const { path } = inputs[1] as FoldInput;
      const bytes = await readFile(path);
      const swapped = [bytes.subarray(65_536, 131_072), bytes.subarray(0, 65_536), bytes.subarray(131_072)];
      await writeFile(path, Buffer.concat(swapped));
      expect(await newFolder(2).fold({ length: LENGTH, inputs, masks: [] })).toMatchObject({
        error: { indexes: [1] },
      });
    });

    test("with files that changed places, whose sum would be the same", async () => {
      const { inputs } = await vectors(1_000, 3);
      const [first, second, third] = inputs as [FoldInput, FoldInput, FoldInput];
      const crossed = [{ ...first, root: second.root }, { ...second, root: first.root }, third];
      expect(await newFolder().fold({ length: 1_000, inputs: crossed, masks: [] })).toMatchObject({
        error: { indexes: [0, 1] },
      });
    });
  });

  test("with more files than may be open at once gives their sum", async () => {
    const { inputs, values } = await vectors(17_000, 150);
    const job = { length: 17_000, masks: [mask(-1)] };
    expect(await folded(newFolder(2), { ...job, inputs })).toEqual(plainFold({ ...job, values }));
    await rm((inputs[149] as FoldInput).path);
    expect(await newFolder(2).fold({ ...job, inputs })).toMatchObject({ error: { indexes: [149] } });
  });
});

describe("workers", () => {
  /** The live worker threads of this process. */
  const alive = new Set<Worker>();
  const note = (worker: Worker) => {
    alive.add(worker);
    worker.once("exit", () => alive.delete(worker));
  };
  beforeAll(() => process.on("worker", note));
  afterAll(() => process.off("worker", note));

  test("one that fails while idle ends alone, and the next fold starts another", async () => {
    const { inputs, values } = await vectors(50_000, 2);
    const fold = newFolder(1);
    const before = new Set(alive);
    await folded(fold, { length: 50_000, inputs, masks: [] });
    const [idle] = [...alive].filter((worker) => !before.has(worker));
    const exited = new Promise((resolve) => idle?.once("exit", resolve));
    // The thread throws on anything that is not a task: an error event, for which a worker needs a listener.
    idle?.postMessage(null);
    await exited;
    const sum = await folded(fold, { length: 50_000, inputs, masks: [] });
    expect(sum).toEqual(plainFold({ length: 50_000, values, masks: [] }));
  });

  test("that are killed in the middle of a fold are replaced, and the sum is right", async () => {
    const length = 400_000;
    const { inputs, values } = await vectors(length, 12);
    const masks = Array.from({ length: 40 }, (_, index) => mask(index % 2 === 0 ? 1 : -1));
    const fold = newFolder();
    const expected = plainFold({ length, values, masks });
    let killedInTime = 0;
    for (const delayMs of [0, 5, 20, 60]) {
      let isDone = false;
      const sum = folded(fold, { length, inputs, masks }).finally(() => {
        isDone = true;
      });
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      if (!isDone) killedInTime += 1;
      const victims = delayMs === 0 ? [...alive] : [...alive].slice(0, 1);
      await Promise.all(victims.map((worker) => worker.terminate()));
      expect(await sum).toEqual(expected);
    }
    expect(killedInTime).toBeGreaterThan(0);
  });

  test("that keep dying end the fold with an error, not a wrong sum", async () => {
    const { inputs } = await vectors(50_000, 3);
    const kill = (worker: Worker) => void worker.terminate();
    process.on("worker", kill);
    try {
      await expect(newFolder().fold({ length: 50_000, inputs, masks: [] })).rejects.toThrow(/worker ended/);
    } finally {
      process.off("worker", kill);
    }
  });

  test("stop at the signal, and the next fold gets new ones", async () => {
    const length = 300_000;
    const { inputs, values } = await vectors(length, 2);
    const masks = Array.from({ length: 400 }, () => mask(1));
    const fold = newFolder();
    const control = new AbortController();
    const cancelled = fold.fold({ length, inputs, masks }, control.signal);
    const queued = fold.fold({ length, inputs, masks }, control.signal);
    setTimeout(() => control.abort(new Error("the run was stopped")), 30);
    await expect(cancelled).rejects.toThrow("the run was stopped");
    await expect(queued).rejects.toThrow("the run was stopped");
    expect(await folded(fold, { length, inputs, masks: [] })).toEqual(
      plainFold({ length, values, masks: [] }),
    );
    await expect(
      fold.fold({ length, inputs, masks }, AbortSignal.abort(new Error("before"))),
    ).rejects.toThrow("before");
  });

  test("end with the folder", async () => {
    const { inputs } = await vectors(300_000, 2);
    const fold = openFolder();
    const running = fold.fold({ length: 300_000, inputs, masks: Array.from({ length: 400 }, () => mask(1)) });
    const outcome = expect(running).rejects.toThrow();
    await fold.close();
    await outcome;
  });
});

test.each([4, 16_384])("slices cover the vector once, on multiples of %i", (step) => {
  for (const length of [...Array(200).keys(), step - 1, step, step + 1, 7 * step + 5]) {
    for (const count of [1, 2, 3, 7]) {
      const bounds = sliceBounds(length, count, step);
      expect(bounds.length).toBeLessThanOrEqual(count);
      expect(bounds.every(({ from }) => from % step === 0)).toBe(true);
      expect(bounds.every(({ to }, index) => to === (bounds[index + 1]?.from ?? length))).toBe(true);
      expect(bounds[0]?.from ?? 0).toBe(0);
      expect(bounds.every(({ from, to }) => from < to)).toBe(true);
    }
  }
});
