import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { heldOutSetPath, openHeldOutFiles } from "#coordinator/adapters/held-out/files.ts";
import { readHeldOutRows } from "#coordinator/adapters/held-out/read-rows.ts";
import type { CheckProgress, HeldOutFiles } from "#coordinator/core/ports/held-out-files.ts";
import { bundledTask } from "#coordinator/data/tasks.ts";
import type { NamedFile } from "#shared/archive/byte-source.ts";
import { readSet } from "#shared/data/read-set.ts";
import { idxLayoutOf } from "#shared/data/set-layout.ts";
import { ok } from "#shared/kernel/result.ts";
import { nodePictureCodecs } from "#shared/node/picture-wasm.ts";
import type { HeldOutFormat, HeldOutReading } from "#shared/task/held-out.ts";
import { type Task, taskSchema } from "#shared/task/task.ts";
import { makePng } from "#test/kit/files/png.ts";
import { makeZip, type ZipItem } from "#test/kit/files/zip.ts";
import { openDecoder } from "#test/kit/tables/sources.ts";
import { smallTask } from "#test/kit/worlds/small-task.ts";

/* Held-out rows on a real disk: received, checked in a thread, kept; nothing of a refused file stays. */

const root = mkdtempSync(join(tmpdir(), "chorus-held-out-"));
afterAll(() => rmSync(root, { recursive: true }));

let dataDir: string;
let files: HeldOutFiles;
let count = 0;
beforeEach(async () => {
  dataDir = join(root, String(++count));
  files = await openHeldOutFiles(dataDir);
});
afterEach(() => files.close());

const ID = "0123456789abcdef0123456789abcdef";
const small = smallTask(3);
const never = new AbortController().signal;
const sha256 = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex");

async function* inPieces(bytes: Uint8Array, size = 1_000) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function check(content: Uint8Array | string, format: HeldOutFormat = "csv", task: Task = small) {
  const bytes = Buffer.from(content as Uint8Array);
  const upload = { uploadId: ID, offset: 0, byteCount: bytes.length };
  expect(await files.receive(upload, inPieces(bytes))).toEqual({ ok: true, value: "all-here" });
  const progress: CheckProgress[] = [];
  const checked = await files.check({ uploadId: ID }, { format }, task, (one) => progress.push(one), never);
  await files.discard(ID);
  return { checked, progress };
}

async function sentenceOf(content: Uint8Array | string, format: HeldOutFormat = "csv", task: Task = small) {
  const { checked } = await check(content, format, task);
  if (checked.ok) throw new Error("it was taken");
  expect(checked.error.error).toMatchObject({ code: "HELD_OUT_REFUSED", retry: "never" });
  expect(checked.error.error.message).toMatch(/ Nothing was stored\.$/);
  expect(existsSync(join(dataDir, "heldout", "sets"))).toBe(false);
  expect(readdirSync(join(dataDir, "heldout", "incoming"))).toEqual([]);
  return checked.error.error.message;
}

const HEADER = "a,b,c,d,label\n";
const row = (label: string) => `0.1,0.2,0.3,0.4,${label}\n`;

const PICTURE = { width: 8, height: 8, depth: 8, colourType: 0, values: [] } as const;
const png = (value: number) =>
  makePng({ ...PICTURE, values: Array.from({ length: 64 }, (_, at) => (at === 9 ? value : at)) });

function idx(count: number, label: (row: number) => number) {
  const pictures = Buffer.alloc(16 + 64 * count, 3);
  pictures.set([0, 0, 8, 3], 0);
  for (const [index, size] of [count, 8, 8].entries()) pictures.writeUInt32BE(size, 4 + 4 * index);
  const labels = Buffer.alloc(8 + count);
  labels.set([0, 0, 8, 1], 0);
  labels.writeUInt32BE(count, 4);
  for (let at = 0; at < count; at++) labels[8 + at] = label(at);
  return { pictures, labels };
}

describe("[D47] an IDX pair", () => {
  const task = bundledTask("digits", 8, 1);
  const { pictures, labels } = idx(20, (at) => 1 + (at % 10));
  // The second pixel of the first line, as EMNIST stores the first of the second line.
  pictures[17] = 16;
  const bytes = Buffer.concat([pictures, labels]);

  async function judgedRows(reading: HeldOutReading) {
    const path = join(dataDir, "pair");
    writeFileSync(path, bytes);
    const read = await readHeldOutRows(path, reading, task);
    if (!read.ok) throw new Error(read.error.sentence);
    return read.value;
  }

  test("judges models on the rows that a device makes of it, turned and counted from 1", async () => {
    const named = (name: string, data: Uint8Array): NamedFile => ({ path: name, read: async () => ok(data) });
    const onDevice = await readSet(
      "letters",
      [
        named("emnist-letters-train-images-idx3-ubyte", pictures),
        named("emnist-letters-train-labels-idx1-ubyte", labels),
      ],
      task.features,
      { codecs: nodePictureCodecs(), openDecoder },
    );
    if (!onDevice.ok) throw new Error(onDevice.error.sentence);
    const layout = idxLayoutOf("emnist-letters-test-labels-idx1-ubyte.gz");
    const judged = await judgedRows({ format: "idx", layout });
    expect(judged.dataset).toEqual(onDevice.value.dataset);
    expect(judged.dataset.inputs[8]).toBe(1);
    expect([...judged.dataset.labels].slice(0, 3)).toEqual([0, 1, 2]);
    // Without a layout the same bytes are other rows: the comparison can fail.
    const plain = await judgedRows({ format: "idx" });
    expect(plain.dataset.inputs[1]).toBe(1);
    expect(plain.report.rowsLeftOut).toBe(2);
  });

  test("is checked in the layout that its upload named", async () => {
    await files.receive({ uploadId: ID, offset: 0, byteCount: bytes.length }, inPieces(bytes));
    const check = (reading: HeldOutReading) => files.check({ uploadId: ID }, reading, task, () => {}, never);
    const layout = { isTransposed: true, firstLabel: 1 } as const;
    expect(await check({ format: "idx", layout })).toMatchObject({ ok: true, value: { rowCount: 20 } });
    expect(await check({ format: "idx" })).toMatchObject({ ok: false });
  });
});

describe("[E21] checking rows", () => {
  test("counts them by class, and names them by the hash of their bytes", async () => {
    const text = HEADER + row("x") + row("y") + row("y");
    const { checked, progress } = await check(text);
    const counts = [
      { name: "x", rows: 1 },
      { name: "y", rows: 2 },
      { name: "z", rows: 0 },
    ];
    expect(checked).toEqual({
      ok: true,
      value: { hash: sha256(text), rowCount: 3, balance: { kind: "classes", counts } },
    });
    expect(progress.at(-1)).toEqual({ rowsChecked: 3, checkedShare: 1 });
  });

  test("of a number gives its spread in the label's unit", async () => {
    const task = taskSchema.parse({
      ...small,
      model: {
        format: "tfjs-layers",
        inputShape: [4],
        layers: [{ className: "Dense", name: "out", units: 1, activation: "linear" }],
      },
      features: {
        kind: "tabular",
        columns: small.features.kind === "tabular" ? small.features.columns : [],
        label: { name: "label", unit: "dollars", range: [0, 10] },
      },
    });
    const { checked } = await check(HEADER + row("1") + row("4") + row("10"), "csv", task);
    const balance = { kind: "number", least: 1, mean: 5, greatest: 10 };
    expect(checked).toMatchObject({ ok: true, value: { rowCount: 3, balance } });
    expect(await sentenceOf(HEADER + row("4") + row("4"), "csv", task)).toContain(
      "Every row has the label 4.",
    );
  });

  test("takes an IDX pair in any order, packed or not", async () => {
    const task = bundledTask("digits", 8, 1);
    const { pictures, labels } = idx(20, (at) => at % 10);
    for (const body of [
      Buffer.concat([pictures, labels]),
      Buffer.concat([labels, pictures]),
      Buffer.concat([gzipSync(pictures), gzipSync(labels)]),
    ]) {
      const { checked } = await check(body, "idx", task);
      expect(checked).toMatchObject({ ok: true, value: { rowCount: 20, hash: sha256(body) } });
    }
    expect(await sentenceOf(pictures, "idx", task)).toContain("the file of pictures and the file of labels");
    expect(await sentenceOf(Buffer.concat([gzipSync(pictures), labels]), "idx", task)).toContain(
      "both packed",
    );
    expect(await sentenceOf(Buffer.concat([pictures, labels]), "idx")).toContain("Give a CSV file.");
  });

  test.each([
    [
      "a row that does not fit",
      HEADER + row("x") + row("y") + row("w"),
      /^1 of 3 rows do not fit the task\./,
    ],
    [
      "none of the classes",
      HEADER + row("p") + row("q"),
      /^None of the 2 rows can be used\. Row 1 is labelled “p”, which is not one of x, y, z\. Nothing/,
    ],
    ["one class only", HEADER + row("x").repeat(40), /^Every row is "x"\..*add rows of "y", "z"\./],
    ["other columns", "a,b\n1,2\n", /label|columns/],
    ["no rows", HEADER, /no rows/],
    ["nothing", " ", /empty/],
    ["no text", Buffer.from([0, 1, 2, 3, 0, 255]), /nothing for|CSV/],
  ])("refuses %s with what would work, and nothing stays", async (_, content, words) => {
    expect(await sentenceOf(content)).toMatch(words);
  });

  test("says how many rows are checked as the check goes, of a table and of pictures", async () => {
    const table = await check(HEADER + row("x").repeat(40_000) + row("y"));
    expect(table.checked).toMatchObject({ ok: true, value: { rowCount: 40_001 } });
    const { pictures, labels } = idx(40_000, (at) => at % 10);
    const pair = await check(Buffer.concat([pictures, labels]), "idx", bundledTask("digits", 8, 1));
    expect(pair.checked).toMatchObject({ ok: true, value: { rowCount: 40_000 } });
    for (const { progress } of [table, pair]) {
      const rows = progress.map(({ rowsChecked }) => rowsChecked);
      expect(rows.filter((count) => count > 0 && count < 40_000).length).toBeGreaterThan(1);
      expect(rows).toEqual(rows.toSorted((left, right) => left - right));
      const shares = progress.map(({ checkedShare }) => checkedShare);
      expect(shares).toEqual(shares.toSorted((left, right) => left - right));
      expect(shares.at(-1)).toBe(1);
    }
  });

  test("takes a zip of pictures in a folder for each class", async () => {
    const task = bundledTask("digits", 8, 1);
    const items = [
      { path: "set/0/a.png", data: png(0) },
      { path: "set/0/b.png", data: png(9) },
      { path: "set/7/a.png", data: png(255) },
      { path: "__MACOSX/set/7/._a.png", data: "x" },
    ];
    const body = makeZip(items);
    const { checked, progress } = await check(body, "zip", task);
    if (!checked.ok) throw new Error(checked.error.error.message);
    const { balance, rowCount, hash } = checked.value;
    const counts = balance.kind === "classes" && balance.counts.map(({ rows }) => rows);
    expect([counts, rowCount, hash]).toEqual([[2, 0, 0, 0, 0, 0, 0, 1, 0, 0], 3, sha256(body)]);
    expect(progress.map(({ rowsChecked }) => rowsChecked)).toEqual([0, 0, 1, 2, 3]);
    const more = makeZip([...items, { path: "set/eleven/a.png", data: png(1) }]);
    expect(await sentenceOf(more, "zip", task)).toMatch(/^1 of 4 rows do not fit the task\./);
  });

  const zips: readonly (readonly [what: string, items: readonly ZipItem[], words: RegExp])[] = [
    [
      "a zip that says it holds more than it can",
      [{ path: "0/a.png", data: png(0), says: { byteCount: 4_000_000_000 } }],
      /was made to fill memory, so it is not unpacked/,
    ],
    [
      "a zip whose file unpacks to more than it says",
      [
        { path: "0/a.png", data: Buffer.alloc(4_000_000), says: { byteCount: 1_000 } },
        { path: "1/a.png", data: png(0) },
      ],
      /^1 of 2 rows do not fit the task\./,
    ],
    [
      "a picture that says it has more pixels than its data",
      [
        {
          path: "0/a.png",
          data: makePng({ ...PICTURE, width: 60_000, height: 60_000, packed: Buffer.alloc(20) }),
        },
        { path: "1/a.png", data: png(0) },
      ],
      /^1 of 2 rows do not fit the task\./,
    ],
  ];
  test.each(zips)("refuses %s, and nothing stays", async (_, items, words) => {
    expect(await sentenceOf(makeZip(items), "zip", bundledTask("digits", 8, 1))).toMatch(words);
  });

  test("refuses a CSV of a million columns within seconds", async () => {
    const beganMs = performance.now();
    const header = Array.from({ length: 1_000_000 }, (_, index) => `c${index}`).join(",");
    expect(await sentenceOf(`${header}\n${"1,".repeat(999_999)}1\n`)).toMatch(/column/);
    expect(performance.now() - beganMs).toBeLessThan(60_000);
  });

  test("refuses what unpacks to more than a task may have before it is unpacked", async () => {
    const bomb = gzipSync(Buffer.alloc(80_000_000));
    expect(bomb.length).toBeLessThan(100_000);
    expect(await sentenceOf(bomb, "idx", bundledTask("digits", 8, 1))).toMatch(/larger than all rows/);
  });

  test("ends at once when it is stopped", async () => {
    const bytes = Buffer.from(HEADER + row("x").repeat(100_000));
    await files.receive({ uploadId: ID, offset: 0, byteCount: bytes.length }, inPieces(bytes, 65_536));
    const stop = new AbortController();
    const checking = files.check({ uploadId: ID }, { format: "csv" }, small, () => {}, stop.signal);
    stop.abort(new Error("stopped"));
    await expect(checking).rejects.toThrow("stopped");
  });

  test("gives up its place when it is stopped before its turn, and the check before it goes on", async () => {
    const bytes = Buffer.from(HEADER + (row("x") + row("y")).repeat(100_000));
    await files.receive({ uploadId: ID, offset: 0, byteCount: bytes.length }, inPieces(bytes, 65_536));
    const ended: string[] = [];
    const first = files.check({ uploadId: ID }, { format: "csv" }, small, () => {}, never);
    const stop = new AbortController();
    const second = files.check({ uploadId: ID }, { format: "csv" }, small, () => {}, stop.signal);
    const both = [
      first.then(() => ended.push("first")),
      expect(second)
        .rejects.toThrow("late")
        .then(() => ended.push("second")),
    ];
    stop.abort(new Error("late"));
    await Promise.all(both);
    expect(ended).toEqual(["second", "first"]);
    expect(await first).toMatchObject({ ok: true, value: { rowCount: 200_000 } });
  });
});

describe("[E21] receiving rows", () => {
  test("continues from what has arrived, and replaces what is sent again", async () => {
    const bytes = Buffer.from(HEADER + row("x") + row("y"));
    const receive = (offset: number, end: number) =>
      files.receive(
        { uploadId: ID, offset, byteCount: bytes.length },
        inPieces(bytes.subarray(offset, end), 7),
      );
    expect(await receive(0, 20)).toEqual({ ok: true, value: "partial" });
    expect(await files.offset(ID)).toBe(20);
    expect(await receive(30, 40)).toEqual({ ok: false, error: { type: "bad-offset" } });
    expect(await receive(10, 30)).toEqual({ ok: true, value: "partial" });
    expect(await receive(30, bytes.length)).toEqual({ ok: true, value: "all-here" });
    const hash = sha256(bytes);
    await files.keep(ID, "small", hash);
    expect(readFileSync(heldOutSetPath(dataDir, "small", hash))).toEqual(bytes);
    expect(await files.has("small", hash)).toBe(true);
    expect(await files.offset(ID)).toBe(0);
    const more = files.receive({ uploadId: ID, offset: 0, byteCount: 5 }, inPieces(bytes));
    expect(await more).toEqual({ ok: false, error: { type: "bad-length" } });
  });

  test("of three connections of one upload, only the newest writes", async () => {
    const bytes = Buffer.from(HEADER + row("x") + row("y"));
    const upload = { uploadId: ID, offset: 0, byteCount: bytes.length };
    async function* stuck() {
      yield bytes.subarray(0, 20);
      await new Promise(() => {});
    }
    const first = files.receive(upload, stuck());
    await expect.poll(() => files.offset(ID)).toBe(20);
    const second = files.receive(upload, inPieces(bytes, 7));
    const third = files.receive(upload, inPieces(bytes, 7));
    expect(await Promise.all([first, second, third])).toEqual([
      { ok: true, value: "partial" },
      { ok: true, value: "partial" },
      { ok: true, value: "all-here" },
    ]);
    expect(await files.offset(ID)).toBe(bytes.length);
  });

  test("a set goes when another takes its place; what an earlier process received is gone at the start", async () => {
    for (const text of ["one", "two"]) {
      const bytes = Buffer.from(text);
      await files.receive({ uploadId: ID, offset: 0, byteCount: bytes.length }, inPieces(bytes));
      await files.keep(ID, "small", sha256(text));
    }
    await files.remove("small", sha256("two"));
    expect([await files.has("small", sha256("one")), await files.has("small", sha256("two"))]).toEqual([
      false,
      true,
    ]);
    await files.receive({ uploadId: ID, offset: 0, byteCount: 9 }, inPieces(Buffer.from("three")));
    const again = await openHeldOutFiles(dataDir);
    expect([await again.offset(ID), await again.has("small", sha256("two"))]).toEqual([0, true]);
    await again.remove("small", null);
    expect(readdirSync(join(dataDir, "heldout", "sets"))).toEqual([]);
    await again.close();
  });

  test("no name leads out of its folder", () => {
    for (const slug of ["..", "a/b", "__proto__", "", "A"])
      expect(() => heldOutSetPath(dataDir, slug, "ab".repeat(32))).toThrow("not a set");
    expect(() => heldOutSetPath(dataDir, "small", "../../x")).toThrow("not a set");
  });
});

describe("[E20] rows of an earlier version's data folder", () => {
  test.each(["digits-v1.csv", "digits-v1"])("are a CSV file %s", async (name) => {
    const text = HEADER + row("x") + row("y");
    writeFileSync(join(dataDir, "heldout", name), text);
    const earlier = await files.earlier("digits", 1);
    expect(earlier).toMatchObject({ format: "csv", byteCount: text.length });
    await earlier?.copyInto(ID);
    expect(await files.offset(ID)).toBe(text.length);
    expect(await files.earlier("digits", 2)).toBeNull();
    await earlier?.remove();
    expect(await files.earlier("digits", 1)).toBeNull();
  });

  test("are a folder with an IDX pair, one of which may be packed", async () => {
    const folder = join(dataDir, "heldout", "digits-v1");
    mkdirSync(folder);
    expect(await files.earlier("digits", 1)).toBeNull();
    const { pictures, labels } = idx(20, (at) => at % 10);
    writeFileSync(join(folder, "train-images-idx3-ubyte.gz"), gzipSync(pictures));
    writeFileSync(join(folder, "train-labels-idx1-ubyte"), labels);
    const earlier = await files.earlier("digits", 1);
    expect(earlier?.format).toBe("idx");
    await earlier?.copyInto(ID);
    const task = bundledTask("digits", 8, 1);
    const checked = await files.check({ uploadId: ID }, { format: "idx" }, task, () => {}, never);
    const hash = sha256(Buffer.concat([pictures, labels]));
    expect(checked).toMatchObject({ ok: true, value: { rowCount: 20, hash } });
  });
});
