import { readFile } from "node:fs/promises";
import { z } from "@hono/zod-openapi";
import { EXPORT_FILES, EXPORT_FORMATS } from "#shared/export/formats.ts";
import type { Result } from "#shared/kernel/result.ts";
import { modelNumberSchema } from "#shared/protocol/aliases.ts";
import type { WireError } from "#shared/protocol/errors.ts";
import { decimalSchema, roundIdSchema, runIdSchema, taskSlugSchema } from "#shared/protocol/ids.ts";
import type { Exported } from "../../../core/coordinator.ts";
import type { ExportedFile } from "../../../core/models/exports.ts";
import type { Placed } from "../../../core/ports/store.ts";
import { API } from "../dialect.ts";
import { type Endpoint, rawEndpoint } from "../endpoint.ts";
import type { Fields, Parsed } from "../gate.ts";
import { answerFile, FILE_BYTES } from "./file-answer.ts";

const format = z.enum(EXPORT_FORMATS);
const LOADER = new URL("../../../../client/load.mjs", import.meta.url);
/** Long enough that a page of another site works for a day without the coordinator. */
const LOADER_CACHE = "public, max-age=86400";

/** Models for other tools, and the module with which a page of any site uses one. */
export function exportEndpoints({ exports }: { readonly exports: Exported }): readonly Endpoint[] {
  return [
    exportOf({
      path: "/api/v1/runs/{runId}/exports/{format}",
      what: "The newest model of a run",
      params: z.strictObject({ runId: runIdSchema, format }),
      about: ({ runId }) => ({ type: "run", id: runId }),
      make: ({ runId, format: asked }) => exports.ofRun(runId, asked),
    }),
    exportOf({
      path: "/api/v1/rounds/{roundId}/exports/{format}",
      what: "The model that a round made",
      params: z.strictObject({ roundId: roundIdSchema, format }),
      about: ({ roundId }) => ({ type: "round", id: roundId }),
      make: ({ roundId, format: asked }) => exports.ofRound(roundId, asked),
    }),
    exportOf({
      path: "/api/v1/tasks/{slug}/models/{number}/exports/{format}",
      what: "One of a task's models",
      params: z.strictObject({
        slug: taskSlugSchema,
        number: decimalSchema.pipe(modelNumberSchema),
        format,
      }),
      about: ({ slug }) => ({ type: "task", id: slug }),
      make: ({ slug, number, format: asked }) => exports.ofVersion(slug, number, asked),
    }),
    rawEndpoint({
      method: "get",
      path: "/api/v1/load.js",
      summary: "A module with which a page of any site loads a model and predicts",
      dialect: API,
      permission: "public",
      anySite: true,
      rate: "facts",
      responses: { 200: { description: "The module", content: { "text/javascript": FILE_BYTES } } },
      handle: async () => {
        const headers = { "content-type": "text/javascript; charset=utf-8", "cache-control": LOADER_CACHE };
        return new Response(await readFile(LOADER), { headers });
      },
    }),
  ];
}

interface Export<Params extends Fields> {
  readonly path: string;
  /** Which model, as a sentence begins. */
  readonly what: string;
  readonly params: Params;
  about(params: Parsed<Params>): Placed;
  make(params: Parsed<Params>): Promise<Result<ExportedFile, WireError>>;
}

function exportOf<Params extends Fields>({ path, what, params, about, make }: Export<Params>): Endpoint {
  const mediaTypes = new Set(EXPORT_FORMATS.map((name) => EXPORT_FILES[name].mediaType));
  return rawEndpoint({
    method: "get",
    path,
    summary: `${what} in a format of other tools: ${EXPORT_FORMATS.slice(0, -1).join(", ")} or ${EXPORT_FORMATS.at(-1)}`,
    dialect: API,
    permission: "models.read",
    anySite: true,
    params,
    responses: {
      200: {
        description: "The file",
        content: Object.fromEntries([...mediaTypes].map((mediaType) => [mediaType, FILE_BYTES])),
      },
    },
    about,
    handle: (checked, asked) => answerFile(asked, () => make(checked)),
  });
}
