import { z } from "@hono/zod-openapi";
import { TABLE_FORMATS, TABLE_MEDIA_TYPES } from "#shared/export/table/formats.ts";
import { runNamesSchema, runSearchSchemaOf } from "#shared/protocol/run-search.ts";
import { readableBy } from "../../../core/access/permissions.ts";
import type { RunSearch } from "../../../core/coordinator.ts";
import { API } from "../dialect.ts";
import { type Endpoint, jsonEndpoint, rawEndpoint } from "../endpoint.ts";
import { pageCost, pageFields, runView, unwrapped } from "./answers.ts";
import { answerFile, FILE_BYTES } from "./file-answer.ts";

const line = z
  .string()
  .max(4_000)
  .regex(/^\P{Cc}*$/u, "must be one line")
  .default("");
/** `filter` in MLflow's language; `order` as its `order_by`, entries joined by commas. */
const searchFields = { filter: line, order: line };

/** Runs of all tasks, searched. */
export function experimentEndpoints({ runSearch }: { readonly runSearch: RunSearch }): readonly Endpoint[] {
  return [
    jsonEndpoint({
      method: "get",
      path: "/api/v1/experiments",
      summary:
        "Runs of all tasks that a filter in MLflow's language finds, with params, tags and newest figures",
      dialect: API,
      permission: "tracking.read",
      query: z.strictObject({ ...pageFields, ...searchFields }),
      answer: runSearchSchemaOf(runView),
      cost: pageCost,
      handle: async ({ query: { filter, order, ...page }, principal }) => {
        const readable = readableBy(principal, "tracking.read");
        const found = unwrapped(await runSearch.search(readable, { filter, order }, page));
        return {
          ...found,
          items: found.items.map(({ run, params, tags, metrics }) => ({
            run,
            params: [...params],
            tags: [...tags],
            metrics: [...metrics],
          })),
        };
      },
    }),
    jsonEndpoint({
      method: "get",
      path: "/api/v1/experiments/names",
      summary: "The params, metrics and tags that runs have",
      dialect: API,
      permission: "tracking.read",
      answer: runNamesSchema,
      handle: async ({ principal }) => {
        const { params, metrics, tags } = await runSearch.names(readableBy(principal, "tracking.read"));
        return { params: [...params], metrics: [...metrics], tags: [...tags] };
      },
    }),
    rawEndpoint({
      method: "get",
      path: "/api/v1/experiments/files/{format}",
      summary: "The runs that a filter finds as a table of params and newest figures, at most 10,000",
      dialect: API,
      permission: "tracking.read",
      params: z.strictObject({ format: z.enum(TABLE_FORMATS) }),
      query: z.strictObject(searchFields),
      responses: {
        200: {
          description: "The table",
          content: Object.fromEntries(TABLE_FORMATS.map((format) => [TABLE_MEDIA_TYPES[format], FILE_BYTES])),
        },
      },
      handle: ({ format }, asked, text) =>
        answerFile(asked, () => runSearch.file(readableBy(asked.principal, "tracking.read"), text, format)),
    }),
  ];
}
