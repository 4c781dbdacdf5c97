import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readDataset } from "#client/adapters/file-dataset.ts";
import { nodePictureCodecs } from "#shared/node/picture-wasm.ts";
import { readPictureHeader } from "#shared/pictures/read-header.ts";
import { featuresSchema } from "#shared/task/features.ts";
import { makePng } from "../kit/files/png.ts";
import { makeZip } from "../kit/files/zip.ts";
import { type Bench, type BenchLine, type BenchOptions, compared } from "./line.ts";

/*
 * A zip archive of 60,000 pictures of 28 x 28 on an edge: listed, unpacked, checked, decoded, brought to the task's size and
 * kept as rows. The baseline is the decoder alone, over the same files in memory. Memory is what the process holds at the
 * end beside the rows.
 */

const FULL = 60_000;
const SMALL = 200;
const SIDE = 28;
/** Making them takes longer than reading them. */
const DIFFERENT = 1_000;
const TURNS = 3;

export const bench: Bench = { name: "pictures", run };

async function* run({ small = false }: BenchOptions = {}): AsyncIterable<BenchLine> {
  const count = small ? SMALL : FULL;
  const features = featuresSchema.parse({
    kind: "image",
    height: SIDE,
    width: SIDE,
    range: [0, 255],
    classes: [..."0123456789"],
  });
  const different = Array.from({ length: Math.min(count, DIFFERENT) }, (_, index) => pictureOf(index));
  const pictures = Array.from({ length: count }, (_, index) => different[index % DIFFERENT] as Uint8Array);
  const folder = await mkdtemp(join(tmpdir(), "chorus-pictures-"));
  try {
    const path = join(folder, "set.zip");
    const items = pictures.map((data, index) => ({ path: `set/${index % 10}/${index}.png`, data }));
    await writeFile(path, makeZip(items));
    const wholeS: number[] = [];
    const decodeS: number[] = [];
    let extraBytes = 0;
    for (let turn = 0; turn < (small ? 1 : TURNS); turn++) {
      decodeS.push(await seconds(() => decodeAll(pictures)));
      const before = process.memoryUsage().rss;
      wholeS.push(
        await seconds(async () => {
          const read = await readDataset(path, features);
          if (!read.ok) throw new Error(read.error.sentence);
          if (read.value.dataset.count !== count) throw new Error("not all pictures were taken");
          if (turn === 0)
            extraBytes = process.memoryUsage().rss - before - read.value.dataset.inputs.byteLength;
        }),
      );
    }
    const whole = Math.min(...wholeS);
    yield {
      name: `zip of ${count} pictures`,
      value: whole,
      unit: "s",
      ...compared("the decoder alone", Math.min(...decodeS), whole),
    };
    yield { name: "memory beside the rows", value: Math.max(0, extraBytes) / 1e6, unit: "MB" };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Like a drawing: a light stroke on black, different each time. */
function pictureOf(index: number): Uint8Array {
  const values = Array.from({ length: SIDE * SIDE }, (_, at) => {
    const [row, column] = [Math.floor(at / SIDE), at % SIDE];
    const away = Math.abs(column - 14 - 8 * Math.sin((row + index) / 5));
    return away < 3 ? 255 - Math.round(60 * away) : 0;
  });
  return makePng({ width: SIDE, height: SIDE, depth: 8, colourType: 0, values });
}

async function decodeAll(pictures: readonly Uint8Array[]): Promise<void> {
  const codecs = nodePictureCodecs();
  for (const bytes of pictures) {
    const header = readPictureHeader(bytes);
    if (!header.ok || (await codecs.decode(header.value)) === null)
      throw new Error("a picture was not decoded");
  }
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1_000;
}
