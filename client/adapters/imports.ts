import { ok, type Result } from "#shared/kernel/result.ts";
import {
  type Imported,
  type ImportRefusal,
  type RowProblem,
  readCsv,
  refuseImport,
} from "#shared/task/dataset.ts";
import type { Features } from "#shared/task/features.ts";
import { readPictureFile } from "./picture-file.ts";

/* What a person brings to the page, as rows; nothing is stored here. */

const CSV_BYTES_MAX = 500_000_000;
const PROBLEMS_MAX = 50;

export async function importCsv(file: File, features: Features): Promise<Result<Imported, ImportRefusal>> {
  if (file.size > CSV_BYTES_MAX) {
    return refuseImport("too-many-rows", "The file is larger than 500 MB. Give a part of it.");
  }
  return readCsv(await file.text(), features);
}

export function importDrawing(
  pixels: Float32Array,
  label: number,
  features: Features,
): Result<Imported, ImportRefusal> {
  const fits =
    features.kind === "image" &&
    pixels.length === features.height * features.width &&
    pixels.every((value) => value >= 0 && value <= 1) &&
    features.classes[label] !== undefined;
  if (fits) return ok(imported([pixels], label, []));
  return refuseImport("bad-shape", "This drawing does not have the size and classes that the task takes.");
}

/** All of one class. Files that are no pictures are left out and named. */
export async function importPictures(
  files: readonly File[],
  label: number,
  features: Features,
): Promise<Result<Imported, ImportRefusal>> {
  if (features.kind !== "image") {
    return refuseImport("not-a-picture", "This task takes a CSV file, not pictures.");
  }
  if (features.classes[label] === undefined) {
    return refuseImport("bad-shape", "These pictures are not of a class that the task has.");
  }
  const taken: Float32Array[] = [];
  const problems: RowProblem[] = [];
  for (const file of files) {
    const pixels = await readPictureFile(file, features);
    if (pixels.ok) taken.push(pixels.value);
    else problems.push({ row: null, sentence: `${file.name.slice(0, 80)} ${pixels.error}.` });
  }
  if (taken.length > 0) return ok(imported(taken, label, problems));
  const sentence = problems[0]?.sentence ?? "No file was chosen.";
  return refuseImport("not-a-picture", `${sentence} Give a PNG or JPEG picture.`, problems);
}

/** One picture, [height * width] in [0, 1]. */
export async function importPicture(
  file: File,
  features: Features,
): Promise<Result<Float32Array, ImportRefusal>> {
  const read = await importPictures([file], 0, features);
  return read.ok ? ok(read.value.dataset.inputs) : read;
}

function imported(
  pictures: readonly Float32Array[],
  label: number,
  problems: readonly RowProblem[],
): Imported {
  const size = pictures[0]?.length ?? 0;
  const inputs = new Float32Array(pictures.length * size);
  for (const [index, pixels] of pictures.entries()) inputs.set(pixels, index * size);
  const count = pictures.length;
  return {
    dataset: { inputs, labels: new Int32Array(count).fill(label), count },
    report: {
      rowsRead: count,
      rowsLeftOut: problems.length,
      problems: problems.slice(0, PROBLEMS_MAX),
    },
  };
}
