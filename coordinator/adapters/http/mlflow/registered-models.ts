import { z } from "@hono/zod-openapi";
import { aliasSchema, keySchema, modelNameSchema } from "../../../core/tracking/fields.ts";
import { STAGES } from "../../../core/tracking/model-versions.ts";
import type { RegisteredModel } from "../../../core/tracking/registered-models.ts";
import { unwrapped } from "../api/answers.ts";
import type { Endpoint } from "../endpoint.ts";
import { type MlflowPorts, mlflowEndpoint } from "./endpoint.ts";
import {
  optionalText,
  searchQueryFields,
  searchTextOf,
  tagSchema,
  tagsSchema,
  versionSchema,
} from "./fields.ts";
import { modelVersionMessage, registeredModelMessage, tokenOf } from "./messages.ts";

const READ = { method: "get", permission: "tracking.read" } as const;
const WRITE = { method: "post", permission: "tracking.write" } as const;
const one = z.object({ name: modelNameSchema });
const oneQuery = z.strictObject({ name: modelNameSchema });

/** Names of models, with aliases. */
export function registeredModelEndpoints(ports: MlflowPorts): readonly Endpoint[] {
  const { models } = ports.tracking;
  const shown = shownModel(ports);
  return [
    mlflowEndpoint(ports, {
      ...WRITE,
      path: "/registered-models/create",
      summary: "Register a model by a name",
      body: one.extend({ description: optionalText, tags: tagsSchema }),
      handle: async ({ projectId, body }) =>
        shown(projectId, unwrapped(await models.create(projectId, body))),
    }),
    mlflowEndpoint(ports, {
      ...READ,
      path: "/registered-models/get",
      summary: "A registered model by its name",
      query: oneQuery,
      handle: async ({ projectId, query }) =>
        shown(projectId, unwrapped(await models.get(projectId, query.name))),
    }),
    mlflowEndpoint(ports, {
      ...READ,
      path: "/registered-models/search",
      summary: "Search registered models",
      query: z.strictObject(searchQueryFields),
      lists: ["order_by"],
      handle: async ({ projectId, query }) => {
        const page = unwrapped(await models.search(projectId, searchTextOf(query)));
        const items: object[] = [];
        for (const model of page.items) items.push((await shown(projectId, model)).registered_model);
        return { registered_models: items, ...tokenOf(page) };
      },
    }),
    mlflowEndpoint(ports, {
      ...WRITE,
      method: "patch",
      path: "/registered-models/update",
      summary: "Describe a registered model",
      body: one.extend({ description: optionalText }),
      handle: async ({ projectId, body }) =>
        shown(
          projectId,
          unwrapped(
            await models.note(projectId, body.name, { type: "describe", description: body.description }),
          ),
        ),
    }),
    mlflowEndpoint(ports, {
      ...WRITE,
      path: "/registered-models/rename",
      summary: "Rename a registered model",
      body: one.extend({ new_name: modelNameSchema }),
      handle: async ({ projectId, body }) =>
        shown(projectId, unwrapped(await models.rename(projectId, body.name, body.new_name))),
    }),
    mlflowEndpoint(ports, {
      ...WRITE,
      method: "delete",
      path: "/registered-models/delete",
      summary: "Delete a registered model with its versions",
      body: one,
      handle: async ({ projectId, body }) => {
        unwrapped(await models.remove(projectId, body.name));
        return {};
      },
    }),
    ...tagEndpoints(ports),
    ...aliasEndpoints(ports),
    ...newestEndpoints(ports),
  ];
}

function shownModel({ tracking: { versions } }: MlflowPorts) {
  return async (projectId: string, model: RegisteredModel) => ({
    registered_model: registeredModelMessage(model, await versions.newestByStage(projectId, model, STAGES)),
  });
}

function tagEndpoints(ports: MlflowPorts): readonly Endpoint[] {
  const { models } = ports.tracking;
  return [
    mlflowEndpoint(ports, {
      ...WRITE,
      path: "/registered-models/set-tag",
      summary: "Set a tag of a registered model",
      body: one.extend(tagSchema.shape),
      handle: async ({ projectId, body: { name, key, value } }) => {
        unwrapped(await models.note(projectId, name, { type: "set-tag", tag: { key, value } }));
        return {};
      },
    }),
    mlflowEndpoint(ports, {
      ...WRITE,
      method: "delete",
      path: "/registered-models/delete-tag",
      summary: "Remove a tag of a registered model",
      body: one.extend({ key: keySchema }),
      handle: async ({ projectId, body }) => {
        unwrapped(await models.note(projectId, body.name, { type: "delete-tag", key: body.key }));
        return {};
      },
    }),
  ];
}

function aliasEndpoints(ports: MlflowPorts): readonly Endpoint[] {
  const { models, versions } = ports.tracking;
  return [
    mlflowEndpoint(ports, {
      ...WRITE,
      path: "/registered-models/alias",
      summary: "Let an alias name a version. The champion of a task must pass its gates",
      body: one.extend({ alias: aliasSchema, version: versionSchema }),
      isTrial: ({ alias }) => alias === "champion",
      handle: async ({ projectId, actor, may, body: { name, alias, version } }) => {
        const mover = { actor, mayNameOwn: may("models.name") };
        unwrapped(await models.setAlias(projectId, name, { alias, version, ...mover }));
        return {};
      },
    }),
    mlflowEndpoint(ports, {
      ...READ,
      path: "/registered-models/alias",
      summary: "The version that an alias names",
      query: z.strictObject({ name: modelNameSchema, alias: aliasSchema }),
      handle: async ({ projectId, query: { name, alias } }) => {
        const version = unwrapped(await versions.byAlias(projectId, name, alias));
        const { aliases } = unwrapped(await models.get(projectId, name));
        return { model_version: modelVersionMessage(version, aliases) };
      },
    }),
    mlflowEndpoint(ports, {
      ...WRITE,
      method: "delete",
      path: "/registered-models/alias",
      summary: "Remove an alias",
      body: one.extend({ alias: aliasSchema }),
      handle: async ({ projectId, actor, may, body: { name, alias } }) => {
        const mover = { actor, mayNameOwn: may("models.name") };
        unwrapped(await models.deleteAlias(projectId, name, { alias, ...mover }));
        return {};
      },
    }),
  ];
}

function newestEndpoints(ports: MlflowPorts): readonly Endpoint[] {
  const { models, versions } = ports.tracking;
  const path = "/registered-models/get-latest-versions";
  const summary = "The newest version of a model in each stage";
  const stages = z.array(z.enum(STAGES)).max(10).default([]);
  const newest = async (projectId: string, name: string, asked: readonly (typeof STAGES)[number][]) => {
    const model = unwrapped(await models.get(projectId, name));
    const found = await versions.newestByStage(projectId, model, asked.length === 0 ? STAGES : asked);
    return { model_versions: found.map((version) => modelVersionMessage(version, model.aliases)) };
  };
  return [
    mlflowEndpoint(ports, {
      ...READ,
      method: "post",
      path,
      summary,
      body: one.extend({ stages }),
      handle: ({ projectId, body }) => newest(projectId, body.name, body.stages),
    }),
    mlflowEndpoint(ports, {
      ...READ,
      path,
      summary,
      query: oneQuery.extend({ stages }),
      lists: ["stages"],
      handle: ({ projectId, query }) => newest(projectId, query.name, query.stages),
    }),
  ];
}
