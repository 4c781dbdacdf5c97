import { type ByteSource, sliceOf } from "../archive/byte-source.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import { type ImageFeatures, inputShape, inputSize } from "../task/features.ts";
import { type ImportRefusal, type ImportReport, refuseImport, rowsMaxOf, STOPPED } from "./report.ts";
import type { OpenRowSink } from "./row-sink.ts";
import { createRowCollector } from "./rows.ts";
import { inWords, quoted } from "./words.ts";

/** An array of a file in the IDX format. */
export interface IdxArray {
  /** Length of each axis. */
  readonly axes: readonly number[];
  /** Row by row, the last axis fastest. */
  readonly values: Uint8Array;
}

/** The same in a file that is read in parts. */
export interface IdxFile {
  readonly axes: readonly number[];
  readonly values: ByteSource;
}

/** Longest header of an IDX file: the number of axes is one byte. */
const HEADER_MAX = 4 + 4 * 255;
/** Bytes of pictures that are read at a time. */
const PIECE_BYTES = 2 ** 20;

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
  const header = readHeader(bytes, bytes.length);
  if (!header.ok) return header;
  const { axes, headerByteCount } = header.value;
  return ok({ axes, values: bytes.subarray(headerByteCount) });
}

/** Like `parseIdx`, and reads nothing but the header. */
export async function openIdx(source: ByteSource): Promise<Result<IdxFile, string>> {
  const start = await source.read(0, Math.min(HEADER_MAX, source.byteCount));
  const header = readHeader(start, source.byteCount);
  if (!header.ok) return header;
  const { axes, headerByteCount } = header.value;
  return ok({ axes, values: sliceOf(source, headerByteCount, source.byteCount) });
}

/** @param bytes  The start of a file of `byteCount` bytes, at least its header. */
function readHeader(
  bytes: Uint8Array,
  byteCount: number,
): Result<{ readonly axes: readonly number[]; readonly headerByteCount: number }, string> {
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
  const missing = axes.reduce((product, length) => product * length, 1) - (byteCount - headerBytes);
  if (missing > 0) return err("is an IDX file that is cut short; copy it again");
  if (missing < 0) return err("is longer than its header says; copy it again");
  return ok({ axes, headerByteCount: headerBytes });
}

/** How the pictures and labels of a set are stored, which their files do not say. */
export interface IdxLayout {
  /** Pictures are stored column by column. */
  readonly isTransposed: boolean;
  /** Number of the first class. */
  readonly firstLabel: 0 | 1;
}

export interface IdxReading {
  /** Default: row by row, counted from 0. */
  readonly layout?: IdxLayout;
  /** Called now and then with the number of pictures read. Reading stops if it gives false. */
  readonly onProgress?: (done: number, total: number) => Promise<boolean>;
}

/**
 * Reads pictures and labels. A picture with a value outside the task's range, or with a label that the task does not have,
 * is left out, like a row of a table. Memory is that of the labels and of a piece of the pictures.
 *
 * @param pictures  [count, height, width], and 3 for red, green and blue if the task takes colour.
 * @param labels    [count].
 * Throws what the sources throw.
 */
export async function scanIdx(
  pictures: IdxFile,
  labels: IdxFile,
  features: ImageFeatures,
  openRows: OpenRowSink,
  { layout = PLAIN, onProgress = async () => true }: IdxReading = {},
): Promise<Result<ImportReport, ImportRefusal>> {
  const refusal = checkShapes(pictures, labels, features);
  if (refusal !== null) return refusal;
  const [count = 0] = pictures.axes;
  const size = inputSize(features);
  const rows = createRowCollector(openRows(count));
  const toRow = createPictureReader(features, layout);
  const labelBytes = await labels.values.read(0, count);
  const countAtOnce = Math.max(1, Math.floor(PIECE_BYTES / size));
  for (let from = 0; from < count; from += countAtOnce) {
    if (!(await onProgress(from, count))) return STOPPED;
    const to = Math.min(count, from + countAtOnce);
    const piece = await pictures.values.read(from * size, to * size);
    for (let index = from; index < to; index++) {
      const bytes = piece.subarray((index - from) * size, (index - from + 1) * size);
      const read = toRow(bytes, labelBytes[index] as number);
      if (read.ok) rows.take(read.value.row, read.value.label);
      else rows.leaveOut(`Picture ${index + 1} ${read.error}.`, index + 1);
    }
  }
  for (const sentence of layoutSentences(layout)) rows.note(sentence);
  return rows.finish(`None of the ${inWords(count)} pictures can be used.`);
}

/** What is done to read a set; nothing of one that is stored row by row and counted from 0. */
export function layoutSentences({ isTransposed, firstLabel }: IdxLayout): string[] {
  return [
    ...(isTransposed ? ["The pictures are stored column by column, as EMNIST does. They were turned."] : []),
    ...(firstLabel === 1 ? ["The labels count from 1, as in EMNIST letters. 1 is the first class."] : []),
  ];
}

const PLAIN: IdxLayout = { isTransposed: false, firstLabel: 0 };

/** Error: the end of a sentence that starts with the picture. The row is overwritten by the next one. */
function createPictureReader(features: ImageFeatures, { isTransposed, firstLabel }: IdxLayout) {
  const [height = 1, width = 1, channels = 1] = inputShape(features);
  const { classes } = features;
  const [from, to] = features.range;
  const row = new Float32Array(height * width * channels);
  const isOutside = (value: number) => value < from || value > to;
  const scaled = Float32Array.from({ length: 256 }, (_, value) => (value - from) / (to - from));
  return (
    bytes: Uint8Array,
    storedLabel: number,
  ): Result<{ readonly row: Float32Array; readonly label: number }, string> => {
    for (const value of bytes)
      if (isOutside(value)) return err(`has the value ${value}, where ${from} to ${to} is wanted`);
    const label = storedLabel - firstLabel;
    if (classes[label] === undefined)
      return err(
        `has label ${storedLabel}, but the task has ${classes.length} classes, numbered from ${firstLabel}`,
      );
    for (let at = 0; at < row.length; at++) {
      const stored = isTransposed ? transposedAt(at, height, width, channels) : at;
      row[at] = scaled[bytes[stored] as number] as number;
    }
    return ok({ row, label });
  };
}

function transposedAt(at: number, height: number, width: number, channels: number): number {
  const channel = at % channels;
  const pixel = (at - channel) / channels;
  const column = pixel % width;
  return (column * height + (pixel - column) / width) * channels + channel;
}

function checkShapes(
  pictures: Pick<IdxFile, "axes">,
  labels: Pick<IdxFile, "axes">,
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
