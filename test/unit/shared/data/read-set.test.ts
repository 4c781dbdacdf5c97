import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type NamedFile, sourceOf, tooLarge } from "#shared/archive/byte-source.ts";
import { createFolderMatcher, folderOfClass } from "#shared/data/class-folders.ts";
import { readArchive, readSet, type SetProgress, type SetReading } from "#shared/data/read-set.ts";
import { err, ok } from "#shared/kernel/result.ts";
import { nodePictureCodecs } from "#shared/node/picture-wasm.ts";
import { featuresSchema, type ImageFeatures } from "#shared/task/features.ts";
import { makePng } from "#test/kit/files/png.ts";
import { makeZip } from "#test/kit/files/zip.ts";
import { openDecoder } from "#test/kit/tables/sources.ts";

const reading: SetReading = { codecs: nodePictureCodecs(), openDecoder };
const features = featuresSchema.parse({
  kind: "image",
  height: 2,
  width: 3,
  range: [0, 255],
  classes: ["cat", "dog"],
}) as ImageFeatures;
const fashion = { ...features, classes: ["T-shirt/top", "Trouser"] };
const table = featuresSchema.parse({
  kind: "tabular",
  columns: [{ name: "age", type: "numeric", range: [0, 100] }],
  label: { name: "deny" },
  classes: ["no", "yes"],
});

/** A picture whose first value is `first` of 255. */
const png = (first = 0) =>
  makePng({ width: 3, height: 2, depth: 8, colourType: 0, values: [first, 51, 102, 153, 204, 255] });
const header = (...axes: number[]) => [0, 0, 8, axes.length, ...axes.flatMap((n) => [0, 0, n >> 8, n & 255])];
const idxPictures = (...firsts: number[]) =>
  Uint8Array.from([...header(firsts.length, 2, 3), ...firsts.flatMap((first) => [first, 0, 0, 0, 0, 0])]);
const idxLabels = (...labels: number[]) => Uint8Array.from([...header(labels.length), ...labels]);

type Files = Readonly<Record<string, Uint8Array | string>>;
function filesOf(files: Files): NamedFile[] {
  return Object.entries(files).map(([path, data]) => ({
    path,
    read: async (byteCountMax) =>
      data.length > byteCountMax
        ? err(tooLarge(byteCountMax))
        : ok(new Uint8Array(Buffer.from(data as Uint8Array))),
  }));
}
async function readOf(
  files: Files,
  task: Parameters<typeof readSet>[2] = features,
  more: Partial<SetReading> = {},
) {
  const read = await readSet("mine", filesOf(files), task, { ...reading, ...more });
  if (!read.ok) return { type: read.error.type, sentence: read.error.sentence };
  const { dataset, report } = read.value;
  const width = dataset.inputs.length / dataset.count;
  return {
    firsts: Array.from({ length: dataset.count }, (_, row) =>
      Math.round((dataset.inputs[row * width] ?? 0) * 255),
    ),
    labels: [...dataset.labels],
    leftOut: report.rowsLeftOut,
    problems: report.problems.map(({ sentence }) => sentence),
    notes: report.notes.map(({ sentence }) => sentence),
  };
}

describe("[D46] a folder for each class", () => {
  test("around which there may be others, and what systems leave behind is counted", async () => {
    const read = await readOf({
      "set/.DS_Store": "x",
      "set/cat/.DS_Store": "x",
      "set/cat/Thumbs.db": "x",
      "set/cat/1.png": png(1),
      "set/dog/old/2.PNG": png(2),
      "__MACOSX/set/cat/._1.png": "x",
    });
    expect(read).toEqual({
      firsts: [1, 2],
      labels: [0, 1],
      leftOut: 0,
      problems: [],
      notes: ["4 files of the system (such as .DS_Store or Thumbs.db) were ignored."],
    });
  });

  test("that matches no class is named with its number of files, and so are files in no folder", async () => {
    const read = await readOf({
      "cat/1.png": png(1),
      "cats/1.png": png(),
      "cats/2.png": png(),
      "readme.txt": "hello",
      "labels.csv": "a,b",
      "cat/notes.txt": "hello",
    });
    expect(read).toMatchObject({ firsts: [1], labels: [0], leftOut: 5, notes: [] });
    expect(read.problems).toEqual([
      "“cat/notes.txt” is no picture; PNG, JPEG and WebP are read.",
      "The folder “cats” is named after no class, so its 2 files were left out. The classes are cat, dog.",
      "2 files lie in no folder of a class and were left out, “readme.txt” first.",
    ]);
  });

  test("in another letter case, or spelled as a folder can be", async () => {
    expect(await readOf({ "CAT/1.png": png(1), "Dog/1.png": png(2) })).toMatchObject({ labels: [0, 1] });
    const read = await readOf(
      {
        "T-shirt_top/a.png": png(1),
        "t-shirt_top/b.png": png(2),
        "T-shirt/top/c.png": png(3),
        "T-shirt/a.png": png(4),
        "Trouser/a.png": png(5),
      },
      fashion,
    );
    expect(read).toMatchObject({ firsts: [1, 2, 3, 5], labels: [0, 0, 0, 1], leftOut: 1 });
    expect(read.problems).toEqual([
      "The folder “T-shirt” is named after no class, so its 1 file was left out. The classes are T-shirt_top, Trouser.",
    ]);
  });

  test("with other marks between its letters, unless two classes differ in those alone", async () => {
    const marks = { "t-shirt-top/a.png": png(1), "tshirt top/b.png": png(2), "trouser_/c.png": png(3) };
    expect(await readOf(marks, fashion)).toMatchObject({ labels: [0, 0, 1], leftOut: 0 });
    const languages = { ...features, classes: ["C", "C++", "1", "0", "10"] };
    const read = await readOf({ "c#/a.png": png(1), "C++/b.png": png(2), "1/0/c.png": png(3) }, languages);
    expect(read).toMatchObject({ labels: [1], leftOut: 2 });
  });

  test("inside that of another class is ambiguous, and named", async () => {
    const read = await readOf({ "cat/dog/1.png": png(1), "dog/2.png": png(2) });
    expect(read).toMatchObject({ firsts: [2], labels: [1], leftOut: 1 });
    expect(read.problems).toEqual([
      "“cat/dog” is named after two classes, so its 1 file was left out. Rename one.",
    ]);
    // So it is if there is nothing else.
    expect(await readOf({ "cat/dog/1.png": png(1) })).toMatchObject({
      sentence: expect.stringMatching(/named after two classes/),
    });
  });

  test("in a part for training and one for testing: the first is read, and the other counted", async () => {
    const files = {
      "set/train/cat/1.png": png(1),
      "set/test/cat/2.png": png(2),
      "set/test/dog/3.png": png(3),
    };
    expect(await readOf(files)).toMatchObject({
      firsts: [1],
      leftOut: 2,
      problems: ["Of the part “test” of the set 2 files were left out."],
    });
    expect(await readOf(files, features, { part: "test" })).toMatchObject({ firsts: [2, 3], leftOut: 1 });
    expect(await readOf({ "test/cat/2.png": png(2) })).toMatchObject({ firsts: [2], leftOut: 0 });
  });

  test("is missing: the folders that are there are named", async () => {
    expect(await readOf({ "Katze/1.png": png() }, fashion)).toEqual({
      type: "unreadable",
      sentence:
        "“mine” holds neither IDX files (train-images-idx3-ubyte, train-labels-idx1-ubyte) nor a folder named after a class (T-shirt_top, Trouser). It has Katze.",
    });
    expect(await readOf({})).toMatchObject({
      sentence: "“mine” holds no files. Choose the folder with your data.",
    });
    expect(await readOf({ ".DS_Store": "x" })).toMatchObject({ type: "unreadable" });
  });

  test("with no picture that can be used: the first reason is given", async () => {
    expect(await readOf({ "cat/a.gif": "GIF89a" })).toEqual({
      type: "no-good-rows",
      sentence:
        "“mine” holds no picture that can be used. “cat/a.gif” is a GIF, which is not read here; save it as PNG or JPEG.",
    });
  });

  test("reading can be stopped, and tells how far it is", async () => {
    const files = Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`cat/${at}.png`, png(at)]));
    const seen: string[] = [];
    const onProgress = async ({ doneCount, totalCount }: SetProgress) => {
      seen.push(`${doneCount} of ${totalCount}`);
      return doneCount < 3;
    };
    expect(await readOf(files, features, { onProgress })).toMatchObject({ type: "stopped" });
    expect(seen).toEqual(["0 of 10", "1 of 10", "2 of 10", "3 of 10"]);
  });

  test("files read are taken, left out or ignored: they add up", async () => {
    const name = fc.constantFrom("cat", "dog", "Cat", "bird", "train", "test", "__MACOSX", ".git", "x");
    const path = fc
      .tuple(
        fc.array(name, { maxLength: 3 }),
        fc.constantFrom("a.png", "b.txt", ".DS_Store", "c.gif"),
        fc.nat(50),
      )
      .map(([folders, file, number]) =>
        [...folders, `${file.startsWith(".") ? "" : number}${file}`].join("/"),
      );
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(path, { minLength: 1, maxLength: 12 }), async (paths) => {
        const files = Object.fromEntries(paths.map((at) => [at, at.endsWith(".png") ? png(1) : "GIF89a"]));
        const read = await readSet("mine", filesOf(files), features, reading);
        if (!read.ok) return;
        const { rowsRead, rowsTaken, notes } = read.value.report;
        const ignored = Number(/^(\d+) file/.exec(notes[0]?.sentence ?? "")?.[1] ?? 0);
        expect(rowsRead + ignored).toBe(paths.length);
        expect(rowsTaken).toBe(read.value.dataset.count);
      }),
      { numRuns: 200 },
    );
  });
});

describe("[D46] the name of a class's folder", () => {
  test("has _ for what no folder can have", () => {
    expect(["T-shirt/top", "a:b", "what?", "end.", "plain", "größe"].map(folderOfClass)).toEqual([
      "T-shirt_top",
      "a_b",
      "what_",
      "end_",
      "plain",
      "größe",
    ]);
  });

  test("differs in letter case alone: only the exact one matches", () => {
    const match = createFolderMatcher(["a", "A", "b"]);
    expect([match(["a"]), match(["A"]), match(["B"])]).toEqual([[0], [1], [2]]);
    const both = createFolderMatcher(["ab", "AB"]);
    expect([both(["Ab"]), both(["ab"])]).toEqual([[], [0]]);
  });

  test("is a reserved name of JavaScript: it is a name like others", () => {
    const names = ["__proto__", "constructor", "toString"];
    expect(names.map((name) => createFolderMatcher(["x", "y"])([name]))).toEqual([[], [], []]);
    expect(names.map((name) => createFolderMatcher(names)([name]))).toEqual([[0], [1], [2]]);
  });

  test("of every class finds that class again", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), { minLength: 2 }), (classes) => {
        const folders = classes.map(folderOfClass);
        const match = createFolderMatcher(classes);
        for (const [label, folder] of folders.entries()) {
          const isOnly = folders.every(
            (other, at) => at === label || other.normalize() !== folder.normalize(),
          );
          const isOwn = !classes.some((name, at) => at !== label && name.normalize() === folder.normalize());
          if (isOnly && isOwn) expect(match([folder])).toEqual([label]);
        }
      }),
    );
  });
});

describe("[D44] what was done to pictures is counted and said", () => {
  /** A dark stroke on white, or a picture without an even border. */
  const sized = (width: number, height: number, isInk: boolean) =>
    makePng({
      ...{ width, height, depth: 8, colourType: 0 },
      values: Array.from({ length: width * height }, (_, at) =>
        isInk ? (at === width + 1 ? 0 : 255) : (at * 97) % 256,
      ),
    });
  const rgba = (...pixel: number[]) =>
    makePng({
      ...{ width: 3, height: 2, depth: 8, colourType: 6 },
      values: Array.from({ length: 6 }, () => pixel).flat(),
    });

  test("nothing of pictures that were taken as they are", async () => {
    expect(await readOf({ "cat/1.png": png(1), "dog/2.png": png(2) })).toMatchObject({ notes: [] });
  });

  test("cropped to the ink, cut from the middle, made grey, laid on white, turned", async () => {
    const orientation = [
      0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0,
    ];
    const turned = makePng({
      ...{ width: 2, height: 3, depth: 8, colourType: 0, values: [9, 51, 102, 153, 204, 255] },
      extra: [["eXIf", Uint8Array.from(orientation)]],
    });
    const read = await readOf({
      "cat/ink.png": sized(6, 8, true),
      "cat/photo.png": sized(9, 8, false),
      "cat/other.png": sized(8, 9, false),
      "dog/turned.png": turned,
      "dog/green.png": rgba(0, 200, 0, 255),
      "dog/clear.png": rgba(80, 80, 80, 0),
    });
    expect(read.notes).toEqual([
      "1 picture was brought to 2 by 3 pixels: cropped to what stands out of the background, which became 0.",
      "2 pictures were brought to 2 by 3 pixels: the middle was taken.",
      "1 picture was in colour and made grey.",
      "1 picture was transparent in parts and laid on white.",
      "1 picture was turned upright, as the file says.",
      "3 pictures had 2 by 3 pixels and kept the background, which became 0 in the others. A model can learn to tell the two kinds of files apart: give all pictures in one size.",
    ]);
  });

  test("a colour task makes nothing grey and crops nothing to ink", async () => {
    const colour = { ...features, channels: 3 } as const;
    const read = await readOf({ "cat/a.png": rgba(0, 200, 0, 255), "dog/b.png": sized(6, 8, true) }, colour);
    expect(read.notes).toEqual(["1 picture was brought to 2 by 3 pixels: the middle was taken."]);
  });
});

describe("[D47] IDX files of a folder", () => {
  const mnist = {
    "train-images-idx3-ubyte": idxPictures(1, 2),
    "train-labels-idx1-ubyte": idxLabels(0, 1),
    "t10k-images-idx3-ubyte": idxPictures(3),
    "t10k-labels-idx1-ubyte": idxLabels(1),
  };

  test("are the training pair, packed or not", async () => {
    const packed = Object.fromEntries(
      Object.entries(mnist).map(([name, data]) => [`raw/${name}.gz`, gzipSync(data)]),
    );
    for (const files of [mnist, packed]) {
      const read = await readOf(files);
      expect(read).toMatchObject({ firsts: [1, 2], labels: [0, 1], leftOut: 0 });
      expect(read.notes?.[0]).toMatch(
        /train-images.* and its labels were read; 2 files beside them were not used/,
      );
      expect(await readOf(files, features, { part: "test" })).toMatchObject({ firsts: [3], labels: [1] });
    }
  });

  test("of Kaggle are read once, though each has a folder of its name beside it", async () => {
    const files = {
      "train-images.idx3-ubyte": idxPictures(1, 2),
      "train-labels.idx1-ubyte": idxLabels(0, 1),
      "train-images-idx3-ubyte/train-images-idx3-ubyte": idxPictures(1, 2),
      "train-labels-idx1-ubyte/train-labels-idx1-ubyte": idxLabels(0, 1),
      "t10k-images.idx3-ubyte": idxPictures(3),
      "t10k-labels.idx1-ubyte": idxLabels(1),
    };
    expect(await readOf(files)).toMatchObject({ firsts: [1, 2], labels: [0, 1] });
    const inFolders = Object.fromEntries(Object.entries(files).filter(([path]) => path.includes("/")));
    expect(await readOf(inFolders)).toMatchObject({ firsts: [1, 2], labels: [0, 1] });
  });

  test("of EMNIST are turned, the set with the task's number of classes is chosen, and letters count from 1", async () => {
    const alphabet = { ...features, height: 3, width: 2, classes: [..."abcdefghijklmnopqrstuvwxyz"] };
    const upside = Uint8Array.from([...header(1, 3, 2), 1, 2, 3, 4, 5, 6]);
    const files = {
      "gzip/emnist-letters-train-images-idx3-ubyte.gz": gzipSync(upside),
      "gzip/emnist-letters-train-labels-idx1-ubyte.gz": gzipSync(idxLabels(26)),
      "gzip/emnist-letters-test-images-idx3-ubyte.gz": gzipSync(upside),
      "gzip/emnist-letters-test-labels-idx1-ubyte.gz": gzipSync(idxLabels(1)),
      "gzip/emnist-digits-train-images-idx3-ubyte.gz": gzipSync(upside),
      "gzip/emnist-digits-train-labels-idx1-ubyte.gz": gzipSync(idxLabels(9)),
    };
    const read = await readSet("mine", filesOf(files), alphabet, reading);
    if (!read.ok) throw new Error(read.error.sentence);
    expect(Array.from(read.value.dataset.inputs, (value) => Math.round(value * 255))).toEqual([
      1, 4, 2, 5, 3, 6,
    ]);
    expect([...read.value.dataset.labels]).toEqual([25]);
    expect(read.value.report.notes.map(({ sentence }) => sentence).join(" ")).toMatch(
      /They were turned.*count from 1/,
    );
  });

  test("of several sets: it asks which, and takes the one that is named", async () => {
    const twice = Object.fromEntries(
      Object.entries(mnist).flatMap(([name, data]) => [
        [`MNIST/${name}`, data],
        [`FashionMNIST/${name}`, data],
      ]),
    );
    expect(await readOf(twice)).toEqual({
      type: "several-sets",
      sentence:
        "“mine” holds several sets: MNIST/train-images-idx3-ubyte, FashionMNIST/train-images-idx3-ubyte. Give one of them.",
    });
    const asked = await readSet("mine", filesOf(twice), features, reading);
    const [, second = ""] = (!asked.ok && asked.error.choices) || [];
    expect(second).toBe("FashionMNIST/train-images-idx3-ubyte");
    expect(await readOf(twice, features, { set: second })).toMatchObject({
      firsts: [1, 2],
      notes: [expect.stringMatching(/^“FashionMNIST.* 6 files beside them were not used/)],
    });
    // A name that is none of them is asked about again.
    expect(await readOf(twice, features, { set: "CIFAR" })).toMatchObject({ type: "several-sets" });
  });

  test("without labels, or of another type, are named", async () => {
    expect(await readOf({ "train-images-idx3-ubyte": idxPictures(1) })).toMatchObject({
      type: "unreadable",
      sentence: expect.stringMatching(
        /“train-images-idx3-ubyte” is one file of an IDX set, and the other is not beside it/,
      ),
    });
    const floats = Uint8Array.from([0, 0, 0x0d, 1, 0, 0, 0, 0]);
    expect(await readOf({ ...mnist, "train-labels-idx1-ubyte": floats })).toMatchObject({
      sentence: expect.stringMatching(/“train-labels-idx1-ubyte” holds 32-bit floating-point numbers/),
    });
    const cut = gzipSync(idxPictures(1, 2)).subarray(0, 20);
    expect(await readOf({ ...mnist, "train-images-idx3-ubyte": cut })).toMatchObject({
      sentence: expect.stringMatching(/is a gzip file that is damaged or cut short/),
    });
  });
});

describe("[D43] an archive", () => {
  const archive = (files: Files, task: Parameters<typeof readArchive>[2] = features) =>
    readArchive(
      "mine.zip",
      sourceOf(makeZip(Object.entries(files).map(([path, data]) => ({ path, data })))),
      task,
      reading,
    );

  test("of pictures, of IDX files or of a table is read like a folder", async () => {
    expect(await archive({ "s/cat/1.png": png(1), "s/dog/2.png": png(2) })).toMatchObject({
      value: { report: { rowsRead: 2 } },
    });
    expect(
      await archive({
        "a/train-images-idx3-ubyte": idxPictures(1, 2),
        "a/train-labels-idx1-ubyte": idxLabels(0, 1),
      }),
    ).toMatchObject({ value: { report: { rowsRead: 2 } } });
    expect(await archive({ "rows.csv": "age,deny\n5,no\n" }, table)).toMatchObject({
      value: { report: { rowsRead: 1 } },
    });
  });

  test("holds a table in any encoding", async () => {
    const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from("age;deny\r\n5;no\r\n", "utf16le")]);
    expect(await archive({ "rows.csv": utf16 }, table)).toMatchObject({
      value: { report: { rowsTaken: 1 } },
    });
  });

  test("in an archive, or a document of Excel, is named", async () => {
    expect(await archive({ "inner.zip": makeZip([]), "cat/1.png": png(1) })).toMatchObject({
      value: { report: { rowsLeftOut: 1 } },
    });
    expect(await archive({ "cat/inner.zip": makeZip([{ path: "a", data: "b" }]) })).toMatchObject({
      error: { sentence: expect.stringMatching(/is a zip archive; give it by itself, or unpack it/) },
    });
    expect(await archive({ "[Content_Types].xml": "<x/>", "xl/workbook.xml": "<x/>" }, table)).toMatchObject({
      error: { type: "not-text", sentence: expect.stringMatching(/Save the sheet as CSV/) },
    });
    expect(await archive({ "a.csv": "x", "b.csv": "x" }, table)).toMatchObject({
      error: { type: "several-sets" },
    });
    expect(await archive({ "a.pdf": "x" }, table)).toMatchObject({
      error: { sentence: "“mine.zip” holds no CSV file, which this task takes." },
    });
  });
});

/** Inputs that people really had, made small. See their README. */
describe("[D48] inputs that people had", () => {
  const folder = new URL("../../../vectors/data/cases/", import.meta.url).pathname;
  const digits = {
    ...features,
    height: 8,
    width: 8,
    range: [0, 16],
    classes: [..."0123456789"],
  } as ImageFeatures;
  const clothes = {
    ...features,
    height: 28,
    width: 28,
    range: [0, 255],
    classes: [
      "T-shirt/top",
      "Trouser",
      "Pullover",
      "Dress",
      "Coat",
      "Sandal",
      "Shirt",
      "Sneaker",
      "Bag",
      "Ankle boot",
    ],
  } as ImageFeatures;
  const caseOf = (name: string): Files =>
    Object.fromEntries(
      (readdirSync(join(folder, name), { recursive: true }) as string[])
        .filter((path) => statSync(join(folder, name, path)).isFile())
        .sort()
        .map((path) => [path, new Uint8Array(readFileSync(join(folder, name, path)))]),
    );

  test.each([
    ["png-greykey", digits, { labels: [1], leftOut: 0 }],
    ["png-pal4", digits, { labels: [1], leftOut: 0 }],
    ["png-fashion", clothes, { labels: [0, 1], leftOut: 1 }],
  ])("%s is taken", async (name, task, wanted) => {
    expect(await readOf(caseOf(name), task)).toMatchObject(wanted);
  });

  test("kaggle's spelling with a full stop is read alone too", async () => {
    const alone = caseOf("kaggle");
    const dotted = Object.fromEntries(Object.entries(alone).filter(([path]) => /\.idx/.test(path)));
    expect(Object.keys(dotted)).toHaveLength(2);
    expect(await readOf(dotted, { ...clothes, classes: digits.classes })).toMatchObject({
      leftOut: 0,
      labels: Array.from({ length: 30 }, (_, row) => row % 10),
    });
  });

  test("kaggle is read once, by either of its spellings", async () => {
    const mnist = { ...clothes, classes: digits.classes };
    const whole = await readOf(caseOf("kaggle"), mnist);
    expect(whole).toMatchObject({ leftOut: 0, labels: Array.from({ length: 30 }, (_, row) => row % 10) });
  });

  test("png-fashion names the folder that matches no class", async () => {
    expect((await readOf(caseOf("png-fashion"), clothes)).problems?.[0]).toMatch(
      /The folder “T-shirt” is named after no class, so its 1 file was left out/,
    );
  });

  test("jpg has no picture in it, which is said", async () => {
    expect(await readOf(caseOf("jpg"), digits)).toMatchObject({
      type: "no-good-rows",
      sentence: expect.stringMatching(/“1\/a.jpg” is a JPEG file without a picture in it/),
    });
  });

  test("idx-8bit-digits has values outside the task's range, which is said", async () => {
    expect(await readOf(caseOf("idx-8bit-digits"), digits)).toMatchObject({
      type: "no-good-rows",
      sentence: expect.stringMatching(
        /None of the \d+ pictures can be used. Picture 1 has the value \d+, where 0 to 16/,
      ),
    });
  });
});
