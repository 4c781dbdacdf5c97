import { z } from "@hono/zod-openapi";
import { TABLE_FORMATS, TABLE_MEDIA_TYPES } from "#shared/export/table/formats.ts";
import type { Result } from "#shared/kernel/result.ts";
import { modelNumberSchema } from "#shared/protocol/aliases.ts";
import type { WireError } from "#shared/protocol/errors.ts";
import { decimalSchema, runIdSchema, taskSlugSchema } from "#shared/protocol/ids.ts";
import type { Archive, Assessor, RunFiles } from "../../../core/coordinator.ts";
import type { Placed } from "../../../core/ports/store.ts";
import { zipStream } from "../../zip-stream.ts";
import { API } from "../dialect.ts";
import { type Asked, type Endpoint, rawEndpoint } from "../endpoint.ts";
import { cutWhenLate, enterDownload } from "../gate.ts";
import { unwrapped } from "./answers.ts";
import { answerFile, FILE_BYTES, fileHeaders } from "./file-answer.ts";

const about = ({ runId }: { readonly runId: string }): Placed => ({ type: "run", id: runId });
const modelNumber = decimalSchema.pipe(modelNumberSchema);
const ZIP = "application/zip";

/** A run as files for other tools. */
export function runFileEndpoints({
  runFiles,
  assessor,
}: {
  readonly runFiles: RunFiles;
  readonly assessor: Assessor;
}): readonly Endpoint[] {
  return [
    rawEndpoint({
      method: "get",
      path: "/api/v1/runs/{runId}/figures/{format}",
      summary: "Every measure of every model of a run, as a table",
      dialect: API,
      permission: "runs.read",
      params: z.strictObject({ runId: runIdSchema, format: z.enum(TABLE_FORMATS) }),
      responses: {
        200: {
          description: "The table",
          content: Object.fromEntries(TABLE_FORMATS.map((format) => [TABLE_MEDIA_TYPES[format], FILE_BYTES])),
        },
      },
      about,
      handle: ({ runId, format }, asked) => answerFile(asked, () => runFiles.figures(runId, format)),
    }),
    rawEndpoint({
      method: "get",
      path: "/api/v1/runs/{runId}/archive",
      summary: "A whole run as a zip: plan, figures, events, the record of each round, its newest model",
      dialect: API,
      permission: "runs.read",
      params: z.strictObject({ runId: runIdSchema }),
      responses: { 200: { description: "The archive", content: { [ZIP]: FILE_BYTES } } },
      about,
      handle: ({ runId }, asked) => answerZip(asked, () => runFiles.runArchive(runId)),
    }),
    rawEndpoint({
      method: "get",
      path: "/api/v1/tasks/{slug}/models/{number}/assessment",
      summary:
        "One model version for an assessor, as a zip: task, consent, rounds with their logs, gates, cards, entries of the audit log, and a manifest of hashes",
      dialect: API,
      permission: "runs.read",
      params: z.strictObject({ slug: taskSlugSchema, number: modelNumber }),
      responses: { 200: { description: "The file", content: { [ZIP]: FILE_BYTES } } },
      about: ({ slug }) => ({ type: "task", id: slug }),
      handle: ({ slug, number }, asked) => answerZip(asked, () => assessor.assessorFile(slug, number)),
    }),
  ];
}

/** Answers with a zip that is made while it is sent. @throws Problem */
async function answerZip(
  { context, gate }: Asked,
  make: () => Promise<Result<Archive, WireError>>,
): Promise<Response> {
  await enterDownload(context, gate, "downloads");
  const { name, files, byteCountAbout } = unwrapped(await make());
  cutWhenLate(context, byteCountAbout);
  const headers = fileHeaders(`${name}.zip`, ZIP);
  return new Response(context.req.method === "HEAD" ? null : zipStream(files), { headers });
}
