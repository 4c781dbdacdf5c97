import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { decode } from "fast-png";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import {
  type Imported,
  type ImportRefusal,
  type RowProblem,
  readCsv,
  readIdx,
  refuseImport,
  rowsMaxOf,
} from "#shared/task/dataset.ts";
import type { Features, ImageFeatures } from "#shared/task/features.ts";
import { pictureToPixels } from "#shared/task/picture.ts";
import { toGrey } from "../core/grey.ts";

const CSV_BYTES_MAX = 500_000_000;
const PICTURE_BYTES_MAX = 50_000_000;
const PROBLEMS_MAX = 50;

/**
 * Rows of a CSV file, a folder with a pair of IDX files (gzip too), or a folder with one folder of PNG files a class.
 *
 * Errors: what ImportRefusal lists, as sentences for the person who started the edge.
 */
export async function readDataset(
  path: string,
  features: Features,
): Promise<Result<Imported, ImportRefusal>> {
  try {
    return await readPath(path, features);
  } catch (fault) {
    // No permission, a damaged gzip file, a file where a folder should be: the system's own words say which.
    const reason = fault instanceof Error ? fault.message : String(fault);
    return refuseImport("unreadable", `${path} cannot be read: ${reason.slice(0, 200)}. Check the file.`);
  }
}

async function readPath(path: string, features: Features): Promise<Result<Imported, ImportRefusal>> {
  const found = await stat(path).catch(() => null);
  if (found === null) return refuseImport("unreadable", `There is nothing at ${path}. Check the path.`);
  if (!found.isDirectory()) {
    if (found.size > CSV_BYTES_MAX)
      return refuseImport("too-many-rows", "The file is larger than 500 MB. Give a part of it.");
    return readCsv(await readFile(path, "utf8"), features);
  }
  if (features.kind !== "image")
    return refuseImport("unreadable", `${path} is a folder; this task takes a CSV file.`);
  const names = (await readdir(path)).sort();
  const idx = idxPair(names);
  if (idx !== null) {
    const [pictures, labels] = await Promise.all([
      unpacked(join(path, idx.pictures)),
      unpacked(join(path, idx.labels)),
    ]);
    return readIdx(pictures, labels, features);
  }
  return readClassFolders(path, names, features);
}

/** The training pair where there are several. */
function idxPair(names: readonly string[]): { readonly pictures: string; readonly labels: string } | null {
  const pictures = names.filter((name) => /idx3-ubyte(\.gz)?$/.test(name));
  const preferred = pictures.find((name) => name.startsWith("train")) ?? pictures[0];
  if (preferred === undefined) return null;
  const wanted = preferred.replace("images", "labels").replace("idx3", "idx1").replace(/\.gz$/, "");
  const labels = names.find((name) => name === wanted || name === `${wanted}.gz`);
  return labels === undefined ? null : { pictures: preferred, labels };
}

async function unpacked(path: string): Promise<Uint8Array> {
  const bytes = await readFile(path);
  // RFC 1952: a gzip file starts with these two bytes.
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? promisify(gunzip)(bytes) : bytes;
}

async function readClassFolders(
  path: string,
  names: readonly string[],
  features: ImageFeatures,
): Promise<Result<Imported, ImportRefusal>> {
  const classes = features.classes.filter((name) => names.includes(name));
  if (classes.length === 0) {
    return refuseImport(
      "unreadable",
      `${path} holds neither IDX files (train-images-idx3-ubyte, train-labels-idx1-ubyte) nor a folder named after a class (${features.classes.slice(0, 10).join(", ")}).`,
    );
  }
  const rows: { readonly pixels: Float32Array; readonly label: number }[] = [];
  const problems: RowProblem[] = [];
  let leftOut = 0;
  for (const className of classes) {
    for (const name of (await readdir(join(path, className))).sort()) {
      if (rows.length >= rowsMaxOf(features)) {
        return refuseImport(
          "too-many-rows",
          `${path} holds more than ${rowsMaxOf(features)} pictures. Give a part of them.`,
        );
      }
      const pixels = await readPng(join(path, className, name), features);
      if (pixels.ok) {
        rows.push({ pixels: pixels.value, label: features.classes.indexOf(className) });
        continue;
      }
      leftOut += 1;
      if (problems.length < PROBLEMS_MAX)
        problems.push({ row: null, sentence: `${className}/${name} ${pixels.error}.` });
    }
  }
  if (rows.length === 0) {
    return refuseImport(
      "no-good-rows",
      `${path} holds no picture that can be used. ${problems[0]?.sentence ?? ""}`.trim(),
      problems,
    );
  }
  const size = features.height * features.width;
  const inputs = new Float32Array(rows.length * size);
  for (const [index, { pixels }] of rows.entries()) inputs.set(pixels, index * size);
  return ok({
    dataset: { inputs, labels: Int32Array.from(rows, ({ label }) => label), count: rows.length },
    report: { rowsRead: rows.length, rowsLeftOut: leftOut, problems },
  });
}

/** Errors: the end of a sentence that starts with the file's name. */
async function readPng(path: string, features: ImageFeatures): Promise<Result<Float32Array, string>> {
  try {
    const { size } = await stat(path);
    if (size > PICTURE_BYTES_MAX) return err("is larger than 50 MB");
    const png = decode(await readFile(path));
    const { height, width, palette } = png;
    if (png.depth < 8) return err("has fewer than 8 bits a value");
    const grey =
      palette === undefined
        ? toGrey(png.data, png, png.channels, 2 ** png.depth - 1)
        : toGrey(
            Float32Array.from([...png.data].flatMap((entry) => palette[entry] ?? [255, 255, 255])),
            png,
            palette[0]?.length ?? 3,
            255,
          );
    const pixels = pictureToPixels({ ...grey, height, width }, features);
    return pixels.ok ? pixels : err("is blank");
  } catch {
    return err("is no PNG picture");
  }
}
