import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { encode } from "fast-png";
import { afterAll, describe, expect, test } from "vitest";
import { readDataset } from "#client/adapters/file-dataset.ts";
import { tar } from "#client/adapters/tar.ts";
import { toGrey } from "#client/core/grey.ts";
import { splitLocal } from "#client/core/local-data.ts";
import { featuresSchema } from "#shared/task/features.ts";

const root = mkdtempSync(join(tmpdir(), "chorus-files-"));
afterAll(() => rmSync(root, { recursive: true }));
const pictures = featuresSchema.parse({
  kind: "image",
  height: 2,
  width: 3,
  range: [0, 255],
  classes: ["cat", "dog"],
});
const table = featuresSchema.parse({
  kind: "tabular",
  columns: [{ name: "age", type: "numeric", range: [0, 100] }],
  label: { name: "deny" },
  classes: ["no", "yes"],
});

async function sentenceOf(path: string, features = pictures): Promise<string> {
  const read = await readDataset(path, features);
  return read.ok ? "taken" : read.error.sentence;
}

describe("an edge's data", () => {
  const axes = (...lengths: number[]) => [
    0,
    0,
    8,
    lengths.length,
    ...lengths.flatMap((length) => [0, 0, 0, length]),
  ];
  const idxPictures = Uint8Array.from([...axes(2, 2, 3), 0, 51, 102, 153, 204, 255, 255, 0, 0, 0, 0, 0]);
  const idxLabels = Uint8Array.from([...axes(2), 1, 0]);

  test("may be IDX files, gzipped too; the training pair where there are two", async () => {
    const folder = join(root, "idx");
    mkdirSync(folder);
    writeFileSync(join(folder, "t10k-images-idx3-ubyte"), Uint8Array.from(axes(0, 2, 3)));
    writeFileSync(join(folder, "t10k-labels-idx1-ubyte"), Uint8Array.from(axes(0)));
    writeFileSync(join(folder, "train-images-idx3-ubyte.gz"), gzipSync(idxPictures));
    writeFileSync(join(folder, "train-labels-idx1-ubyte"), idxLabels);
    const read = await readDataset(folder, pictures);
    if (!read.ok) throw new Error(read.error.sentence);
    const expected = [0, 0.2, 0.4, 0.6, 0.8, 1, 1, 0, 0, 0, 0, 0];
    expect([...read.value.dataset.inputs]).toEqual(expected.map(Math.fround));
    expect([...read.value.dataset.labels]).toEqual([1, 0]);
  });

  test("may be one folder of PNG files a class; what is no picture is left out and named", async () => {
    const folder = join(root, "png");
    for (const name of ["cat", "dog"]) mkdirSync(join(folder, name), { recursive: true });
    const grey = encode({
      width: 3,
      height: 2,
      data: Uint8Array.of(0, 51, 102, 153, 204, 255),
      channels: 1,
      depth: 8,
    });
    const red = encode({
      width: 3,
      height: 2,
      data: Uint8Array.from({ length: 24 }, (_, at) => [255, 0, 0, 255][at % 4] ?? 0),
      channels: 4,
      depth: 8,
    });
    writeFileSync(join(folder, "cat", "1.png"), grey);
    writeFileSync(join(folder, "dog", "1.png"), red);
    writeFileSync(join(folder, "dog", "2.png"), "not a picture");
    const read = await readDataset(folder, pictures);
    if (!read.ok) throw new Error(read.error.sentence);
    expect([...read.value.dataset.labels]).toEqual([0, 1]);
    const [cat, dog] = [read.value.dataset.inputs.slice(0, 6), read.value.dataset.inputs.slice(6)];
    expect([...cat]).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1].map(Math.fround));
    for (const value of dog) expect(value).toBeCloseTo(0.299, 5);
    expect(read.value.report).toEqual({
      rowsRead: 2,
      rowsLeftOut: 1,
      problems: [{ row: null, sentence: "dog/2.png is no PNG picture." }],
    });
  });

  test("that cannot be used is refused with what to do", async () => {
    expect(await sentenceOf(join(root, "nowhere"))).toMatch(/There is nothing at .*nowhere. Check the path/);
    const empty = join(root, "empty");
    mkdirSync(empty);
    expect(await sentenceOf(empty)).toMatch(
      /neither IDX files .* nor a folder named after a class \(cat, dog\)/,
    );
    expect(await sentenceOf(empty, table)).toMatch(/takes a CSV file/);
    mkdirSync(join(empty, "cat"));
    expect(await sentenceOf(empty)).toMatch(/holds no picture that can be used/);
    const csv = join(root, "rows.csv");
    writeFileSync(csv, "age,deny\n5,no\n");
    expect(await sentenceOf(csv, table)).toBe("taken");
    writeFileSync(csv, Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0, 0, 0, 13]));
    expect(await sentenceOf(csv, table)).toMatch(/not a text file/);
    const damaged = join(root, "damaged");
    mkdirSync(damaged);
    const packed = gzipSync(idxPictures);
    writeFileSync(join(damaged, "train-images-idx3-ubyte.gz"), packed.subarray(0, packed.length - 9));
    writeFileSync(join(damaged, "train-labels-idx1-ubyte"), idxLabels);
    expect(await sentenceOf(damaged)).toMatch(/damaged cannot be read: unexpected end of file/);
    const files = join(root, "files");
    mkdirSync(files);
    writeFileSync(join(files, "cat"), "a file and no folder");
    expect(await sentenceOf(files)).toMatch(/files cannot be read: ENOTDIR/);
  });
});

test("grey is the luma, laid on white where it is transparent", () => {
  const size = { height: 1, width: 2 };
  expect([...toGrey([0, 0, 0, 0, 0, 0, 0, 255], size, 4, 255).luminance]).toEqual([1, 0]);
  expect([...toGrey([65_535, 0], size, 1, 65_535).luminance]).toEqual([1, 0]);
  expect(toGrey([0, 255, 0, 0, 0, 255], size, 3, 255).luminance[0]).toBeCloseTo(0.587, 6);
});

test("rows that are kept back are the same each round, and never all of them", () => {
  const rows = {
    inputs: Float32Array.from({ length: 50 }, (_, index) => index),
    labels: new Int32Array(50),
    count: 50,
  };
  const identity = Uint8Array.from({ length: 32 }, (_, index) => index);
  const { train, local } = splitLocal(rows, 0.2, identity);
  expect([train.count, local.count]).toEqual([40, 10]);
  expect([...train.inputs, ...local.inputs].sort((left, right) => left - right)).toEqual([...rows.inputs]);
  expect(splitLocal(rows, 0.2, identity)).toEqual({ train, local });
  const one = { inputs: Float32Array.of(1), labels: Int32Array.of(0), count: 1 };
  expect(splitLocal(one, 0.9, identity)).toMatchObject({ train: { count: 1 }, local: { count: 0 } });
});

test("an archive is read by the system's tar, byte for byte", () => {
  const path = join(root, "all.tar");
  const bytes = Uint8Array.from({ length: 1_300 }, (_, index) => index & 255);
  writeFileSync(
    path,
    tar(
      [
        { name: "a/list.u32", bytes },
        { name: "empty.json", bytes: new Uint8Array(0) },
      ],
      1_767_225_600_000,
    ),
  );
  expect(execFileSync("tar", ["tf", path]).toString()).toBe("a/list.u32\nempty.json\n");
  expect(new Uint8Array(execFileSync("tar", ["xOf", path, "a/list.u32"]))).toEqual(bytes);
});
