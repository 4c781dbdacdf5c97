import { z } from "@hono/zod-openapi";
import type { Entry } from "../../../core/ports/tracking-store.ts";
import { keySchema, modelNameSchema, tagValueSchema } from "../../../core/tracking/fields.ts";
import { type ModelVersion, STAGES } from "../../../core/tracking/model-versions.ts";
import { unwrapped } from "../api/answers.ts";
import type { Endpoint } from "../endpoint.ts";
import { type MlflowPorts, mlflowEndpoint } from "./endpoint.ts";
import {
  idSchema,
  optionalText,
  searchQueryFields,
  searchTextOf,
  tagsSchema,
  versionSchema,
} from "./fields.ts";
import { modelVersionMessage, tokenOf } from "./messages.ts";

const READ = { method: "get", permission: "tracking.read" } as const;
const WRITE = { method: "post", permission: "tracking.write" } as const;

const one = z.object({ name: modelNameSchema, version: versionSchema });
const oneQuery = z.strictObject(one.shape);

/** Versions of registered models. */
export function modelVersionEndpoints(ports: MlflowPorts): readonly Endpoint[] {
  const { versions } = ports.tracking;
  const shown = shownVersion(ports);
  return [
    mlflowEndpoint(ports, {
      ...WRITE,
      path: "/model-versions/create",
      summary: "Make the next version of a registered model",
      body: z.object({
        name: modelNameSchema,
        source: z.string().min(1).max(1_000),
        run_id: idSchema.default(""),
        run_link: z.string().max(500).default(""),
        description: optionalText,
        model_id: idSchema.default(""),
        tags: tagsSchema,
      }),
      handle: async ({
        projectId,
        actor,
        body: { run_id: runId, run_link: runLink, model_id: modelId, ...body },
      }) => {
        const asked = { ...body, runId, runLink, modelId, userId: actor };
        return shown(projectId, unwrapped(await versions.create(projectId, asked)));
      },
    }),
    mlflowEndpoint(ports, {
      ...READ,
      path: "/model-versions/get",
      summary: "A version by its number",
      query: oneQuery,
      handle: async ({ projectId, query: { name, version } }) =>
        shown(projectId, unwrapped(await versions.get(projectId, name, version))),
    }),
    mlflowEndpoint(ports, {
      ...READ,
      path: "/model-versions/search",
      summary: "Search versions",
      query: z.strictObject(searchQueryFields),
      lists: ["order_by"],
      handle: async ({ projectId, query }) => {
        const page = unwrapped(await versions.search(projectId, searchTextOf(query)));
        const aliasesByName = new Map<string, readonly Entry[]>();
        for (const name of new Set(page.items.map((version) => version.name))) {
          const model = await ports.tracking.models.get(projectId, name);
          aliasesByName.set(name, model.ok ? model.value.aliases : []);
        }
        return {
          model_versions: page.items.map((version) =>
            modelVersionMessage(version, aliasesByName.get(version.name) ?? []),
          ),
          ...tokenOf(page),
        };
      },
    }),
    mlflowEndpoint(ports, {
      ...READ,
      path: "/model-versions/get-download-uri",
      summary: "Where the files of a version are",
      query: oneQuery,
      handle: async ({ projectId, query: { name, version } }) => ({
        artifact_uri: unwrapped(await versions.get(projectId, name, version)).storage,
      }),
    }),
    mlflowEndpoint(ports, {
      ...WRITE,
      method: "patch",
      path: "/model-versions/update",
      summary: "Describe a version",
      body: one.extend({ description: optionalText }),
      handle: async ({ projectId, body: { name, version, description } }) =>
        shown(
          projectId,
          unwrapped(await versions.note(projectId, name, version, { type: "describe", description })),
        ),
    }),
    mlflowEndpoint(ports, {
      ...WRITE,
      path: "/model-versions/transition-stage",
      summary: "Move a version to another stage",
      body: one.extend({ stage: z.enum(STAGES), archive_existing_versions: z.boolean().default(false) }),
      handle: async ({
        projectId,
        body: { name, version, stage, archive_existing_versions: archivesOthers },
      }) =>
        shown(
          projectId,
          unwrapped(await versions.setStage(projectId, name, version, { stage, archivesOthers })),
        ),
    }),
    mlflowEndpoint(ports, {
      ...WRITE,
      method: "delete",
      path: "/model-versions/delete",
      summary: "Delete a version with the aliases that name it",
      body: one,
      handle: async ({ projectId, body: { name, version } }) => {
        unwrapped(await versions.remove(projectId, name, version));
        return {};
      },
    }),
    mlflowEndpoint(ports, {
      ...WRITE,
      path: "/model-versions/set-tag",
      summary: "Set a tag of a version",
      body: one.extend({ key: keySchema, value: tagValueSchema }),
      handle: async ({ projectId, body: { name, version, key, value } }) => {
        unwrapped(await versions.note(projectId, name, version, { type: "set-tag", tag: { key, value } }));
        return {};
      },
    }),
    mlflowEndpoint(ports, {
      ...WRITE,
      method: "delete",
      path: "/model-versions/delete-tag",
      summary: "Remove a tag of a version",
      body: one.extend({ key: keySchema }),
      handle: async ({ projectId, body: { name, version, key } }) => {
        unwrapped(await versions.note(projectId, name, version, { type: "delete-tag", key }));
        return {};
      },
    }),
  ];
}

function shownVersion({ tracking: { models } }: MlflowPorts) {
  return async (projectId: string, version: ModelVersion) => {
    const model = await models.get(projectId, version.name);
    return { model_version: modelVersionMessage(version, model.ok ? model.value.aliases : []) };
  };
}
