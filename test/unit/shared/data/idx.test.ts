import { describe, expect, test } from "vitest";
import { sourceOf } from "#shared/archive/byte-source.ts";
import { type IdxLayout, openIdx, parseIdx, scanIdx } from "#shared/data/idx.ts";
import { KeptRows } from "#shared/data/row-sink.ts";
import type { ImageFeatures } from "#shared/task/features.ts";

const features: ImageFeatures = {
  kind: "image",
  height: 2,
  width: 2,
  range: [0, 16],
  classes: ["a", "b", "c"],
};
const header = (...axes: number[]) => [0, 0, 8, axes.length, ...axes.flatMap((n) => [0, 0, n >> 8, n & 255])];
const pictures = Uint8Array.from([...header(2, 2, 2), 0, 4, 8, 16, 16, 0, 0, 0]);
const labels = Uint8Array.from([...header(2), 2, 0]);

async function fileOf(bytes: Uint8Array) {
  const file = await openIdx(sourceOf(bytes));
  if (!file.ok) throw new Error(file.error);
  return file.value;
}
async function read(first: Uint8Array, second: Uint8Array, layout?: IdxLayout, task = features) {
  const kept = new KeptRows(task);
  const reading = layout === undefined ? {} : { layout };
  return kept.imported(
    await scanIdx(await fileOf(first), await fileOf(second), task, kept.openRows, reading),
  );
}

describe("[D45] IDX files", () => {
  test("become rows", async () => {
    const rows = await read(pictures, labels);
    if (!rows.ok) throw new Error(rows.error.sentence);
    expect([...rows.value.dataset.inputs]).toEqual([0, 0.25, 0.5, 1, 1, 0, 0, 0]);
    expect([...rows.value.dataset.labels]).toEqual([2, 0]);
  });

  test.each([
    ["fewer labels than pictures", pictures, Uint8Array.from([...header(1), 2]), "bad-shape"],
    ["pictures of another size", Uint8Array.from([...header(2, 1, 2), 0, 4, 8, 16]), labels, "bad-shape"],
    ["labels for pictures", labels, labels, "bad-shape"],
    ["pictures for labels", pictures, pictures, "bad-shape"],
    ["no pictures", Uint8Array.from(header(0, 2, 2)), Uint8Array.from(header(0)), "no-rows"],
  ])("with %s are refused", async (_, first, second, type) => {
    expect(await read(first, second)).toMatchObject({ ok: false, error: { type } });
  });

  test("a picture with a value outside the task's range is left out and named, as in a table", async () => {
    const bright = pictures.slice();
    bright[16] = 17;
    const rows = await read(bright, labels);
    if (!rows.ok) throw new Error(rows.error.sentence);
    expect([...rows.value.dataset.inputs]).toEqual([1, 0, 0, 0]);
    expect([...rows.value.dataset.labels]).toEqual([0]);
    expect(rows.value.report).toMatchObject({
      rowsRead: 2,
      rowsLeftOut: 1,
      problems: [{ row: 1, sentence: "Picture 1 has the value 17, where 0 to 16 is wanted." }],
    });
    const all = bright.slice();
    all[20] = 255;
    expect(await read(all, labels)).toMatchObject({
      ok: false,
      error: {
        type: "no-good-rows",
        sentence: "None of the 2 pictures can be used. Picture 1 has the value 17, where 0 to 16 is wanted.",
      },
    });
  });

  test("so is one with a label that the task does not have", async () => {
    const rows = await read(pictures, Uint8Array.from([...header(2), 2, 3]));
    expect(rows.ok && rows.value.report.problems).toEqual([
      { row: 2, sentence: "Picture 2 has label 3, but the task has 3 classes, numbered from 0." },
    ]);
  });

  test("pictures stored column by column are turned, labels that count from 1 shifted, and both said", async () => {
    const wide = { ...features, height: 2, width: 3 };
    // Columns (1 2), (3 4), (5 6).
    const stored = Uint8Array.from([...header(1, 2, 3), 1, 2, 3, 4, 5, 6]);
    const rows = await read(
      stored,
      Uint8Array.from([...header(1), 3]),
      { isTransposed: true, firstLabel: 1 },
      wide,
    );
    if (!rows.ok) throw new Error(rows.error.sentence);
    expect(Array.from(rows.value.dataset.inputs, (value) => value * 16)).toEqual([1, 3, 5, 2, 4, 6]);
    expect([...rows.value.dataset.labels]).toEqual([2]);
    expect(rows.value.report.notes.map(({ sentence }) => sentence).join(" ")).toMatch(
      /column by column.*turned.*count from 1/,
    );
  });
});

test.each<readonly [string, Uint8Array, RegExp]>([
  ["nothing", new Uint8Array(0), /^is empty$/],
  ["three bytes", Uint8Array.of(0, 0, 8), /^is no IDX file$/],
  ["text", new Uint8Array(Buffer.from("p0,p1,label")), /^is no IDX file$/],
  ["pixels cut short", pictures.subarray(0, 20), /cut short/],
  ["a header cut short", pictures.subarray(0, 10), /cut short/],
  ["more than its header says", Uint8Array.from([...labels, 1]), /longer than its header says/],
  ["axes of any length", Uint8Array.from([0, 0, 8, 3, ...new Array(12).fill(255)]), /cut short/],
  [
    "16-bit integers",
    Uint8Array.from([0, 0, 0x0b, 1, 0, 0, 0, 1, 0, 1]),
    /^holds 16-bit integers, but only unsigned bytes/,
  ],
  [
    "floating-point numbers",
    Uint8Array.from([0, 0, 0x0d, 1, 0, 0, 0, 1, 0, 0, 0, 0]),
    /32-bit floating-point/,
  ],
])("[D45] an IDX file of %s is named", (_, bytes, fault) => {
  const array = parseIdx(bytes);
  expect(array.ok ? "taken" : array.error).toMatch(fault);
});
