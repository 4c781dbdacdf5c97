import { z } from "@hono/zod-openapi";
import { aliasSchema, freeAliasSchema, modelNumberSchema } from "#shared/protocol/aliases.ts";
import { listSchema } from "#shared/protocol/api.ts";
import { decimalSchema, taskSlugSchema } from "#shared/protocol/ids.ts";
import {
  aliasesSchema,
  aliasMoveSchema,
  aliasViewSchema,
  decisionsSchema,
  gateReportSchema,
  modelVersionSchema,
  promotionSchema,
} from "#shared/protocol/registry.ts";
import { actorOf } from "../../../core/access/principal.ts";
import type { ModelRegistry } from "../../../core/coordinator.ts";
import type { Placed } from "../../../core/ports/store.ts";
import { API, named } from "../dialect.ts";
import { type Endpoint, jsonEndpoint } from "../endpoint.ts";
import { found, mutable, pageCost, pageQuery, unwrapped } from "./answers.ts";

const modelVersion = named(modelVersionSchema, "ModelVersion");
const aliasView = named(aliasViewSchema, "Alias");
const slugParams = z.strictObject({ slug: taskSlugSchema });

interface RegistryPorts {
  readonly registry: ModelRegistry;
}

function aboutTask({ params: { slug } }: { readonly params: { readonly slug: string } }): Placed {
  return { type: "task", id: slug };
}

/** A task's models, and which of them is in use. */
export function registryEndpoints(ports: RegistryPorts): readonly Endpoint[] {
  return [...models(ports), ...aliases(ports), ...promotions(ports)];
}

function models({ registry }: RegistryPorts): readonly Endpoint[] {
  return [
    jsonEndpoint({
      method: "get",
      path: "/api/v1/tasks/{slug}/models",
      summary: "The models that a task's rounds have made, newest first",
      dialect: API,
      permission: "models.read",
      anySite: true,
      params: slugParams,
      about: aboutTask,
      query: pageQuery,
      answer: listSchema(modelVersion),
      cost: pageCost,
      handle: async ({ params, query }) => mutable(await registry.listModels(params.slug, query)),
    }),
    jsonEndpoint({
      method: "get",
      path: "/api/v1/tasks/{slug}/models/{number}",
      summary: "One of a task's models",
      dialect: API,
      permission: "models.read",
      anySite: true,
      params: z.strictObject({ slug: taskSlugSchema, number: decimalSchema.pipe(modelNumberSchema) }),
      about: aboutTask,
      answer: modelVersion,
      handle: async ({ params }) => found(await registry.model(params.slug, params.number)),
    }),
  ];
}

function aliases({ registry }: RegistryPorts): readonly Endpoint[] {
  return [
    jsonEndpoint({
      method: "get",
      path: "/api/v1/tasks/{slug}/aliases",
      summary: "Which of a task's models have a name: champion is in use",
      dialect: API,
      permission: "models.read",
      anySite: true,
      params: slugParams,
      about: aboutTask,
      answer: named(aliasesSchema, "Aliases"),
      handle: async ({ params, may }) => {
        const items = await registry.aliases(params.slug);
        // People are named to those who may read runs, and to no page of another site.
        return { items: may("runs.read") ? [...items] : items.map((item) => ({ ...item, movedBy: null })) };
      },
    }),
    jsonEndpoint({
      method: "get",
      path: "/api/v1/tasks/{slug}/aliases/{alias}",
      summary: "The model that has this name",
      dialect: API,
      permission: "models.read",
      anySite: true,
      params: z.strictObject({ slug: taskSlugSchema, alias: aliasSchema }),
      about: aboutTask,
      answer: modelVersion,
      handle: async ({ params }) => found(await registry.modelByAlias(params.slug, params.alias)),
    }),
    jsonEndpoint({
      method: "post",
      path: "/api/v1/tasks/{slug}/aliases/{alias}",
      summary: "Move or remove challenger or shadow, if it still names what the sender expects",
      dialect: API,
      permission: "models.name",
      params: z.strictObject({ slug: taskSlugSchema, alias: freeAliasSchema }),
      about: aboutTask,
      body: aliasMoveSchema,
      answer: aliasView,
      handle: async ({ params: { slug, alias }, body, principal }) =>
        unwrapped(await registry.moveAlias(slug, alias, body, actorOf(principal))),
    }),
  ];
}

function promotions({ registry }: RegistryPorts): readonly Endpoint[] {
  return [
    jsonEndpoint({
      method: "get",
      path: "/api/v1/tasks/{slug}/models/{number}/decisions",
      summary: "What was decided about a model, newest first, with what each gate said then",
      dialect: API,
      permission: "runs.read",
      params: z.strictObject({ slug: taskSlugSchema, number: decimalSchema.pipe(modelNumberSchema) }),
      about: aboutTask,
      answer: decisionsSchema,
      handle: async ({ params: { slug, number } }) => {
        found(await registry.model(slug, number));
        return { items: [...(await registry.decisions(slug, number))] };
      },
    }),
    jsonEndpoint({
      method: "get",
      path: "/api/v1/tasks/{slug}/gates",
      summary: "What the task's gates say of a version, by default of the newest",
      dialect: API,
      permission: "runs.read",
      params: slugParams,
      query: z.strictObject({ version: decimalSchema.pipe(modelNumberSchema).optional() }),
      about: aboutTask,
      answer: named(gateReportSchema, "GateReport"),
      rate: "trials",
      handle: async ({ params, query }) => unwrapped(await registry.gates(params.slug, query.version)),
    }),
    jsonEndpoint({
      method: "post",
      path: "/api/v1/tasks/{slug}/promotions",
      summary: "Put a model in use, or go back to the one before, if champion is what the sender expects",
      dialect: API,
      permission: "models.name",
      params: slugParams,
      about: aboutTask,
      body: promotionSchema,
      answer: aliasView,
      // Gates may ask the version anew of all held-out rows.
      isTrial: ({ act }) => act === "promote",
      handle: async ({ params: { slug }, body, principal }) => {
        const actor = actorOf(principal);
        return unwrapped(
          body.act === "promote"
            ? await registry.promote(slug, body, actor)
            : await registry.rollBack(slug, body.expected, actor),
        );
      },
    }),
  ];
}
