import { z } from "@hono/zod-openapi";
import { keySchema, nameSchema } from "../../../core/tracking/fields.ts";
import { LOGGED_MODEL_STATUSES } from "../../../core/tracking/logged-models.ts";
import { unwrapped } from "../api/answers.ts";
import type { Endpoint } from "../endpoint.ts";
import { type MlflowPorts, mlflowEndpoint } from "./endpoint.ts";
import { idSchema, numberedEnum, paramSchema, searchBodyFields, tagsSchema } from "./fields.ts";
import { loggedModelMessage, tokenOf } from "./messages.ts";

const READ = { method: "get", permission: "tracking.read" } as const;
const WRITE = { method: "post", permission: "tracking.write" } as const;

const modelParams = z.strictObject({ model_id: idSchema });
const paramsSchema = z.array(paramSchema).max(1_000).default([]);
/** As a field with a direction, rather than as text. */
const orderBySchema = z.object({
  field_name: z.string().max(500),
  ascending: z.boolean().default(true),
  dataset_name: z.string().max(500).optional(),
  dataset_digest: z.string().max(64).optional(),
});

/** Models that runs have logged, as MLflow 3 has them. */
export function loggedModelEndpoints(ports: MlflowPorts): readonly Endpoint[] {
  const { loggedModels } = ports.tracking;
  return [
    mlflowEndpoint(ports, {
      ...WRITE,
      path: "/logged-models",
      summary: "Begin a logged model, whose files follow",
      body: z.object({
        experiment_id: idSchema,
        name: nameSchema.or(z.literal("")).default(""),
        model_type: z.string().max(500).default(""),
        source_run_id: idSchema.default(""),
        params: paramsSchema,
        tags: tagsSchema,
      }),
      handle: async ({ projectId, body: { experiment_id: experimentId, name, params, tags, ...body } }) => {
        const { model_type: modelType, source_run_id: sourceRunId } = body;
        const asked = { experimentId, name, modelType, sourceRunId, params, tags };
        return { model: loggedModelMessage(unwrapped(await loggedModels.create(projectId, asked))) };
      },
    }),
    mlflowEndpoint(ports, {
      ...READ,
      method: "post",
      path: "/logged-models/search",
      summary: "Search logged models of experiments",
      body: z.object({
        experiment_ids: z.array(idSchema).max(10_000).default([]),
        ...searchBodyFields,
        order_by: z.array(orderBySchema).max(50).default([]),
        datasets: z
          .array(z.object({ dataset_name: z.string(), dataset_digest: z.string().optional() }))
          .default([]),
      }),
      handle: async ({ projectId, body }) => {
        const page = unwrapped(
          await loggedModels.search(projectId, {
            filter: body.filter,
            orderBy: body.order_by.map(
              ({ field_name: name, ascending }) => `${name} ${ascending ? "ASC" : "DESC"}`,
            ),
            maxResults: body.max_results,
            pageToken: body.page_token,
            experimentIds: body.experiment_ids,
          }),
        );
        return { models: page.items.map(loggedModelMessage), ...tokenOf(page) };
      },
    }),
    mlflowEndpoint(ports, {
      ...READ,
      path: "/logged-models/{model_id}",
      summary: "A logged model by its id",
      params: modelParams,
      handle: async ({ projectId, params }) => ({
        model: loggedModelMessage(unwrapped(await loggedModels.get(projectId, params.model_id))),
      }),
    }),
    mlflowEndpoint(ports, {
      ...WRITE,
      method: "patch",
      path: "/logged-models/{model_id}",
      summary: "Say that the files of a logged model are complete, or that they are not coming",
      params: modelParams,
      body: z.object({
        model_id: idSchema.optional(),
        status: numberedEnum(LOGGED_MODEL_STATUSES),
      }),
      handle: async ({ projectId, params, body }) => ({
        model: loggedModelMessage(
          unwrapped(await loggedModels.finalize(projectId, params.model_id, body.status)),
        ),
      }),
    }),
    mlflowEndpoint(ports, {
      ...WRITE,
      method: "delete",
      path: "/logged-models/{model_id}",
      summary: "Delete a logged model",
      params: modelParams,
      body: z.object({ model_id: idSchema.optional() }),
      handle: async ({ projectId, params }) => {
        unwrapped(await loggedModels.remove(projectId, params.model_id));
        return {};
      },
    }),
    ...tagAndParamEndpoints(ports),
  ];
}

function tagAndParamEndpoints(ports: MlflowPorts): readonly Endpoint[] {
  const { loggedModels } = ports.tracking;
  return [
    mlflowEndpoint(ports, {
      ...WRITE,
      method: "patch",
      path: "/logged-models/{model_id}/tags",
      summary: "Set tags of a logged model",
      params: modelParams,
      body: z.object({ model_id: idSchema.optional(), tags: tagsSchema }),
      handle: async ({ projectId, params, body }) => ({
        model: loggedModelMessage(
          unwrapped(await loggedModels.setTags(projectId, params.model_id, body.tags)),
        ),
      }),
    }),
    mlflowEndpoint(ports, {
      ...WRITE,
      method: "delete",
      path: "/logged-models/{model_id}/tags/{tag_key}",
      summary: "Remove a tag of a logged model",
      params: z.strictObject({ model_id: idSchema, tag_key: keySchema }),
      body: z.object({ model_id: idSchema.optional(), tag_key: keySchema.optional() }),
      handle: async ({ projectId, params }) => ({
        model: loggedModelMessage(
          unwrapped(await loggedModels.deleteTag(projectId, params.model_id, params.tag_key)),
        ),
      }),
    }),
    mlflowEndpoint(ports, {
      ...WRITE,
      path: "/logged-models/{model_id}/params",
      summary: "Log params of a logged model",
      params: modelParams,
      body: z.object({ model_id: idSchema.optional(), params: paramsSchema }),
      handle: async ({ projectId, params, body }) => ({
        model: loggedModelMessage(
          unwrapped(await loggedModels.setParams(projectId, params.model_id, body.params)),
        ),
      }),
    }),
  ];
}
