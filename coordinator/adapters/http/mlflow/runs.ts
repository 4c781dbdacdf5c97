import { z } from "@hono/zod-openapi";
import { RUN_STATUSES } from "../../../core/ports/tracking-store.ts";
import { keySchema, nameSchema, paramValueSchema, tagValueSchema } from "../../../core/tracking/fields.ts";
import { unwrapped } from "../api/answers.ts";
import type { Endpoint } from "../endpoint.ts";
import { type MlflowPorts, mlflowEndpoint } from "./endpoint.ts";
import {
  idSchema,
  numberedEnum,
  optionalText,
  pageQueryFields,
  runIdFields,
  runIdOf,
  SHOWS,
  searchBodyFields,
  searchTextOf,
  tagsSchema,
  timeSchema,
  viewTypeSchema,
} from "./fields.ts";
import { metricMessage, runInfoMessage, runMessage, tokenOf } from "./messages.ts";

const READ = { method: "get", permission: "tracking.read" } as const;
const WRITE = { method: "post", permission: "tracking.write" } as const;
const anyRun = z.object(runIdFields);

const statusSchema = numberedEnum(RUN_STATUSES);

/** Runs: made, read, changed, searched. What is logged for them has a file of its own. */
export function runEndpoints(ports: MlflowPorts): readonly Endpoint[] {
  const { runs } = ports.tracking;
  return [
    mlflowEndpoint(ports, {
      ...WRITE,
      path: "/runs/create",
      summary: "Begin a run",
      body: z.object({
        experiment_id: idSchema.default("0"),
        user_id: z.string().max(250).default(""),
        run_name: nameSchema.or(z.literal("")).default(""),
        start_time: timeSchema.nullable().default(null),
        tags: tagsSchema,
      }),
      handle: async ({ projectId, actor, body }) => {
        const run = await runs.create(projectId, {
          experimentId: body.experiment_id,
          name: body.run_name,
          userId: body.user_id === "" ? actor : body.user_id,
          startTime: body.start_time,
          tags: body.tags,
        });
        return { run: runMessage(unwrapped(run)) };
      },
    }),
    mlflowEndpoint(ports, {
      ...READ,
      path: "/runs/get",
      summary: "A run with its params, its tags and the newest value of each metric",
      query: z.strictObject(runIdFields),
      handle: async ({ projectId, query }) => ({
        run: runMessage(unwrapped(await runs.get(projectId, runIdOf(query)))),
      }),
    }),
    mlflowEndpoint(ports, {
      ...WRITE,
      path: "/runs/update",
      summary: "Change the state, the end or the name of a run",
      body: anyRun.extend({
        status: statusSchema.optional(),
        end_time: timeSchema.optional(),
        run_name: z.string().max(500).default(""),
      }),
      handle: async ({ projectId, body }) => {
        const { status, end_time: endTime, run_name: name } = body;
        const changed = await runs.update(projectId, runIdOf(body), {
          name,
          ...(status !== undefined && { status }),
          ...(endTime !== undefined && { endTime }),
        });
        return { run_info: runInfoMessage(unwrapped(changed).run) };
      },
    }),
    ...(["delete", "restore"] as const).map((verb) =>
      mlflowEndpoint(ports, {
        ...WRITE,
        path: `/runs/${verb}`,
        summary: verb === "delete" ? "Delete a run; it can be restored" : "Restore a run",
        body: z.object({ run_id: idSchema }),
        handle: async ({ projectId, body }) => {
          unwrapped(await runs.setDeleted(projectId, body.run_id, verb === "delete"));
          return {};
        },
      }),
    ),
    mlflowEndpoint(ports, {
      ...READ,
      method: "post",
      path: "/runs/search",
      summary: "Search runs of experiments",
      body: z.object({
        experiment_ids: z.array(idSchema).max(10_000).default([]),
        run_view_type: viewTypeSchema,
        ...searchBodyFields,
      }),
      handle: async ({ projectId, body }) => {
        const page = unwrapped(
          await runs.search(projectId, {
            ...searchTextOf(body),
            experimentIds: body.experiment_ids,
            shows: SHOWS[body.run_view_type],
          }),
        );
        return { runs: page.items.map(runMessage), ...tokenOf(page) };
      },
    }),
    mlflowEndpoint(ports, {
      ...READ,
      path: "/metrics/get-history",
      summary: "The values of a metric, by step",
      query: z.strictObject({ ...runIdFields, metric_key: keySchema, ...pageQueryFields }),
      handle: async ({ projectId, query }) => {
        const { metric_key: key, max_results: maxResults = null, page_token: pageToken } = query;
        const page = unwrapped(await runs.history(projectId, runIdOf(query), key, { maxResults, pageToken }));
        return { metrics: page.items.map(metricMessage), ...tokenOf(page) };
      },
    }),
    mlflowEndpoint(ports, {
      ...WRITE,
      path: "/runs/set-tag",
      summary: "Set a tag of a run",
      body: anyRun.extend({ key: keySchema, value: tagValueSchema }),
      handle: async ({ projectId, body }) => {
        const tags = [{ key: body.key, value: body.value }];
        unwrapped(await runs.logBatch(projectId, runIdOf(body), { metrics: [], params: [], tags }));
        return {};
      },
    }),
    mlflowEndpoint(ports, {
      ...WRITE,
      path: "/runs/delete-tag",
      summary: "Remove a tag of a run",
      body: z.object({ run_id: idSchema, key: keySchema }),
      handle: async ({ projectId, body }) => {
        unwrapped(await runs.deleteTag(projectId, body.run_id, body.key));
        return {};
      },
    }),
    mlflowEndpoint(ports, {
      ...WRITE,
      path: "/runs/log-parameter",
      summary: "Log a param",
      body: anyRun.extend({ key: keySchema, value: paramValueSchema.default("") }),
      handle: async ({ projectId, body }) => {
        const params = [{ key: body.key, value: body.value }];
        unwrapped(await runs.logBatch(projectId, runIdOf(body), { metrics: [], params, tags: [] }));
        return {};
      },
    }),
    mlflowEndpoint(ports, {
      ...WRITE,
      path: "/runs/log-model",
      summary: "Note which model a run has logged, as clients before MLflow 3 do",
      body: z.object({ run_id: idSchema, model_json: optionalText }),
      handle: async ({ projectId, body }) => {
        unwrapped(await runs.noteModel(projectId, body.run_id, body.model_json));
        return {};
      },
    }),
  ];
}
