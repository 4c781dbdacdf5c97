import { createCipheriv, randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { openFolder, sliceBounds } from "#coordinator/adapters/folder.ts";
import type { Folder, FoldJob } from "#coordinator/core/ports.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "chorus-fold-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const open: Folder[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});
function newFolder(workerCount?: number): Folder {
  const one = openFolder(workerCount === undefined ? {} : { workerCount });
  open.push(one);
  return one;
}

let files = 0;
async function vectors(length: number, count: number): Promise<{ paths: string[]; values: Uint32Array[] }> {
  const paths: string[] = [];
  const values: Uint32Array[] = [];
  for (let index = 0; index < count; index++) {
    const bytes = randomBytes(4 * length);
    const path = join(folder, String(++files));
    await writeFile(path, bytes);
    paths.push(path);
    values.push(Uint32Array.from({ length }, (_, i) => bytes.readUInt32LE(4 * i)));
  }
  return { paths, values };
}

/** A mask by Node's own AES, in one go from counter zero, read word by word. */
function keyStream(key: Uint8Array, length: number): Uint32Array {
  const bytes = createCipheriv("aes-256-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(4 * length));
  return Uint32Array.from({ length }, (_, i) => bytes.readUInt32LE(4 * i));
}

/** The oracle: one coordinate after the other, in integers, reduced at the end. */
function plainFold(job: Omit<FoldJob, "paths"> & { readonly values: readonly Uint32Array[] }): Uint32Array {
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
    const { paths, values } = await vectors(length, 5);
    const masks = [mask(1), mask(-1), mask(1)];
    const initial = Uint32Array.from({ length }, (_, i) => (i * 2_654_435_761) >>> 0);
    const sum = await newFolder(workerCount).fold({ length, paths, initial, masks });
    expect(sum).toEqual(plainFold({ length, values, initial, masks }));
  });

  test("leaves its job as it was and gives the same sum again", async () => {
    const { paths, values } = await vectors(10_000, 3);
    const masks = [mask(1), mask(-1)];
    const initial = new Uint32Array(10_000).fill(7);
    const keys = masks.map(({ key }) => key.slice());
    const fold = newFolder();
    const job = { length: 10_000, paths, initial, masks };
    const [first, second] = await Promise.all([fold.fold(job), fold.fold(job)]);
    expect(second).toEqual(first);
    expect(first).toEqual(plainFold({ ...job, values }));
    expect(initial.every((word) => word === 7)).toBe(true);
    expect(masks.map(({ key }) => key)).toEqual(keys);
  });

  test("may be made in parts: a later one starts from the sum of an earlier", async () => {
    const { paths, values } = await vectors(4_097, 4);
    const fold = newFolder();
    const masks = [mask(-1)];
    const half = await fold.fold({ length: 4_097, paths: paths.slice(0, 2), masks: [] });
    const whole = await fold.fold({ length: 4_097, paths: paths.slice(2), initial: half, masks });
    expect(whole).toEqual(plainFold({ length: 4_097, values, masks }));
  });

  test("of nothing is zero", async () => {
    expect(await newFolder().fold({ length: 9, paths: [], masks: [] })).toEqual(new Uint32Array(9));
    expect(await newFolder().fold({ length: 0, paths: [], masks: [mask(1)] })).toEqual(new Uint32Array(0));
  });

  test("takes masks off again: what it added, a subtraction removes", async () => {
    const { paths, values } = await vectors(33_333, 1);
    const secret = mask(1);
    const fold = newFolder();
    const masked = await fold.fold({ length: 33_333, paths, masks: [secret] });
    expect(masked).not.toEqual(values[0]);
    const opened = await fold.fold({
      length: 33_333,
      paths: [],
      initial: masked,
      masks: [{ ...secret, sign: -1 }],
    });
    expect(opened).toEqual(values[0]);
  });

  test("rejects a file that is missing or has another length, and works on", async () => {
    const { paths, values } = await vectors(1_000, 2);
    const fold = newFolder();
    const missing = fold.fold({ length: 1_000, paths: [...paths, join(folder, "none")], masks: [] });
    await expect(missing).rejects.toThrow(/ENOENT/);
    await expect(fold.fold({ length: 999, paths, masks: [] })).rejects.toThrow(/4000 bytes, not 3996/);
    expect(await fold.fold({ length: 1_000, paths, masks: [] })).toEqual(
      plainFold({ length: 1_000, values, masks: [] }),
    );
  });
});

describe("workers", () => {
  /** The worker threads of this process that live. */
  const alive = new Set<Worker>();
  const note = (worker: Worker) => {
    alive.add(worker);
    worker.once("exit", () => alive.delete(worker));
  };
  beforeAll(() => process.on("worker", note));
  afterAll(() => process.off("worker", note));

  test("that are killed in mid-fold are replaced, and the sum is right", async () => {
    const length = 400_000;
    const { paths, values } = await vectors(length, 12);
    const masks = Array.from({ length: 40 }, (_, index) => mask(index % 2 === 0 ? 1 : -1));
    const fold = newFolder();
    const expected = plainFold({ length, values, masks });
    let killedInTime = 0;
    for (const delayMs of [0, 5, 20, 60]) {
      let isDone = false;
      const sum = fold.fold({ length, paths, masks }).finally(() => {
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
    const { paths } = await vectors(50_000, 3);
    const kill = (worker: Worker) => void worker.terminate();
    process.on("worker", kill);
    try {
      await expect(newFolder().fold({ length: 50_000, paths, masks: [] })).rejects.toThrow(/worker ended/);
    } finally {
      process.off("worker", kill);
    }
  });

  test("stop at the signal, and the next fold gets new ones", async () => {
    const length = 300_000;
    const { paths, values } = await vectors(length, 2);
    const masks = Array.from({ length: 400 }, () => mask(1));
    const fold = newFolder();
    const control = new AbortController();
    const cancelled = fold.fold({ length, paths, masks }, control.signal);
    const queued = fold.fold({ length, paths, masks }, control.signal);
    setTimeout(() => control.abort(new Error("the run was stopped")), 30);
    await expect(cancelled).rejects.toThrow("the run was stopped");
    await expect(queued).rejects.toThrow("the run was stopped");
    expect(await fold.fold({ length, paths, masks: [] })).toEqual(plainFold({ length, values, masks: [] }));
    await expect(fold.fold({ length, paths, masks }, AbortSignal.abort(new Error("before")))).rejects.toThrow(
      "before",
    );
  });

  test("end with the folder", async () => {
    const { paths } = await vectors(300_000, 2);
    const fold = openFolder();
    const running = fold.fold({ length: 300_000, paths, masks: Array.from({ length: 400 }, () => mask(1)) });
    const outcome = expect(running).rejects.toThrow();
    await fold.close();
    await outcome;
  });
});

test("slices cover the vector once, on borders of AES blocks", () => {
  for (let length = 0; length < 200; length++) {
    for (const count of [1, 2, 3, 7]) {
      const bounds = sliceBounds(length, count);
      expect(bounds.length).toBeLessThanOrEqual(count);
      expect(bounds.every(({ from }) => from % 4 === 0)).toBe(true);
      const covered = bounds.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => from + i));
      expect(covered).toEqual(Array.from({ length }, (_, i) => i));
    }
  }
});
