import { type ExportFormat, exportFileName } from "#shared/export/formats.ts";
import type { RunView } from "#shared/protocol/api.ts";
import type { Features } from "#shared/task/features.ts";
import { type Target, targetOf } from "#shared/task/target.ts";

/* The formats in which a model leaves, for people. */

/** In the order in which they are offered. */
export const EXPORT_WORDS: readonly {
  readonly format: ExportFormat;
  readonly title: string;
  readonly what: string;
}[] = [
  { format: "onnx", title: "ONNX", what: "for onnxruntime in any language; takes the data as they are" },
  {
    format: "mlflow",
    title: "MLflow",
    what: "a zip for mlflow.pyfunc, with named columns and an environment",
  },
  { format: "javascript", title: "JavaScript", what: "one module without dependencies, for any page" },
  { format: "tfjs", title: "TensorFlow.js", what: "a zip with a LayersModel; takes scaled numbers" },
  { format: "safetensors", title: "safetensors", what: "the weights alone, with what is needed to use them" },
];

/** The name of the newest model's file. */
export function newestFileName(
  { task, number: runNumber, newestVersion: round = 0 }: RunView,
  format: ExportFormat,
): string {
  return exportFileName({ task, runNumber, round }, format);
}

/** A few lines that use the model, in Python and JavaScript. */
export function exportSnippets(
  run: RunView,
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

function pythonCall(features: Features, target: Target): readonly string[] {
  const output = target.kind === "number" ? "prediction" : "label";
  const last = `print(session.run(["${output}"], row)[0])`;
  if (features.kind === "image") {
    const { height, width, channels = 1 } = features;
    return [`row = {"pixels": np.zeros((1, ${height}, ${width}, ${channels}), np.float32)}`, last];
  }
  if (features.kind === "series") {
    return [
      `row = {"series": np.zeros((1, ${features.length}, ${features.channels.length}), np.float32)}`,
      last,
    ];
  }
  const cells = exampleCells(features).map(
    ([name, value]) =>
      `${JSON.stringify(name)}: np.array([${JSON.stringify(value)}], ${typeof value === "number" ? "np.float32" : "object"})`,
  );
  return [`row = {${cells.join(", ")}}`, last];
}

function javascriptInput(features: Features): string {
  if (features.kind === "image")
    return `pixels // ${features.height} × ${features.width} × ${features.channels ?? 1} numbers`;
  if (features.kind === "series") return `series // ${features.length} × ${features.channels.length} numbers`;
  return `{ ${exampleCells(features)
    .map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`)
    .join(", ")} }`;
}

function exampleCells({
  columns,
}: Extract<Features, { kind: "tabular" }>): readonly (readonly [string, string | number])[] {
  return columns
    .filter(({ input }) => input)
    .map((column) => [
      column.name,
      column.type === "numeric"
        ? (column.example ?? (column.range[0] + column.range[1]) / 2)
        : (column.example ?? column.categories[0] ?? ""),
    ]);
}
