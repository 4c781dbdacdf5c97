import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseDemoOptions } from "#coordinator/commands/demo/options.ts";
import { type Cut, cutDataset } from "#coordinator/commands/demo/parts.ts";
import { bundledTask, DEFAULT_DATASET } from "#coordinator/data/tasks.ts";
import { parseIdx } from "#shared/data/idx.ts";
import { readCsv } from "#shared/data/read-csv.ts";
import type { ImageFeatures } from "#shared/task/features.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "chorus-shards-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const digits = bundledTask("digits", 8, 1);
const plan = { features: digits.features, clientCount: 8, alpha: 0.5, seed: 1, heldOutFraction: 0.2 };

async function cut(path: string, more: object = {}): Promise<Cut> {
  const result = await cutDataset(path, { ...plan, ...more });
  if (!result.ok) throw new Error(result.error);
  return result.value;
}

const linesOf = (part: Cut["heldOut"]) => String(part.get("")).trimEnd().split("\n");

describe("a CSV file", () => {
  test("[E1] [E2] held-out rows and shards are the file's rows, each once, under its header", async () => {
    const { heldOut, shards, shardCounts } = await cut(DEFAULT_DATASET.digits);
    const [header, ...rows] = readFileSync(DEFAULT_DATASET.digits, "utf8").trimEnd().split(/\r?\n/);
    const parts = [heldOut, ...shards].map(linesOf);
    expect(parts.every((lines) => lines[0] === header)).toBe(true);
    expect(parts.flatMap((lines) => lines.slice(1)).sort()).toEqual(rows.sort());
    expect(shardCounts).toEqual(parts.slice(1).map((lines) => lines.length - 1));
    expect(Math.min(...shardCounts)).toBeGreaterThanOrEqual(10);
    // The written files are what an edge reads.
    for (const shard of shards) {
      const read = readCsv(String(shard.get("")), digits.features);
      expect(read.ok && read.value.report.rowsLeftOut).toBe(0);
    }
  });

  test("[E1] the held-out part does not depend on the seed, the shards do", async () => {
    const [first, second] = [
      await cut(DEFAULT_DATASET.hmda, hmda(1)),
      await cut(DEFAULT_DATASET.hmda, hmda(2)),
    ];
    expect(second.heldOut).toEqual(first.heldOut);
    expect(second.shards).not.toEqual(first.shards);
    expect(await cut(DEFAULT_DATASET.hmda, hmda(1))).toEqual(first);
  });

  test("fields with commas and quotes survive", async () => {
    const rows = Array.from({ length: 60 }, (_, row) => `${row},"a, ""b""",${row % 2 === 0 ? "no" : "yes"}`);
    writeFileSync(join(folder, "quoted.csv"), ["size,kind,deny", ...rows].join("\r\n"));
    const column = { name: "size", type: "numeric", range: [0, 100], protected: false, input: true } as const;
    const kind = {
      name: "kind",
      type: "categorical",
      categories: ['a, "b"', "c"],
      protected: false,
      input: true,
    } as const;
    const features = {
      kind: "tabular",
      columns: [column, kind],
      label: { name: "deny" },
      classes: ["no", "yes"],
    } as const;
    const { heldOut, shards } = await cut(join(folder, "quoted.csv"), {
      features,
      clientCount: 3,
      alpha: 10,
    });
    const lines = [heldOut, ...shards].flatMap((part) => linesOf(part).slice(1));
    expect(lines.sort()).toEqual(rows.sort());
  });
});

function hmda(seed: number) {
  return { features: bundledTask("hmda", 8, 1).features, seed };
}

describe("a folder of IDX files", () => {
  const features: ImageFeatures = {
    kind: "image",
    height: 2,
    width: 3,
    range: [0, 255],
    classes: ["a", "b"],
  };
  const idx = (prefix: string, count: number, offset: number, pack: boolean) => {
    const pictures = Buffer.alloc(16 + 6 * count);
    pictures.set([0, 0, 8, 3]);
    for (const [axis, length] of [count, 2, 3].entries()) pictures.writeUInt32BE(length, 4 + 4 * axis);
    const labels = Buffer.alloc(8 + count);
    labels.set([0, 0, 8, 1]);
    labels.writeUInt32BE(count, 4);
    for (let row = 0; row < count; row++) {
      // Each picture encodes its own number.
      pictures.fill(row + offset, 16 + 6 * row, 16 + 6 * row + 6);
      labels[8 + row] = (row + offset) % 2;
    }
    const suffix = pack ? ".gz" : "";
    writeFileSync(join(folder, `${prefix}-images-idx3-ubyte${suffix}`), pack ? gzipSync(pictures) : pictures);
    writeFileSync(join(folder, `${prefix}-labels-idx1-ubyte${suffix}`), pack ? gzipSync(labels) : labels);
  };
  const arrayOf = (bytes: Uint8Array) => {
    const array = parseIdx(bytes);
    if (!array.ok) throw new Error(array.error);
    return array.value;
  };
  /** The numbers of the pictures, after checking that each kept its label. */
  const numbersOf = (part: Cut["heldOut"]) => {
    const pictures = part.get("train-images-idx3-ubyte") as Buffer;
    const labels = part.get("train-labels-idx1-ubyte") as Buffer;
    const { axes, values } = arrayOf(pictures);
    const numbers = Array.from({ length: axes[0] ?? 0 }, (_, row) => values[6 * row] as number);
    expect(numbers.map((number) => number % 2)).toEqual([...arrayOf(labels).values]);
    return numbers;
  };
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);
  const small = { features, clientCount: 3, alpha: 5 };

  test("[E1] [E2] the official test part is held out; pictures keep their labels", async () => {
    idx("train", 100, 0, true);
    idx("t10k", 20, 100, false);
    const { heldOut, shards } = await cut(folder, small);
    expect(numbersOf(heldOut)).toEqual(range(100, 120));
    expect(shards.flatMap(numbersOf).sort((a, b) => a - b)).toEqual(range(0, 100));
  });

  test("[E1] without a test part, a fifth of the training part is held out", async () => {
    idx("train", 100, 0, false);
    const { heldOut, shards } = await cut(folder, small);
    expect(numbersOf(heldOut).length).toBe(20);
    expect([heldOut, ...shards].flatMap(numbersOf).sort((a, b) => a - b)).toEqual(range(0, 100));
  });

  test("files that are not IDX, or truncated, are refused in a sentence", async () => {
    expect(await cutDataset(folder, { ...plan, ...small })).toMatchObject({
      ok: false,
      error: expect.stringContaining("train-images"),
    });
    idx("train", 100, 0, false);
    writeFileSync(join(folder, "train-labels-idx1-ubyte"), "short");
    expect(await cutDataset(folder, { ...plan, ...small })).toMatchObject({
      ok: false,
      error: expect.stringContaining("cut short"),
    });
  });
});

test("the demo's ring is 16 or 32 bits, and its task has that ring", () => {
  expect(parseDemoOptions(["--ring", "16"])).toMatchObject({ ok: true, value: { ring: 16 } });
  expect(parseDemoOptions(["--ring", "8"])).toMatchObject({
    error: { sentence: expect.stringContaining("--ring is 16 or 32") },
  });
  expect(bundledTask("digits", 8, 1, 16).aggregation.ring).toBe(16);
  expect(digits.aggregation.ring).toBe(32);
});

test("the demo's defaults match its help", () => {
  expect(parseDemoOptions([])).toMatchObject({
    ok: true,
    value: {
      task: "digits",
      rounds: 15,
      clientCount: 8,
      alpha: 0.5,
      ring: 32,
      seed: 1,
      port: 3_000,
      dataDir: ".chorus",
      exit: false,
    },
  });
});
