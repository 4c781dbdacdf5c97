import Papa from "papaparse";
import { type ImportRefusal, type RowProblem, readCsv } from "#shared/task/dataset.ts";
import type { Features } from "#shared/task/features.ts";
import { formatCount } from "../../words/format.ts";

/** So much of a file is looked at before one adds it; the whole is read in the worker. */
export const PREVIEW_BYTE_COUNT = 65_536;
const EXAMPLE_ROWS = 3;
const PICTURES = 5;

export interface CsvPreview {
  readonly columns: readonly ColumnCheck[];
  /** Why the file cannot be added. */
  readonly refusal: ImportRefusal | null;
  /** Of the rows looked at. */
  readonly rowsGood: number;
  readonly problems: readonly RowProblem[];
  /** First good pictures of an image task, pixels in [0, 1]. */
  readonly pictures: readonly { readonly pixels: Float32Array; readonly label: number }[];
}

/** One line of the check: a column, or the pixels together. */
export interface ColumnCheck {
  readonly name: string;
  /** What may stand in it. */
  readonly wants: string;
  readonly state: "found" | "missing" | "extra";
  /** What stands in the first rows. */
  readonly examples: readonly string[];
}

/**
 * The columns and first rows of a CSV file against what the task takes, before anything is added.
 *
 * @param head      The first PREVIEW_BYTE_COUNT bytes, decoded.
 * @param complete  Whether that is the whole file; else the last line may be cut off and is dropped.
 */
export function previewCsv(head: string, complete: boolean, features: Features): CsvPreview {
  const text = complete ? head : head.slice(0, Math.max(0, head.lastIndexOf("\n")));
  const parsed = Papa.parse<string[]>(text, {
    delimitersToGuess: [",", ";", "\t"],
    skipEmptyLines: "greedy",
    preview: EXAMPLE_ROWS + 1,
  });
  const [header = [], ...rows] = parsed.data;
  const read = readCsv(text, features);
  return {
    columns: checkColumns(
      header.map((name) => name.trim()),
      rows,
      features,
    ),
    // A cut-off head without rows is the head of a very wide file; the worker judges the whole.
    refusal: read.ok ? null : !complete && read.error.type === "no-rows" ? null : read.error,
    rowsGood: read.ok ? read.value.dataset.count : 0,
    problems: read.ok ? read.value.report.problems : read.error.problems,
    pictures: read.ok && features.kind === "image" ? firstPictures(read.value.dataset, features) : [],
  };
}

function firstPictures(
  dataset: { readonly inputs: Float32Array; readonly labels: Int32Array; readonly count: number },
  size: { readonly height: number; readonly width: number },
): CsvPreview["pictures"] {
  const length = size.height * size.width;
  return Array.from({ length: Math.min(PICTURES, dataset.count) }, (_, index) => ({
    pixels: dataset.inputs.slice(index * length, (index + 1) * length),
    label: dataset.labels[index] ?? 0,
  }));
}

function checkColumns(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  features: Features,
): ColumnCheck[] {
  const examplesOf = (name: string) => rows.map((row) => row[header.indexOf(name)] ?? "");
  const check = (name: string, wants: string): ColumnCheck =>
    header.includes(name)
      ? { name, wants, state: "found", examples: examplesOf(name) }
      : { name, wants, state: "missing", examples: [] };
  const wanted =
    features.kind === "image"
      ? [checkPixels(header, features), check("label", oneOf(features.classes))]
      : [
          ...features.columns.map((column) =>
            check(
              column.name,
              column.type === "numeric"
                ? `${column.range[0]} to ${column.range[1]}${column.unit === undefined ? "" : ` ${column.unit}`}`
                : oneOf(column.categories),
            ),
          ),
          check(features.label.name, oneOf(features.classes)),
        ];
  const known = new Set(
    features.kind === "image"
      ? [...pixelNames(features), "label"]
      : [...features.columns.map(({ name }) => name), features.label.name],
  );
  const extra = header.filter((name, index) => !known.has(name) || header.indexOf(name) !== index);
  return [
    ...wanted,
    ...extra
      .slice(0, 20)
      .map((name): ColumnCheck => ({ name, wants: "not taken", state: "extra", examples: examplesOf(name) })),
  ];
}

function checkPixels(header: readonly string[], features: Extract<Features, { kind: "image" }>): ColumnCheck {
  const names = pixelNames(features);
  const found = names.filter((name) => header.includes(name)).length;
  return {
    name: `p0 to p${names.length - 1}`,
    wants: `${features.range[0]} to ${features.range[1]}`,
    state: found === names.length ? "found" : "missing",
    examples: [`${formatCount(found)} of ${formatCount(names.length)} columns`],
  };
}

const pixelNames = (size: { readonly height: number; readonly width: number }): string[] =>
  Array.from({ length: size.height * size.width }, (_, index) => `p${index}`);

function oneOf(names: readonly string[]): string {
  if (names.length > 12) return `one of ${names.length}: ${names.slice(0, 4).join(", ")}, ...`;
  return names.length === 2 ? names.join(" or ") : names.join(", ");
}

/**
 * One row typed into a form, as the model takes it.
 *
 * @param values  By column name, as text.
 * Errors: the sentence of what is wrong and what is wanted.
 */
export function rowToInput(
  values: Readonly<Record<string, string>>,
  features: Extract<Features, { kind: "tabular" }>,
): { readonly ok: true; readonly value: Float32Array } | { readonly ok: false; readonly error: string } {
  const names = [...features.columns.map(({ name }) => name), features.label.name];
  // Any class will do: a row that is only tried has no label.
  const row = names.map((name) =>
    name === features.label.name ? (features.classes[0] ?? "") : (values[name] ?? ""),
  );
  const read = readCsv(Papa.unparse([names, row]), features);
  if (read.ok) return { ok: true, value: read.value.dataset.inputs };
  const sentence = read.error.problems[0]?.sentence ?? read.error.sentence;
  return { ok: false, error: sentence.replace(/^Row 1 /, "The row ") };
}
