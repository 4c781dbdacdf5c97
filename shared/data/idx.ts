import { err, ok, type Result } from "../kernel/result.ts";
import { type ImageFeatures, inputShape } from "../task/features.ts";
import { type Imported, type ImportRefusal, refuseImport, rowsMaxOf } from "./report.ts";
import { createRowCollector } from "./rows.ts";
import { inWords, quoted } from "./words.ts";

/** An array of a file in the IDX format. */
export interface IdxArray {
  /** Length of each axis. */
  readonly axes: readonly number[];
  /** Row by row, the last axis fastest. */
  readonly values: Uint8Array;
}

const TYPES = new Map([
  [0x09, "signed bytes"],
  [0x0b, "16-bit integers"],
  [0x0c, "32-bit integers"],
  [0x0d, "32-bit floating-point numbers"],
  [0x0e, "64-bit floating-point numbers"],
]);

/**
 * Reads the IDX format of MNIST and similar sets, already unpacked.
 *
 * | bytes  | content                                            |
 * | ------ | -------------------------------------------------- |
 * | 2      | 0                                                  |
 * | 1      | type of the values; 8, unsigned bytes, is read     |
 * | 1      | number of axes                                     |
 * | 4 each | length of each axis, big-endian                    |
 * | ...    | the values                                         |
 *
 * Errors: the end of a sentence that starts with the file's name.
 * Source: LeCun, Cortes and Burges, "The MNIST database", file formats.
 */
export function parseIdx(bytes: Uint8Array): Result<IdxArray, string> {
  if (bytes.length === 0) return err("is empty");
  const [first, second, type = 0, axisCount = 0] = bytes;
  if (bytes.length < 4 || first !== 0 || second !== 0) return err("is no IDX file");
  if (type !== 0x08) {
    const name = TYPES.get(type);
    if (name === undefined) return err("is no IDX file");
    return err(`holds ${name}, but only unsigned bytes (0 to 255) are read; write it again with those`);
  }
  const headerBytes = 4 + 4 * axisCount;
  if (bytes.length < headerBytes) return err("is an IDX file that is cut short; copy it again");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const axes = Array.from({ length: axisCount }, (_, axis) => view.getUint32(4 + 4 * axis));
  const missing = axes.reduce((product, length) => product * length, 1) - (bytes.length - headerBytes);
  if (missing > 0) return err("is an IDX file that is cut short; copy it again");
  if (missing < 0) return err("is longer than its header says; copy it again");
  return ok({ axes, values: bytes.subarray(headerBytes) });
}

/** How the pictures and labels of a set are stored, which their files do not say. */
export interface IdxLayout {
  /** Pictures are stored column by column. */
  readonly isTransposed: boolean;
  /** Number of the first class. */
  readonly firstLabel: 0 | 1;
}

/**
 * Reads pictures and labels. A picture with a value outside the task's range, or with a label that the task does not have,
 * is left out, like a row of a table.
 *
 * @param pictures  [count, height, width], and 3 for red, green and blue if the task takes colour.
 * @param labels    [count].
 */
export function readIdx(
  pictures: IdxArray,
  labels: IdxArray,
  features: ImageFeatures,
  layout: IdxLayout = { isTransposed: false, firstLabel: 0 },
): Result<Imported, ImportRefusal> {
  const refusal = checkShapes(pictures, labels, features);
  if (refusal !== null) return refusal;
  const [height = 1, width = 1, channels = 1] = inputShape(features);
  const [count = 0] = pictures.axes;
  const [from, to] = features.range;
  const size = height * width * channels;
  const rows = createRowCollector(size, count);
  const row = new Float32Array(size);
  for (let index = 0; index < count; index++) {
    const bytes = pictures.values.subarray(index * size, (index + 1) * size);
    const outside = bytes.find((value) => value < from || value > to);
    const label = (labels.values[index] as number) - layout.firstLabel;
    const name = `Picture ${index + 1}`;
    if (outside !== undefined) {
      rows.leaveOut(`${name} has the value ${outside}, where ${from} to ${to} is wanted.`, index + 1);
    } else if (features.classes[label] === undefined) {
      rows.leaveOut(
        `${name} has label ${labels.values[index]}, but the task has ${features.classes.length} classes, numbered from ${layout.firstLabel}.`,
        index + 1,
      );
    } else {
      for (let at = 0; at < size; at++) {
        const stored = layout.isTransposed ? transposedAt(at, height, width, channels) : at;
        row[at] = ((bytes[stored] as number) - from) / (to - from);
      }
      rows.take(row, label);
    }
  }
  if (layout.isTransposed)
    rows.note("The pictures are stored column by column, as EMNIST does. They were turned.");
  if (layout.firstLabel === 1)
    rows.note("The labels count from 1, as in EMNIST letters. 1 is the first class.");
  return rows.finish(`None of the ${inWords(count)} pictures can be used.`);
}

function transposedAt(at: number, height: number, width: number, channels: number): number {
  const channel = at % channels;
  const pixel = (at - channel) / channels;
  const column = pixel % width;
  return (column * height + (pixel - column) / width) * channels + channel;
}

function checkShapes(
  pictures: IdxArray,
  labels: IdxArray,
  features: ImageFeatures,
): Result<never, ImportRefusal> | null {
  const [height = 1, width = 1, channels = 1] = inputShape(features);
  const wanted = channels === 1 ? [height, width] : [height, width, channels];
  const [count = 0, ...found] = pictures.axes;
  if (pictures.axes.length !== wanted.length + 1 || found.join() !== wanted.join()) {
    return refuseImport(
      "bad-shape",
      `The pictures are ${found.join(" by ") || "single numbers"}, but the task takes ${wanted.join(" by ")}. Scale them to that size, or give them as PNG files in a folder for each class.`,
    );
  }
  if (labels.axes.length !== 1)
    return refuseImport(
      "bad-shape",
      `The file of labels has ${labels.axes.length} axes instead of one. Use the two files of one set.`,
    );
  if (count !== labels.axes[0])
    return refuseImport(
      "bad-shape",
      `There are ${inWords(count)} pictures but ${inWords(labels.axes[0] ?? 0)} labels. Use the two files of one set.`,
    );
  if (count === 0) return refuseImport("no-rows", "The files hold no pictures.");
  const rowsMax = rowsMaxOf(features);
  if (count > rowsMax) {
    return refuseImport(
      "too-many-rows",
      `The files hold ${inWords(count)} pictures, more than ${inWords(rowsMax)}, the limit for one device. Use a part of them.`,
    );
  }
  return null;
}

/** Sentence about one of the two files. @param fault  From `parseIdx`. */
export function idxFault(name: string, fault: string): Result<never, ImportRefusal> {
  return refuseImport("unreadable", `${quoted(name)} ${fault}.`);
}
