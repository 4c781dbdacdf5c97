import { z } from "@hono/zod-openapi";
import { keySchema, nameSchema } from "../../../core/tracking/fields.ts";
import { unwrapped } from "../api/answers.ts";
import type { Endpoint } from "../endpoint.ts";
import { type MlflowPorts, mlflowEndpoint } from "./endpoint.ts";
import {
  idSchema,
  SHOWS,
  searchBodyFields,
  searchQueryFields,
  searchTextOf,
  tagSchema,
  tagsSchema,
  viewTypeSchema,
} from "./fields.ts";
import { experimentMessage, tokenOf } from "./messages.ts";

const READ = { method: "get", permission: "tracking.read" } as const;
const WRITE = { method: "post", permission: "tracking.write" } as const;
const one = z.object({ experiment_id: idSchema });

export function experimentEndpoints(ports: MlflowPorts): readonly Endpoint[] {
  const { experiments } = ports.tracking;
  const search = async (
    projectId: string,
    fields: z.output<z.ZodObject<typeof searchBodyFields>> & { readonly view_type: keyof typeof SHOWS },
  ) => {
    const page = unwrapped(
      await experiments.search(projectId, searchTextOf(fields), SHOWS[fields.view_type]),
    );
    return { experiments: page.items.map(experimentMessage), ...tokenOf(page) };
  };
  return [
    mlflowEndpoint(ports, {
      ...WRITE,
      path: "/experiments/create",
      summary: "Make an experiment",
      body: z.object({
        name: nameSchema,
        artifact_location: z.string().max(500).default(""),
        tags: tagsSchema,
      }),
      handle: async ({ projectId, body }) => {
        const { name, artifact_location: artifactLocation, tags } = body;
        return {
          experiment_id: unwrapped(await experiments.create(projectId, { name, artifactLocation, tags })),
        };
      },
    }),
    mlflowEndpoint(ports, {
      ...READ,
      path: "/experiments/get",
      summary: "An experiment by its id",
      query: z.strictObject({ experiment_id: idSchema }),
      handle: async ({ projectId, query }) => ({
        experiment: experimentMessage(unwrapped(await experiments.get(projectId, query.experiment_id))),
      }),
    }),
    mlflowEndpoint(ports, {
      ...READ,
      path: "/experiments/get-by-name",
      summary: "An experiment by its name",
      query: z.strictObject({ experiment_name: nameSchema }),
      handle: async ({ projectId, query }) => ({
        experiment: experimentMessage(unwrapped(await experiments.byName(projectId, query.experiment_name))),
      }),
    }),
    mlflowEndpoint(ports, {
      ...READ,
      method: "post",
      path: "/experiments/search",
      summary: "Search experiments",
      body: z.object({ ...searchBodyFields, view_type: viewTypeSchema }),
      handle: ({ projectId, body }) => search(projectId, body),
    }),
    mlflowEndpoint(ports, {
      ...READ,
      path: "/experiments/search",
      summary: "Search experiments",
      query: z.strictObject({ ...searchQueryFields, view_type: viewTypeSchema }),
      lists: ["order_by"],
      handle: ({ projectId, query }) => search(projectId, query),
    }),
    mlflowEndpoint(ports, {
      ...WRITE,
      path: "/experiments/update",
      summary: "Rename an experiment",
      body: one.extend({ new_name: nameSchema }),
      handle: async ({ projectId, body }) => {
        unwrapped(await experiments.rename(projectId, body.experiment_id, body.new_name));
        return {};
      },
    }),
    ...(["delete", "restore"] as const).map((verb) =>
      mlflowEndpoint(ports, {
        ...WRITE,
        path: `/experiments/${verb}`,
        summary: verb === "delete" ? "Delete an experiment; it can be restored" : "Restore an experiment",
        body: one,
        handle: async ({ projectId, body }) => {
          unwrapped(await experiments.setDeleted(projectId, body.experiment_id, verb === "delete"));
          return {};
        },
      }),
    ),
    mlflowEndpoint(ports, {
      ...WRITE,
      path: "/experiments/set-experiment-tag",
      summary: "Set a tag of an experiment",
      body: one.extend(tagSchema.shape),
      handle: async ({ projectId, body: { experiment_id: experimentId, key, value } }) => {
        unwrapped(await experiments.setTag(projectId, experimentId, { key, value }));
        return {};
      },
    }),
    mlflowEndpoint(ports, {
      ...WRITE,
      path: "/experiments/delete-experiment-tag",
      summary: "Remove a tag of an experiment",
      body: one.extend({ key: keySchema }),
      handle: async ({ projectId, body }) => {
        unwrapped(await experiments.deleteTag(projectId, body.experiment_id, body.key));
        return {};
      },
    }),
  ];
}
