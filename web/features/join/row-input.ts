import { csvColumns } from "#shared/data/csv-columns.ts";
import { encodeInputs } from "#shared/data/encode-row.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { type Column, inputSize, type SeriesFeatures, type TabularFeatures } from "#shared/task/features.ts";
import { fieldError, seriesCountError } from "../../words/trying.ts";

/* What a person types or pastes to try the model, in the model's format. */

/**
 * One row typed into a form.
 *
 * @param values  Text by column name; of numbers with a decimal point or a decimal comma.
 * Errors: by column name, a sentence that says what is wanted.
 */
export function rowToInput(
  values: Readonly<Record<string, string>>,
  features: TabularFeatures,
): Result<Float32Array, ReadonlyMap<string, string>> {
  const columns = features.columns.filter(({ input }) => input);
  const cells = columns.map((column) => cellText(values[column.name] ?? "", column));
  const wrong = columns.flatMap((column, index) => {
    const scratch = new Float32Array(inputSize({ ...features, columns: [column] }));
    return encodeInputs([cells[index] ?? ""], [column], scratch).ok
      ? []
      : [[column.name, fieldError(column)] as const];
  });
  if (wrong.length > 0) return err(new Map(wrong));
  const input = new Float32Array(inputSize(features));
  encodeInputs(cells, columns, input);
  return ok(input);
}

/** Phones set to such a language offer only a comma. "1,234" stays as it is, because it can be read in two ways. */
function cellText(text: string, { type }: Pick<Column, "type">): string {
  const cell = text.trim();
  return type === "numeric" && /^[+-]?\d*,(?:\d{1,2}|\d{4,})$/.test(cell) ? cell.replace(",", ".") : cell;
}

/** A series in the unit of each channel, step by step: [step][channel]. */
export type Series = readonly (readonly number[])[];

/**
 * A pasted series: a line for each step with its channels, a line for each channel with its steps, or all numbers in the
 * order of a CSV file of the task. Blanks, tabs, semicolons and line ends part the numbers, and commas if those do not.
 *
 * Errors: a sentence that says what is wanted.
 */
export function textToSeries(text: string, features: SeriesFeatures): Result<Series, string> {
  const { length, channels } = features;
  const lines = text.split(/[\r\n]+/).filter((line) => line.trim() !== "");
  const rows = lines.map((line) => tokensOf(line, lines.length === length ? channels.length : null));
  const tokens = rows.flat();
  if (tokens.length !== length * channels.length) return err(seriesCountError(features, tokens.length));
  const isByChannel =
    lines.length === channels.length && lines.length !== length && rows.every((row) => row.length === length);
  const at = (step: number, channel: number) =>
    tokens[isByChannel ? channel * length + step : step * channels.length + channel] ?? "";
  const series = Array.from({ length }, (_, step) =>
    channels.map((_channel, channel) => Number(at(step, channel))),
  );
  const encoded = seriesToInput(series, features);
  return encoded.ok ? ok(series) : encoded;
}

/** In the model's format. Errors: a sentence that names the first number that does not fit. */
export function seriesToInput(series: Series, features: SeriesFeatures): Result<Float32Array, string> {
  const columns = csvColumns(features).filter((column) => column.type !== "label");
  const input = new Float32Array(inputSize(features));
  const encoded = encodeInputs(series.flat().map(String), columns, input);
  return encoded.ok ? ok(input) : err(`The series ${encoded.error}.`);
}

/** @param wanted  How many numbers a line has, if that is known: it tells decimal commas from commas between numbers. */
function tokensOf(line: string, wanted: number | null): string[] {
  const parts = line.split(/[\s;]+/).filter((part) => part !== "");
  const hasMarks = parts.some((part) => part.includes(","));
  if (!hasMarks) return parts;
  const areDecimals =
    parts.length === wanted || (parts.length > 1 && parts.every((part) => /^[+-]?\d+,\d+$/.test(part)));
  return areDecimals
    ? parts.map((part) => part.replace(",", "."))
    : line.split(/[\s;,]+/).filter((part) => part !== "");
}
