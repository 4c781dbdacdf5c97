import { type Zippable, zipSync } from "fflate";
import type { Bytes } from "../kernel/bytes.ts";
import type { ExportFormat } from "./formats.ts";
import { predictorFile } from "./javascript/predictor-file.ts";
import { mlflowFolder } from "./mlflow-folder.ts";
import { exportOnnx } from "./onnx/export-onnx.ts";
import { safetensorsFile } from "./safetensors-file.ts";
import type { ModelSource } from "./source.ts";
import { tfjsFolder } from "./tfjs-folder.ts";

/**
 * The model in a format. The same source gives the same bytes.
 *
 * @param runtime  The text of javascript/runtime.mjs.
 */
export function exportModel(format: ExportFormat, source: ModelSource, runtime: string): Bytes {
  switch (format) {
    case "onnx":
      return exportOnnx(source);
    case "onnx-int8":
      return exportOnnx(source, { precision: "int8" });
    case "mlflow":
      return zipped(mlflowFolder(source));
    case "safetensors":
      return safetensorsFile(source);
    case "tfjs":
      return zipped(tfjsFolder(source));
    case "javascript":
      return predictorFile(source, runtime);
  }
}

/** The first day that a zip can name, so that the bytes depend on the model alone. */
const ZIP_TIME = "1980-01-01T00:00:00";

function zipped(files: ReadonlyMap<string, Bytes>): Bytes {
  const entries: Zippable = Object.fromEntries(
    [...files].map(([name, bytes]) => [name, [bytes, { mtime: ZIP_TIME }]]),
  );
  return new Uint8Array(zipSync(entries, { level: 6 }));
}
