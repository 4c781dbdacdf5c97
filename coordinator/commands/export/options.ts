import { parseArgs } from "node:util";
import { EXPORT_FORMATS, type ExportFormat } from "#shared/export/formats.ts";
import { runIdSchema } from "#shared/protocol/ids.ts";
import { CoordinatorApi } from "../../adapters/coordinator-api.ts";
import { environment } from "../command.ts";

export const EXPORT_HELP = `npm run export -- RUN [--format F] [--out FILE]

Writes the newest model of a run as a file for other tools.

  --format F    onnx (default)  for onnxruntime; takes the data as people have them
                mlflow          a zip for mlflow.pyfunc.load_model, once unpacked
                safetensors     the weights, and what is needed to use them
                tfjs            a zip with a LayersModel of TensorFlow.js
                javascript      one module without dependencies, for pages and Node
  --out FILE    where to, replacing what is there; default: the name that the coordinator gives, in this folder, if it is free
  --help

CHORUS_URL    the coordinator; default http://localhost:3000
CHORUS_TOKEN  an API token with the scope "read" (see your account's page); a public task's models need none

Exit code 0: written. 1: the coordinator refused, or the file could not be written. 2: bad options.`;

export interface ExportOptions {
  readonly runId: string;
  readonly format: ExportFormat;
  readonly out: string | null;
  readonly api: CoordinatorApi;
}

/** Returns a sentence if an option is wrong, "help" if help was asked for. */
export function readExportOptions(args: readonly string[]): ExportOptions | string {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { format: { type: "string" }, out: { type: "string" }, help: { type: "boolean" } },
  });
  if (values.help === true) return "help";
  const [runId, ...more] = positionals;
  if (runId === undefined || more.length > 0)
    return "Name one run, by the id in its page's address. See --help.";
  if (!runIdSchema.safeParse(runId).success) {
    return `${JSON.stringify(runId)} is not the id of a run: 32 hex digits, from its page's address.`;
  }
  const format = EXPORT_FORMATS.find((name) => name === (values.format ?? "onnx"));
  if (format === undefined) {
    return `There is no format ${JSON.stringify(values.format)}. Choose from ${EXPORT_FORMATS.join(", ")}.`;
  }
  const api = new CoordinatorApi(
    environment("CHORUS_URL") ?? "http://localhost:3000",
    environment("CHORUS_TOKEN") ?? null,
  );
  return { runId, format, out: values.out ?? null, api };
}
