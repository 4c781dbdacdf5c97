import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { lookAtTable, readDataset } from "#client/adapters/file-dataset.ts";
import { readMapping } from "#client/adapters/mapping-file.ts";
import { tar } from "#client/adapters/tar.ts";
import { splitLocal } from "#client/core/local-data.ts";
import type { Mapping } from "#shared/data/match/mapping.ts";
import { mappingForTask } from "#shared/data/match/mapping-of.ts";
import { readText } from "#shared/data/read-csv.ts";
import { featuresSchema } from "#shared/task/features.ts";
import { makePng } from "#test/kit/files/png.ts";
import { makeZip } from "#test/kit/files/zip.ts";
import { mappingBlob } from "#web/features/join/mapping-blob.ts";
import { mappingFileName } from "#web/words/mapping.ts";

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

/** What a person chose on the page for a file with other names. */
const SAID: Mapping = {
  columns: [
    { column: "age", from: "how old" },
    { column: "deny", from: "outcome", words: [{ word: "refused", means: "yes" }] },
  ],
};
const OTHER_NAMES = "how old;outcome\n31,5;refused\n40,0;no\n";

describe("[F8] what a person chose on the page, downloaded for an edge", () => {
  /** The page's reading of the file, and the file that its button saves. */
  async function onPage() {
    const read = readText(OTHER_NAMES, table, { mapping: SAID, takesUnsure: true });
    if (read.look === null || !read.outcome.ok) throw new Error("the page reads it");
    const path = join(root, mappingFileName("loans"));
    const blob = mappingBlob(mappingForTask(read.look, SAID, "loans"));
    writeFileSync(path, await blob.text());
    return { dataset: read.outcome.value.dataset, path };
  }

  test("makes an edge read the same rows from the file, in gzip and in a zip archive too", async () => {
    const { dataset, path } = await onPage();
    const mapping = await readMapping(path);
    if (!mapping.ok) throw new Error(mapping.error);
    expect(mapping.value?.task).toBe("loans");
    const forms = {
      "other.csv": Buffer.from(OTHER_NAMES),
      "other.csv.gz": gzipSync(OTHER_NAMES),
      "other.zip": makeZip([{ path: "export/other.csv", data: OTHER_NAMES }]),
    };
    for (const [name, bytes] of Object.entries(forms)) {
      writeFileSync(join(root, name), bytes);
      const read = await readDataset(join(root, name), table, { mapping: mapping.value });
      expect(read.ok && [read.value.dataset.inputs, read.value.dataset.labels], name).toEqual([
        dataset.inputs,
        dataset.labels,
      ]);
      const look = await lookAtTable(join(root, name), table, { mapping: mapping.value });
      expect(look.ok && look.value.header, name).toEqual(["how old", "outcome"]);
    }
    // Control: without the file, the edge takes none of it.
    expect((await readDataset(join(root, "other.csv"), table)).ok).toBe(false);
  });

  test("of one of several tables in an archive, which the edge's owner names", async () => {
    const two = join(root, "two.zip");
    const rows = (label: string) => `age,deny\n31,${label}\n`;
    writeFileSync(
      two,
      makeZip([
        { path: "a.csv", data: rows("no") },
        { path: "b.csv", data: rows("yes") },
      ]),
    );
    const asked = await readDataset(two, table);
    expect(!asked.ok && asked.error.choices).toEqual(["a.csv", "b.csv"]);
    const read = await readDataset(two, table, { set: "b.csv" });
    expect(read.ok && [...read.value.dataset.labels]).toEqual([1]);
  });
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

  test("may be IDX files, gzipped too; if there are two pairs, the training pair is read", async () => {
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

  test("may be one folder of PNG files for each class; other files are left out and named", async () => {
    const folder = join(root, "png");
    for (const name of ["cat", "dog"]) mkdirSync(join(folder, name), { recursive: true });
    const size = { width: 3, height: 2, depth: 8 };
    const grey = makePng({ ...size, colourType: 0, values: [0, 51, 102, 153, 204, 255] });
    const red = makePng({
      ...size,
      colourType: 6,
      values: Array.from({ length: 24 }, (_, at) => [255, 0, 0, 255][at % 4] ?? 0),
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
    expect(read.value.report).toMatchObject({
      rowsRead: 3,
      rowsTaken: 2,
      rowsLeftOut: 1,
      problems: [{ row: null, sentence: "“dog/2.png” is no picture; PNG, JPEG and WebP are read." }],
      notes: [{ kind: "pictures", sentence: "1 picture was in colour and made grey." }],
    });
  });

  test("may be a zip archive, or the file with the pictures of an IDX set; links to files are followed", async () => {
    const archive = join(root, "set.zip");
    writeFileSync(
      archive,
      makeZip([
        { path: "train-images-idx3-ubyte", data: idxPictures },
        { path: "train-labels-idx1-ubyte", data: idxLabels },
      ]),
    );
    const folder = join(root, "linked");
    mkdirSync(folder);
    for (const name of ["a-images-idx3-ubyte", "b-images-idx3-ubyte"])
      writeFileSync(join(folder, name), idxPictures);
    writeFileSync(join(folder, "a-labels-idx1-ubyte"), idxLabels);
    writeFileSync(join(root, "elsewhere"), Uint8Array.from([...axes(2), 0, 0]));
    symlinkSync(join(root, "elsewhere"), join(folder, "b-labels-idx1-ubyte"));
    expect(await sentenceOf(folder)).toMatch(/several sets: a-images-idx3-ubyte, b-images-idx3-ubyte/);
    const labelsOf = async (path: string) => {
      const read = await readDataset(path, pictures);
      return read.ok ? [...read.value.dataset.labels] : read.error.sentence;
    };
    expect(await labelsOf(archive)).toEqual([1, 0]);
    expect(await labelsOf(join(folder, "a-images-idx3-ubyte"))).toEqual([1, 0]);
    expect(await labelsOf(join(folder, "b-images-idx3-ubyte"))).toEqual([0, 0]);
    writeFileSync(archive, readFileSync(archive).subarray(0, 90));
    expect(await labelsOf(archive)).toMatch(/set.zip” is a zip archive that is cut short/);
  });

  test("that cannot be used is refused with what to do", async () => {
    expect(await sentenceOf(join(root, "nowhere"))).toMatch(/There is nothing at .*nowhere. Check the path/);
    const empty = join(root, "empty");
    mkdirSync(empty);
    expect(await sentenceOf(empty)).toMatch(/holds no files. Choose the folder with your data/);
    writeFileSync(join(empty, "1.png"), "x");
    expect(await sentenceOf(empty)).toMatch(
      /neither IDX files .* nor a folder named after a class \(cat, dog\)/,
    );
    rmSync(join(empty, "1.png"));
    expect(await sentenceOf(empty, table)).toMatch(/holds no files/);
    mkdirSync(join(empty, "cat"));
    writeFileSync(join(empty, "cat", "a.gif"), "GIF89a");
    expect(await sentenceOf(empty)).toMatch(/holds no picture that can be used.*is a GIF/);
    expect(await sentenceOf(empty, table)).toMatch(/holds no CSV file/);
    const csv = join(root, "rows.csv");
    writeFileSync(csv, "age,deny\n5,no\n");
    expect(await sentenceOf(csv, table)).toBe("taken");
    writeFileSync(csv, Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0, 0, 0, 13]));
    expect(await sentenceOf(csv, table)).toMatch(/PNG picture, not a CSV file/);
    const damaged = join(root, "damaged");
    mkdirSync(damaged);
    const packed = gzipSync(idxPictures);
    writeFileSync(join(damaged, "train-images-idx3-ubyte.gz"), packed.subarray(0, packed.length - 9));
    writeFileSync(join(damaged, "train-labels-idx1-ubyte"), idxLabels);
    expect(await sentenceOf(damaged)).toMatch(/is a gzip file that is damaged or cut short/);
    const files = join(root, "files");
    mkdirSync(files);
    writeFileSync(join(files, "cat"), "a file and no folder");
    expect(await sentenceOf(files)).toMatch(/nor a folder named after a class/);
  });
});

test("the held-back rows are the same each round, and never all of them", () => {
  const rows = {
    inputs: Float32Array.from({ length: 50 }, (_, index) => index),
    labels: new Float32Array(50),
    count: 50,
  };
  const identity = Uint8Array.from({ length: 32 }, (_, index) => index);
  const { train, local } = splitLocal(rows, 0.2, identity);
  expect([train.count, local.count]).toEqual([40, 10]);
  expect([...train.inputs, ...local.inputs].sort((left, right) => left - right)).toEqual([...rows.inputs]);
  expect(splitLocal(rows, 0.2, identity)).toEqual({ train, local });
  const one = { inputs: Float32Array.of(1), labels: Float32Array.of(0), count: 1 };
  expect(splitLocal(one, 0.9, identity)).toMatchObject({ train: { count: 1 }, local: { count: 0 } });
});

test.each([0, 1_300, 8_192, 8_704, 10_240 - 2 * 512])(
  "an archive with a file of %d bytes is read by the system's tar, byte for byte",
  (byteCount) => {
    const path = join(root, "all.tar");
    const data = Uint8Array.from({ length: byteCount }, (_, index) => index & 255);
    const files = [
      { name: "a/list.u32", data },
      { name: "empty.json", data: new Uint8Array(0) },
    ];
    writeFileSync(path, tar(files, 1_767_225_600_000));
    expect(
      readFileSync(path)
        .subarray(-1_024)
        .every((byte) => byte === 0),
    ).toBe(true);
    const listed = execFileSync("tar", ["tvf", path, "--utc", "--full-time"]).toString();
    expect(listed).toMatch(/^-rw-r--r-- 0\/0 +\d+ 2026-01-01 00:00:00 a\/list.u32\n.* empty.json\n$/);
    expect(new Uint8Array(execFileSync("tar", ["xOf", path, "a/list.u32"]))).toEqual(data);
  },
);

test("an archive truncates no name", () => {
  expect(() => tar([{ name: "a".repeat(101), data: new Uint8Array(1) }], 0)).toThrow(/fits its field/);
});
