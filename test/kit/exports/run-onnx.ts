import { env, InferenceSession, Tensor } from "onnxruntime-web";
import { onnxInputs } from "#shared/export/onnx/inputs.ts";
import { classesOf } from "#shared/task/target.ts";
import type { ExportCase, FormatAnswers, Row } from "./cases.ts";

env.wasm.numThreads = 1;

/** Runs a model in onnxruntime, an oracle that shares no code with our engine. */
export async function runOnnx(bytes: Uint8Array, { source, rows }: ExportCase): Promise<FormatAnswers> {
  const { features } = source.task;
  const feeds = onnxInputs(features).map(({ name, type, dims }): readonly [string, Tensor] => {
    const values = rows.flatMap((row): readonly (string | number)[] =>
      isNumbers(row) ? row : [row[name] ?? ""],
    );
    const shape = dims === null ? [rows.length] : [rows.length, ...dims.slice(1).map(Number)];
    return [
      name,
      type === "string"
        ? new Tensor("string", values.map(String), shape)
        : new Tensor("float32", values.map(Number), shape),
    ];
  });
  const outputs = await outputsOf(bytes, Object.fromEntries(feeds));
  const classes = classesOf(features);
  if (classes.length === 0) return { values: numbersOf(outputs.get("prediction")), labels: null };
  const labels = outputs.get("label") ?? [];
  const all = outputs.get("probabilities");
  if (all !== undefined) return { values: numbersOf(all), labels };
  const columns = classes.map((name) => numbersOf(outputs.get(`probability_${name}`)));
  return { values: rows.flatMap((_, row) => columns.map((column) => column[row] ?? Number.NaN)), labels };
}

/** The outputs of one run by name. */
export async function outputsOf(
  bytes: Uint8Array,
  feeds: Readonly<Record<string, Tensor>>,
): Promise<ReadonlyMap<string, readonly (number | string)[]>> {
  const session = await InferenceSession.create(bytes, { executionProviders: ["wasm"] });
  try {
    const outputs = await session.run({ ...feeds });
    return new Map(
      Object.entries(outputs).map(([name, { data }]) => [
        name,
        Array.from(data as ArrayLike<number | string>),
      ]),
    );
  } finally {
    await session.release();
  }
}

function numbersOf(values: readonly (number | string)[] = []): readonly number[] {
  return values.map(Number);
}

function isNumbers(row: Row): row is readonly number[] {
  return Array.isArray(row);
}
