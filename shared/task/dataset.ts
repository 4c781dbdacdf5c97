import Papa from "papaparse";
import { err, ok, type Result } from "../kernel/result.ts";
import { LIMITS } from "../protocol/limits.ts";
import { type Column, type Features, type ImageFeatures, inputShape } from "./features.ts";

/*
 * A person's or an edge's file as rows that a model takes. A file with the wrong columns is refused as a whole; a bad
 * row is left out and named, the rest is taken.
 */

/** `inputs` is [count, ...inputShape] flat, scaled to [0, 1]; labels are class indices. */
export interface Dataset {
  readonly inputs: Float32Array;
  readonly labels: Int32Array;
  readonly count: number;
}

/** What reading a file gave: how many rows were taken, and which were left out and why. */
export interface ImportReport {
  readonly rowsRead: number;
  readonly rowsLeftOut: number;
  /** The first 50 rows that were left out. */
  readonly problems: readonly RowProblem[];
}
/** `row` counts the file's lines of data from 1 (the header is not counted); null where a picture is not in a row. */
export interface RowProblem {
  readonly row: number | null;
  /** A sentence with what is wrong and what is wanted. */
  readonly sentence: string;
}

/** The whole file was refused; nothing was taken. */
export interface ImportRefusal {
  readonly type:
    | "empty"
    | "not-text"
    | "missing-columns"
    | "too-many-columns"
    | "no-rows"
    | "no-good-rows"
    | "too-many-rows"
    | "not-a-picture"
    | "bad-shape"
    | "unreadable";
  /** What is wrong and what to do. */
  readonly sentence: string;
  /** With no-good-rows: the first rows and their problems. */
  readonly problems: readonly RowProblem[];
}

export interface Imported {
  readonly dataset: Dataset;
  readonly report: ImportReport;
}

const PROBLEMS_MAX = 50;
/** Numbers of all rows together: 200 MB, what a page can hold with room to train. */
const VALUES_MAX = 50_000_000;

/** The most rows that one device takes of a task. */
export function rowsMaxOf(features: Features): number {
  const width = inputShape(features).reduce((product, size) => product * size, 1);
  return Math.min(LIMITS.rowsMax, Math.floor(VALUES_MAX / width));
}

export function refuseImport(
  type: ImportRefusal["type"],
  sentence: string,
  problems: readonly RowProblem[] = [],
): Result<never, ImportRefusal> {
  return err({ type, sentence, problems });
}

/**
 * Rows of a CSV file with a header line. Columns may come in any order and be parted by comma, semicolon or tab. An image
 * task wants p0, p1, ... row by row, and label.
 *
 * @param text  The whole file, decoded.
 * Errors: what ImportRefusal lists.
 */
export function readCsv(text: string, features: Features): Result<Imported, ImportRefusal> {
  if (text.trim() === "")
    return refuseImport(
      "empty",
      "The file is empty. Give one with a line of column names and a line for each row.",
    );
  if (text.includes("\u0000")) return refuseImport("not-text", "This is not a text file. Give a CSV file.");
  const rowsMax = rowsMaxOf(features);
  const parsed = Papa.parse<string[]>(text, {
    delimitersToGuess: [",", ";", "\t"],
    skipEmptyLines: "greedy",
    preview: rowsMax + 2,
  });
  const header = (parsed.data[0] ?? []).map((name) => name.trim());
  const columns = csvColumns(features);
  const refusal = checkHeader(
    header,
    columns.map((column) => column.name),
  );
  if (refusal !== null) return err(refusal);
  const lines = parsed.data.slice(1);
  if (lines.length === 0)
    return refuseImport("no-rows", "The file has column names but no rows. Add at least one row.");
  if (lines.length > rowsMax) {
    return refuseImport(
      "too-many-rows",
      `The file has more than ${inWords(rowsMax)} rows, the most that one device takes. Give a part of it.`,
    );
  }
  return readLines(
    lines,
    columns.map((column) => ({ column, at: header.indexOf(column.name) })),
    features,
  );
}

type CsvColumn =
  | Column
  | { readonly type: "label"; readonly name: string; readonly classes: readonly string[] };

function csvColumns(features: Features): CsvColumn[] {
  if (features.kind === "tabular") {
    return [...features.columns, { type: "label", name: features.label.name, classes: features.classes }];
  }
  const pixels = Array.from(
    { length: features.height * features.width },
    (_, index): CsvColumn => ({
      type: "numeric",
      name: `p${index}`,
      range: features.range,
      protected: false,
      input: true,
    }),
  );
  return [...pixels, { type: "label", name: "label", classes: features.classes }];
}

function checkHeader(header: readonly string[], wanted: readonly string[]): ImportRefusal | null {
  const missing = wanted.filter((name) => !header.includes(name));
  if (missing.length > 0) {
    return {
      type: "missing-columns",
      sentence: `The first line must name the columns; ${some(missing)} ${missing.length === 1 ? "is" : "are"} missing. Wanted are ${some(wanted)}.`,
      problems: [],
    };
  }
  const extra = header.filter((name, index) => !wanted.includes(name) || header.indexOf(name) !== index);
  if (extra.length > 0) {
    return {
      type: "too-many-columns",
      sentence: `This task does not take the ${extra.length === 1 ? "column" : "columns"} ${some(extra)}. Remove ${extra.length === 1 ? "it" : "them"}; wanted are ${some(wanted)}, each once.`,
      problems: [],
    };
  }
  return null;
}

function readLines(
  lines: readonly (readonly string[])[],
  columns: readonly { readonly column: CsvColumn; readonly at: number }[],
  features: Features,
): Result<Imported, ImportRefusal> {
  const width = inputShape(features).reduce((product, size) => product * size, 1);
  const inputs = new Float32Array(lines.length * width);
  const labels = new Int32Array(lines.length);
  const problems: RowProblem[] = [];
  let count = 0;
  let leftOut = 0;
  for (const [index, line] of lines.entries()) {
    const target = inputs.subarray(count * width, (count + 1) * width);
    const label = readLine(line, columns, target);
    if (label.ok) {
      labels[count] = label.value;
      count += 1;
      continue;
    }
    target.fill(0);
    leftOut += 1;
    if (problems.length < PROBLEMS_MAX)
      problems.push({ row: index + 1, sentence: `Row ${index + 1} ${label.error}.` });
  }
  if (count === 0) {
    return refuseImport(
      "no-good-rows",
      `${lines.length === 1 ? "The only row cannot" : `None of the ${inWords(lines.length)} rows can`} be used. ${problems[0]?.sentence ?? ""}`,
      problems,
    );
  }
  return ok({
    dataset: { inputs: inputs.slice(0, count * width), labels: labels.slice(0, count), count },
    report: { rowsRead: count, rowsLeftOut: leftOut, problems },
  });
}

/** Fills `target` and returns the class index. Errors: the end of a sentence that starts with the row's number. */
function readLine(
  line: readonly string[],
  columns: readonly { readonly column: CsvColumn; readonly at: number }[],
  target: Float32Array,
): Result<number, string> {
  if (line.length !== columns.length) {
    return err(
      `has ${line.length} ${line.length === 1 ? "column" : "columns"} where ${columns.length} are needed`,
    );
  }
  let offset = 0;
  let label = -1;
  for (const { column, at } of columns) {
    const text = (line[at] ?? "").trim();
    if (column.type === "label") {
      label = column.classes.indexOf(text);
      if (label < 0) return err(`is labelled ${quoted(text)}, which is none of ${some(column.classes)}`);
      continue;
    }
    if (text === "") return err(`has nothing in the column ${quoted(column.name)}`);
    if (column.type === "numeric") {
      const [from, to] = column.range;
      const value = toNumber(text);
      if (value === null)
        return err(`has ${quoted(text)} in the column ${quoted(column.name)}, where a number is wanted`);
      if (value < from || value > to)
        return err(`has ${text} in the column ${quoted(column.name)}, where ${from} to ${to} is wanted`);
      if (column.input) target[offset++] = (value - from) / (to - from);
      continue;
    }
    const category = column.categories.indexOf(text);
    if (category < 0)
      return err(
        `has ${quoted(text)} in the column ${quoted(column.name)}, which is none of ${some(column.categories)}`,
      );
    if (column.input) {
      target[offset + category] = 1;
      offset += column.categories.length;
    }
  }
  return ok(label);
}

/** A decimal number with a point; `Number` alone would take "", "0x1f" and "Infinity" too. */
function toNumber(text: string): number | null {
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text)) return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}

/**
 * Pictures and labels in the IDX format of MNIST and its kin, already unpacked.
 *
 * | bytes | content                                                        |
 * | ----- | -------------------------------------------------------------- |
 * | 4     | 0, 0, 8 (unsigned bytes), number of axes: 3 pictures, 1 labels |
 * | 4 each | length of each axis, big-endian                                |
 * | ...   | the values                                                     |
 *
 * Source: LeCun, Cortes and Burges, "The MNIST database", file formats.
 */
export function readIdx(
  pictures: Uint8Array,
  labels: Uint8Array,
  features: ImageFeatures,
): Result<Imported, ImportRefusal> {
  const pictureAxes = idxAxes(pictures, 3);
  const labelAxes = idxAxes(labels, 1);
  if (pictureAxes === null)
    return refuseImport(
      "unreadable",
      "The file of pictures is not IDX with three axes of bytes, or is cut short.",
    );
  if (labelAxes === null)
    return refuseImport(
      "unreadable",
      "The file of labels is not IDX with one axis of bytes, or is cut short.",
    );
  const [count = 0, height = 0, width = 0] = pictureAxes;
  if (count !== labelAxes[0])
    return refuseImport(
      "bad-shape",
      `There are ${count} pictures but ${labelAxes[0]} labels. Give the two files of one set.`,
    );
  if (height !== features.height || width !== features.width) {
    return refuseImport(
      "bad-shape",
      `The pictures are ${height} by ${width}, the task takes ${features.height} by ${features.width}.`,
    );
  }
  if (count === 0) return refuseImport("no-rows", "The files hold no pictures.");
  const rowsMax = rowsMaxOf(features);
  if (count > rowsMax) {
    return refuseImport(
      "too-many-rows",
      `The files hold more than ${inWords(rowsMax)} pictures, the most that one device takes. Give a part of them.`,
    );
  }
  const [from, to] = features.range;
  const size = height * width;
  const inputs = new Float32Array(count * size);
  for (let index = 0; index < inputs.length; index++) {
    inputs[index] = ((pictures[16 + index] as number) - from) / (to - from);
  }
  const outside = labels.subarray(8).findIndex((label) => label >= features.classes.length);
  if (outside >= 0) {
    return refuseImport(
      "no-good-rows",
      `Picture ${outside + 1} has label ${labels[8 + outside]}, but the task has ${features.classes.length} classes.`,
    );
  }
  return ok({
    dataset: { inputs, labels: Int32Array.from(labels.subarray(8)), count },
    report: { rowsRead: count, rowsLeftOut: 0, problems: [] },
  });
}

/** Lengths of the axes of an IDX file of bytes; null where it is none, or its length does not fit them. */
export function idxAxes(bytes: Uint8Array, axisCount: number): number[] | null {
  const headerByteCount = 4 + 4 * axisCount;
  if (bytes.length < headerByteCount) return null;
  if (bytes[0] !== 0 || bytes[1] !== 0 || bytes[2] !== 8 || bytes[3] !== axisCount) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const axes = Array.from({ length: axisCount }, (_, axis) => view.getUint32(4 + 4 * axis));
  const valueCount = axes.reduce((product, length) => product * length, 1);
  return valueCount === bytes.length - headerByteCount ? axes : null;
}

/** Rows of several sources behind one another. */
export function joinDatasets(parts: readonly Dataset[]): Dataset {
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  const inputs = new Float32Array(parts.reduce((sum, part) => sum + part.inputs.length, 0));
  const labels = new Int32Array(count);
  let row = 0;
  let offset = 0;
  for (const part of parts) {
    inputs.set(part.inputs, offset);
    labels.set(part.labels, row);
    offset += part.inputs.length;
    row += part.count;
  }
  return { inputs, labels, count };
}

/** The rows at `indices`, in that order. */
export function pickRows(dataset: Dataset, indices: Uint32Array): Dataset {
  const width = dataset.count === 0 ? 0 : dataset.inputs.length / dataset.count;
  const inputs = new Float32Array(indices.length * width);
  const labels = new Int32Array(indices.length);
  for (let row = 0; row < indices.length; row++) {
    const from = indices[row] as number;
    inputs.set(dataset.inputs.subarray(from * width, (from + 1) * width), row * width);
    labels[row] = dataset.labels[from] as number;
  }
  return { inputs, labels, count: indices.length };
}

function some(names: readonly string[]): string {
  const shown = names.slice(0, 8).map(clipped);
  return names.length > 9
    ? `${shown.join(", ")}, ... ${clipped(names.at(-1) ?? "")} (${names.length} in all)`
    : names.map(clipped).join(", ");
}
function quoted(text: string): string {
  return `“${clipped(text)}”`;
}
function clipped(text: string): string {
  const characters = Array.from(text);
  return characters.length > 40 ? `${characters.slice(0, 40).join("")}...` : text;
}
function inWords(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}
