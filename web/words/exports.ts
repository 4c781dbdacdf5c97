import type { CardFormat } from "#shared/export/card/formats.ts";
import { exampleCell, inputColumns } from "#shared/export/example.ts";
import { type ExportFormat, exportFileName } from "#shared/export/formats.ts";
import type { Portability } from "#shared/export/portability.ts";
import type { TableFormat } from "#shared/export/table/formats.ts";
import type { RunView } from "#shared/protocol/api.ts";
import { type Features, inputShape, inputSize, type TabularFeatures } from "#shared/task/features.ts";
import { type Target, targetOf } from "#shared/task/target.ts";
import { intervalWords, verdictWords } from "./comparison.ts";
import { formatCount, formatFileSize } from "./format.ts";

/* The formats in which a model leaves, for people. */

/** In the order in which they are offered. */
export const EXPORT_WORDS: readonly {
  readonly format: ExportFormat;
  readonly title: string;
  readonly what: string;
}[] = [
  { format: "onnx", title: "ONNX", what: "for onnxruntime in any language; takes the data as they are" },
  {
    format: "onnx-int8",
    title: "ONNX, 8 bits",
    what: "the same with weights in 8 bits: smaller, a little less exact",
  },
  {
    format: "mlflow",
    title: "MLflow",
    what: "a zip for mlflow.pyfunc, with named columns and an environment",
  },
  { format: "javascript", title: "JavaScript", what: "one module without dependencies, for any page" },
  { format: "tfjs", title: "TensorFlow.js", what: "a zip with a LayersModel; takes scaled numbers" },
  { format: "safetensors", title: "safetensors", what: "the weights alone, with what is needed to use them" },
];

/** The run that a model is from, and its round. */
type Newest = Pick<RunView, "task" | "number" | "newestVersion">;

export const CARD_WORDS: Readonly<Record<CardFormat, string>> = {
  markdown: "Markdown",
  cyclonedx: "CycloneDX",
};

export const TABLE_WORDS: Readonly<Record<TableFormat, string>> = { csv: "CSV", parquet: "Parquet" };

/** What 8 bits cost a model, for its download; null if no held-out rows tell. */
export function int8Words({ int8, byteCounts }: Portability): string | null {
  if (int8?.comparable !== true) return null;
  const [headline] = int8.measures;
  if (headline === undefined) return null;
  const sizes = `${formatFileSize(byteCounts.int8)} in place of ${formatFileSize(byteCounts.onnx)}`;
  const difference = `${headline.label.toLowerCase()} ${intervalWords(headline)}: ${verdictWords(headline)}`;
  return `${sizes}; ${difference}, on the same ${formatCount(int8.rowCount)} held-out rows`;
}

/** The name of the newest model's file. */
export function newestFileName(
  { task, number: runNumber, newestVersion: round = 0 }: Newest,
  format: ExportFormat,
): string {
  return exportFileName({ task, runNumber, round }, format);
}

/** A few lines that use the model, in Python and JavaScript. */
export function exportSnippets(
  run: Newest,
  features: Features,
): { readonly python: string; readonly javascript: string } {
  const target = targetOf(features);
  return {
    python: [
      "# pip install onnxruntime numpy",
      "import numpy as np, onnxruntime",
      `session = onnxruntime.InferenceSession("${newestFileName(run, "onnx")}")`,
      ...pythonCall(features, target),
    ].join("\n"),
    javascript: [
      `import { predict } from "./${newestFileName(run, "javascript")}";`,
      `const answer = predict(${javascriptInput(features)});`,
      target.kind === "number"
        ? "console.log(answer.prediction, answer.unit);"
        : "console.log(answer.label, answer.probabilities);",
    ].join("\n"),
  };
}

/**
 * A few lines for any page that load the model from here, and use it.
 *
 * @param origin     Of the coordinator: "https://host".
 * @param reference  "digits@champion" or "digits@12".
 */
export function loadSnippet(origin: string, reference: string, features: Features): string {
  return [
    `import { load } from "${origin}/api/v1/load.js";`,
    `const model = await load("${origin}/models/${reference}");`,
    `const answer = model.predict(${javascriptInput(features)});`,
    targetOf(features).kind === "number"
      ? "console.log(answer.prediction, answer.unit);"
      : "console.log(answer.label, answer.probabilities);",
    "// Kept in the browser: after the first load it also works offline.",
  ].join("\n");
}

function pythonCall(features: Features, target: Target): readonly string[] {
  const output = target.kind === "number" ? "prediction" : "label";
  return [`row = {${pythonRow(features)}}`, `print(session.run(["${output}"], row)[0])`];
}

function pythonRow(features: Features): string {
  if (features.kind === "tabular") {
    const type = (value: string) => (value.startsWith('"') ? "object" : "np.float32");
    return cellsOf(features)
      .map(([name, value]) => `${name}: np.array([${value}], ${type(value)})`)
      .join(", ");
  }
  const name = features.kind === "image" ? "pixels" : "series";
  return `"${name}": np.full((1, ${inputShape(features).join(", ")}), ${firstNumber(features)}, np.float32)`;
}

function javascriptInput(features: Features): string {
  if (features.kind === "tabular")
    return `{ ${cellsOf(features)
      .map(([name, value]) => `${name}: ${value}`)
      .join(", ")} }`;
  return `new Array(${inputSize(features)}).fill(${firstNumber(features)})`;
}

/** A number that every place of a picture or series takes, in place of the reader's own. */
function firstNumber(features: Exclude<Features, TabularFeatures>): number {
  return features.kind === "image"
    ? features.range[0]
    : Math.max(...features.channels.map(({ range: [from] }) => from));
}

/** Names and example values, as both languages write them. */
function cellsOf(features: TabularFeatures): readonly (readonly [name: string, value: string])[] {
  return inputColumns(features).map((column) => [
    JSON.stringify(column.name),
    JSON.stringify(exampleCell(column)),
  ]);
}
