import { PictureNotes } from "#shared/data/picture-notes.ts";
import { onPictures, pictureShapeOf, readPictureFile, type SetReading } from "#shared/data/read-set.ts";
import {
  type Imported,
  type ImportRefusal,
  refuseImport,
  STOPPED,
  wholeReport,
} from "#shared/data/report.ts";
import { KeptRows } from "#shared/data/row-sink.ts";
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
    return ok({
      dataset: { inputs: pixels.slice(), labels: Float32Array.of(label), count: 1 },
      report: wholeReport(1),
    });
  }
  return refuseImport("bad-shape", "This drawing does not have the size and classes that the task takes.");
}

type PictureReading = Pick<SetReading, "codecs" | "onProgress">;

/** All pictures are of one class. Files that are not pictures are left out and named. */
export async function importPictures(
  files: readonly File[],
  label: number,
  features: Features,
  reading: PictureReading,
): Promise<Result<Imported, ImportRefusal>> {
  if (features.kind !== "image") {
    return refuseImport("not-a-picture", "This task takes a CSV file, not pictures.");
  }
  if (features.classes[label] === undefined) {
    return refuseImport("bad-shape", "These pictures are not of a class that the task has.");
  }
  const shape = pictureShapeOf(features);
  const kept = new KeptRows(features);
  const notes = new PictureNotes(shape);
  const rows = createRowCollector(kept.openRows(files.length));
  for (const [index, file] of files.entries()) {
    if (!(await onPictures(reading, index, files.length))) return STOPPED;
    const picture = await readPictureFile(namedFile(file), shape, reading.codecs);
    if (!picture.ok) {
      rows.leaveOut(`${quoted(file.name)} ${picture.error}.`);
      continue;
    }
    rows.take(picture.value.pixels, label);
    notes.add(picture.value);
  }
  for (const sentence of notes.sentences()) rows.note(sentence);
  return kept.imported(rows.finish(files.length === 1 ? "" : "None of the files can be used."));
}

/** One picture, [height, width, channels] flat in [0, 1]. */
export async function importPicture(
  file: File,
  features: Features,
  reading: PictureReading,
): Promise<Result<Float32Array, ImportRefusal>> {
  const read = await importPictures([file], 0, features, reading);
  return read.ok ? ok(read.value.dataset.inputs) : read;
}
