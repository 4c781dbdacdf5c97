/** The formats in which a model leaves. */
export const EXPORT_FORMATS = ["onnx", "onnx-int8", "mlflow", "safetensors", "tfjs", "javascript"] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** How a format's file is called after the model's name, and its media type. */
export const EXPORT_FILES: Readonly<
  Record<ExportFormat, { readonly ending: string; readonly mediaType: string }>
> = {
  onnx: { ending: ".onnx", mediaType: "application/octet-stream" },
  "onnx-int8": { ending: "-int8.onnx", mediaType: "application/octet-stream" },
  mlflow: { ending: "-mlflow.zip", mediaType: "application/zip" },
  safetensors: { ending: ".safetensors", mediaType: "application/octet-stream" },
  tfjs: { ending: "-tfjs.zip", mediaType: "application/zip" },
  javascript: { ending: ".mjs", mediaType: "text/javascript; charset=utf-8" },
};

/** The file's name, e.g. digits-run3-round12.onnx. */
export function exportFileName(
  model: { readonly task: string; readonly runNumber: number; readonly round: number },
  format: ExportFormat,
): string {
  return `${model.task}-run${model.runNumber}-round${model.round}${EXPORT_FILES[format].ending}`;
}
