import { z } from "@hono/zod-openapi";
import { listSchema, settingsChangeSchema, settingsViewSchema } from "#shared/protocol/api.ts";
import { decimalSchema, taskSlugSchema, taskVersionSchema } from "#shared/protocol/ids.ts";
import { taskSchema } from "#shared/task/task.ts";
import { actorOf } from "../../../core/access/principal.ts";
import type { Tasks } from "../../../core/coordinator.ts";
import { API, named } from "../dialect.ts";
import { type Endpoint, jsonEndpoint } from "../endpoint.ts";
import { TASK_BODY } from "../json-body.ts";
import { found, mutable, pageCost, pageQuery, taskView, unwrapped } from "./answers.ts";

const settingsView = named(settingsViewSchema, "Settings");
const slugParams = z.strictObject({ slug: taskSlugSchema });

export function taskEndpoints({ tasks }: { readonly tasks: Tasks }): readonly Endpoint[] {
  return [
    jsonEndpoint({
      method: "get",
      path: "/api/v1/tasks",
      summary: "Tasks, the newest version of each",
      dialect: API,
      permission: "tasks.read",
      query: pageQuery,
      answer: listSchema(taskView),
      cost: pageCost,
      handle: async ({ query }) => mutable(await tasks.listTasks(query)),
    }),
    jsonEndpoint({
      method: "post",
      path: "/api/v1/tasks",
      summary: "Create a task or a new version of one; versions never change",
      dialect: API,
      permission: "tasks.create",
      body: taskSchema,
      bounds: TASK_BODY,
      answer: taskView,
      status: 201,
      handle: async ({ body, principal }) => unwrapped(await tasks.createTask(body, actorOf(principal))),
    }),
    jsonEndpoint({
      method: "get",
      path: "/api/v1/tasks/{slug}",
      summary: "The newest version of a task",
      dialect: API,
      permission: "tasks.read",
      params: slugParams,
      answer: taskView,
      handle: async ({ params }) => found(await tasks.taskView(params.slug)),
    }),
    // Before the versions: it is none.
    jsonEndpoint({
      method: "get",
      path: "/api/v1/tasks/{slug}/settings",
      summary: "Settings of a task, for all its versions; null: as the version says",
      dialect: API,
      permission: "tasks.read",
      params: slugParams,
      answer: settingsView,
      handle: async ({ params }) => found(await tasks.taskSettings(params.slug)),
    }),
    jsonEndpoint({
      method: "post",
      path: "/api/v1/tasks/{slug}/settings",
      summary: "Change settings of a task; no participant is asked again",
      dialect: API,
      permission: "tasks.settings",
      params: slugParams,
      body: settingsChangeSchema,
      answer: settingsView,
      handle: async ({ params, body: { changes, actor }, principal }) =>
        unwrapped(await tasks.changeTaskSettings(params.slug, changes, actorOf(principal, actor))),
    }),
    jsonEndpoint({
      method: "get",
      path: "/api/v1/tasks/{slug}/{version}",
      summary: "One version of a task",
      dialect: API,
      permission: "tasks.read",
      params: z.strictObject({ slug: taskSlugSchema, version: decimalSchema.pipe(taskVersionSchema) }),
      answer: taskView,
      handle: async ({ params }) => found(await tasks.taskView(params.slug, params.version)),
    }),
  ];
}
