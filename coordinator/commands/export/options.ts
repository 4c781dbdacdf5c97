import { parseArgs } from "node:util";
import { EXPORT_FORMATS } from "#shared/export/formats.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { modelNumberSchema } from "#shared/protocol/aliases.ts";
import { decimalSchema, runIdSchema, taskSlugSchema } from "#shared/protocol/ids.ts";
import { CoordinatorApi } from "../../adapters/coordinator-api.ts";
import { environment } from "../command.ts";

export const EXPORT_HELP = `npm run export -- RUN [--format F] [--out FILE]
npm run export -- --assessment TASK@VERSION [--out FILE]
npm run export -- --record [--out FILE]

Writes the newest model of a run as a file for other tools, one model version for an assessor, or the record of processing.

  --format F    onnx (default)  for onnxruntime; takes the data as people have them
                onnx-int8       the same with weights in 8 bits: smaller, a little less exact
                mlflow          a zip for mlflow.pyfunc.load_model, once unpacked
                safetensors     the weights, and what is needed to use them
                tfjs            a zip with a LayersModel of TensorFlow.js
                javascript      one module without dependencies, for pages and Node
  --assessment TASK@VERSION
                a zip with what an assessor asks for about that model, and a manifest of hashes
  --record      the record of processing as Markdown; takes an admin's token with the scope "metrics"
  --out FILE    where to, replacing what is there; default: the name that the coordinator gives, in this folder, if it is free
  --help

CHORUS_URL    the coordinator; default http://localhost:3000
CHORUS_TOKEN  an API token with the scope "read" (see your account's page); a public task's models need none

Exit code 0: written. 1: the coordinator refused, or the file could not be written. 2: bad options.`;

export interface ExportOptions {
  /** Of the file in the coordinator's API. */
  readonly path: string;
  readonly out: string | null;
  readonly api: CoordinatorApi;
}

/** Returns a sentence if an option is wrong, "help" if help was asked for. */
export function readExportOptions(args: readonly string[]): ExportOptions | string {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      format: { type: "string" },
      assessment: { type: "string" },
      record: { type: "boolean" },
      out: { type: "string" },
      help: { type: "boolean" },
    },
  });
  if (values.help === true) return "help";
  const { format, assessment, record = false, out = null } = values;
  const asked = [positionals.length > 0, assessment !== undefined, record].filter(Boolean).length;
  if (asked !== 1 || positionals.length > 1)
    return "Name one run, by the id in its page's address, or one --assessment, or --record. See --help.";
  if (format !== undefined && positionals.length === 0) return "--format is of a run's model. See --help.";
  const path = record
    ? ok("/processing-record/markdown")
    : assessment === undefined
      ? modelPath(positionals[0] ?? "", format ?? "onnx")
      : assessmentPath(assessment);
  if (!path.ok) return path.error;
  const api = new CoordinatorApi(
    environment("CHORUS_URL") ?? "http://localhost:3000",
    environment("CHORUS_TOKEN") ?? null,
  );
  return { path: path.value, out, api };
}

function modelPath(runId: string, name: string): Result<string, string> {
  if (!runIdSchema.safeParse(runId).success)
    return err(`${JSON.stringify(runId)} is not the id of a run: 32 hex digits, from its page's address.`);
  const format = EXPORT_FORMATS.find((known) => known === name);
  if (format === undefined)
    return err(`There is no format ${JSON.stringify(name)}. Choose from ${EXPORT_FORMATS.join(", ")}.`);
  return ok(`/runs/${runId}/exports/${format}`);
}

function assessmentPath(reference: string): Result<string, string> {
  const [slug = "", version = "", ...more] = reference.split("@");
  const number = decimalSchema.pipe(modelNumberSchema).safeParse(version);
  if (!taskSlugSchema.safeParse(slug).success || !number.success || more.length > 0)
    return err(`${JSON.stringify(reference)} is not a model version such as digits@3.`);
  return ok(`/tasks/${slug}/models/${number.data}/assessment`);
}
