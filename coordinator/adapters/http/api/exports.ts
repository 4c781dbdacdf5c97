import { z } from "@hono/zod-openapi";
import { EXPORT_FILES, EXPORT_FORMATS } from "#shared/export/formats.ts";
import type { Result } from "#shared/kernel/result.ts";
import type { WireError } from "#shared/protocol/errors.ts";
import { roundIdSchema, runIdSchema } from "#shared/protocol/ids.ts";
import type { Exported } from "../../../core/coordinator.ts";
import type { ExportedModel } from "../../../core/models/exports.ts";
import { API } from "../dialect.ts";
import { type Asked, type Endpoint, rawEndpoint } from "../endpoint.ts";
import { cutWhenLate, enterDownload } from "../gate.ts";
import { unwrapped } from "./answers.ts";

const format = z.enum(EXPORT_FORMATS);
const BYTES = { schema: { type: "string", format: "binary" } } as const;

/** Models for other tools. */
export function exportEndpoints({ exports }: { readonly exports: Exported }): readonly Endpoint[] {
  const summary = "in a format of other tools: onnx, mlflow, safetensors, tfjs or javascript";
  const mediaTypes = new Set(EXPORT_FORMATS.map((name) => EXPORT_FILES[name].mediaType));
  const responses = {
    200: {
      description: "The file",
      content: Object.fromEntries([...mediaTypes].map((mediaType) => [mediaType, BYTES])),
    },
  };
  return [
    rawEndpoint({
      method: "get",
      path: "/api/v1/runs/{runId}/exports/{format}",
      summary: `The newest model of a run ${summary}`,
      dialect: API,
      permission: "models.read",
      params: z.strictObject({ runId: runIdSchema, format }),
      responses,
      about: ({ runId }) => ({ type: "run", id: runId }),
      handle: (params, asked) => answerFile(asked, () => exports.ofRun(params.runId, params.format)),
    }),
    rawEndpoint({
      method: "get",
      path: "/api/v1/rounds/{roundId}/exports/{format}",
      summary: `The model that a round made ${summary}`,
      dialect: API,
      permission: "models.read",
      params: z.strictObject({ roundId: roundIdSchema, format }),
      responses,
      about: ({ roundId }) => ({ type: "round", id: roundId }),
      handle: (params, asked) => answerFile(asked, () => exports.ofRound(params.roundId, params.format)),
    }),
  ];
}

async function answerFile(
  { context, gate }: Asked,
  make: () => Promise<Result<ExportedModel, WireError>>,
): Promise<Response> {
  await enterDownload(context, gate, "downloads");
  const { fileName, mediaType, bytes } = unwrapped(await make());
  cutWhenLate(context, bytes.length);
  return new Response(context.req.method === "HEAD" ? null : bytes, {
    headers: {
      "cache-control": "private, no-cache",
      "content-type": mediaType,
      "content-length": String(bytes.length),
      "content-disposition": `attachment; filename="${fileName}"`,
    },
  });
}
