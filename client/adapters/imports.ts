import { pictureShapeOf, readPictureFile, type SetReading, STOPPED } from "#shared/data/read-set.ts";
import { type Imported, type ImportRefusal, refuseImport } from "#shared/data/report.ts";
import { createRowCollector } from "#shared/data/rows.ts";
import { quoted } from "#shared/data/words.ts";
import { ok, type Result } from "#shared/kernel/result.ts";
import { elementCount } from "#shared/kernel/shape.ts";
import { type Features, inputShape } from "#shared/task/features.ts";
import { namedFile } from "./blob-files.ts";

/* Turns what a person brings to the page into rows; stores nothing. */

export function importDrawing(
  pixels: Float32Array,
  label: number,
  features: Features,
): Result<Imported, ImportRefusal> {
  const fits =
    features.kind === "image" &&
    pixels.length === elementCount(inputShape(features)) &&
    pixels.every((value) => value >= 0 && value <= 1) &&
    features.classes[label] !== undefined;
  if (fits) {
    const rows = createRowCollector(pixels.length, 1);
    rows.take(pixels, label);
    return rows.finish("");
  }
  return refuseImport("bad-shape", "This drawing does not have the size and classes that the task takes.");
}

/** All pictures are of one class. Files that are not pictures are left out and named. */
export async function importPictures(
  files: readonly File[],
  label: number,
  features: Features,
  reading: SetReading,
): Promise<Result<Imported, ImportRefusal>> {
  if (features.kind !== "image") {
    return refuseImport("not-a-picture", "This task takes a CSV file, not pictures.");
  }
  if (features.classes[label] === undefined) {
    return refuseImport("bad-shape", "These pictures are not of a class that the task has.");
  }
  const shape = pictureShapeOf(features);
  const rows = createRowCollector(shape.height * shape.width * shape.channels, files.length);
  for (const [index, file] of files.entries()) {
    if (reading.onProgress !== undefined && !(await reading.onProgress(index, files.length))) return STOPPED;
    const pixels = await readPictureFile(namedFile(file), shape, reading.codecs);
    if (pixels.ok) rows.take(pixels.value, label);
    else rows.leaveOut(`${quoted(file.name)} ${pixels.error}.`);
  }
  return rows.finish(files.length === 1 ? "" : "None of the files can be used.");
}

/** One picture, [height, width, channels] flat in [0, 1]. */
export async function importPicture(
  file: File,
  features: Features,
  reading: SetReading,
): Promise<Result<Float32Array, ImportRefusal>> {
  const read = await importPictures([file], 0, features, reading);
  return read.ok ? ok(read.value.dataset.inputs) : read;
}
