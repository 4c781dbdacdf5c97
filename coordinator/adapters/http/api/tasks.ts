import { z } from "@hono/zod-openapi";
import { projectIdSchema } from "#shared/access/roles.ts";
import { archiveViewSchema, listSchema, taskCreatedSchema, taskHistorySchema } from "#shared/protocol/api.ts";
import { decimalSchema, taskSlugSchema, taskVersionSchema } from "#shared/protocol/ids.ts";
import { settingsChangeSchema, settingsViewSchema } from "#shared/protocol/settings-view.ts";
import { newTaskSchema } from "#shared/task/new-task.ts";
import type { AccessDesk } from "../../../core/access/desk.ts";
import { readableBy } from "../../../core/access/permissions.ts";
import type { Places } from "../../../core/access/places.ts";
import { actorOf, type Principal } from "../../../core/access/principal.ts";
import type { Tasks } from "../../../core/coordinator.ts";
import type { Placed } from "../../../core/ports/store.ts";
import { API, named } from "../dialect.ts";
import { type Endpoint, jsonEndpoint } from "../endpoint.ts";
import { TASK_BODY } from "../json-body.ts";
import { problem } from "../problem.ts";
import { found, mutable, pageCost, pageFields, pageQuery, taskView, unwrapped } from "./answers.ts";
import { emptyBody } from "./people.ts";

const settingsView = named(settingsViewSchema, "Settings");
const archiveView = named(archiveViewSchema, "Archive");
const slugParams = z.strictObject({ slug: taskSlugSchema });

export interface TaskPorts {
  readonly tasks: Tasks;
  readonly places: Pick<Places, "of">;
  readonly accessDesk: Pick<AccessDesk, "book">;
}

function aboutTask({ params: { slug } }: { readonly params: { readonly slug: string } }): Placed {
  return { type: "task", id: slug };
}

/**
 * The project of a task that is made: its own if it has versions already, else the one that is named, else the only one
 * that it can be.
 *
 * @throws Problem BAD_REQUEST, NOT_FOUND, FORBIDDEN, or CONFLICT if the slug is taken elsewhere.
 */
async function projectFor(
  { places, accessDesk }: TaskPorts,
  slug: string,
  named: string | undefined,
  principal: Principal,
): Promise<string> {
  const [place] = await places.of({ type: "task", id: slug });
  if (place !== undefined) {
    const isOther = named !== undefined && named !== place.projectId;
    if (isOther || !holdsIn(principal, place.projectId))
      throw problem("CONFLICT", `There is a task "${slug}" in another project. Choose another slug.`);
    return place.projectId;
  }
  const all = accessDesk.book.list("project").map(({ projectId }) => projectId);
  const own = all.filter((projectId) => holdsIn(principal, projectId));
  const [only] = own;
  const projectId = named ?? (own.length === 1 ? only : undefined);
  if (projectId === undefined)
    throw problem("BAD_REQUEST", `Name the task's project: ?project= with ${own.slice(0, 20).join(" or ")}.`);
  if (!own.includes(projectId)) {
    const isKnown = !all.includes(projectId) && holdsIn(principal, projectId);
    throw isKnown
      ? problem("NOT_FOUND", `There is no project "${projectId}".`)
      : problem("FORBIDDEN", NOT_YOURS);
  }
  return projectId;
}

const NOT_YOURS = "You have no role in this project that lets you make tasks.";

function holdsIn(principal: Principal, projectId: string): boolean {
  const { projects } = readableBy(principal, "tasks.create");
  return projects === "all" || projects.includes(projectId);
}

export function taskEndpoints(ports: TaskPorts): readonly Endpoint[] {
  return [
    ...publishing(ports),
    // Before the route with a version, which would match "settings" too.
    ...settings(ports),
    ...archiving(ports),
    ...reading(ports),
  ];
}

function publishing(ports: TaskPorts): readonly Endpoint[] {
  const { tasks } = ports;
  return [
    jsonEndpoint({
      method: "get",
      path: "/api/v1/tasks",
      summary: "Tasks, the newest version of each; archived ones only with archived=include",
      dialect: API,
      permission: "tasks.read",
      query: z.strictObject({ ...pageFields, archived: z.literal("include").optional() }),
      answer: listSchema(taskView),
      cost: pageCost,
      handle: async ({ query: { archived, ...page }, principal }) => {
        const readable = readableBy(principal, "tasks.read");
        return mutable(await tasks.listTasks({ ...readable, archived: archived === "include" }, page));
      },
    }),
    jsonEndpoint({
      method: "post",
      path: "/api/v1/tasks",
      summary:
        "Create a task or a new version of one; versions never change. A new task belongs to `project`",
      dialect: API,
      permission: "tasks.create",
      query: z.strictObject({ project: projectIdSchema.optional() }),
      body: newTaskSchema,
      bounds: TASK_BODY,
      answer: named(taskCreatedSchema, "TaskCreated"),
      status: 201,
      handle: async ({ body, query: { project }, principal }) => {
        const projectId = await projectFor(ports, body.slug, project, principal);
        return unwrapped(await tasks.createTask(body, actorOf(principal), projectId));
      },
    }),
  ];
}

function settings({ tasks }: TaskPorts): readonly Endpoint[] {
  return [
    jsonEndpoint({
      method: "get",
      path: "/api/v1/tasks/{slug}/settings",
      summary: "Settings of a task, for all its versions; null means the version's own value",
      dialect: API,
      permission: "tasks.read",
      params: slugParams,
      about: aboutTask,
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
      about: aboutTask,
      body: settingsChangeSchema,
      answer: settingsView,
      handle: async ({ params, body: { changes }, principal }) =>
        unwrapped(await tasks.changeTaskSettings(params.slug, changes, actorOf(principal))),
    }),
  ];
}

function archiving({ tasks }: TaskPorts): readonly Endpoint[] {
  return [
    jsonEndpoint({
      method: "get",
      path: "/api/v1/tasks/{slug}/archive",
      summary: "What archiving a task would do, or has done",
      dialect: API,
      permission: "tasks.settings",
      params: slugParams,
      about: aboutTask,
      answer: archiveView,
      handle: async ({ params, principal }) =>
        found(await tasks.archiveView(params.slug, actorOf(principal))),
    }),
    jsonEndpoint({
      method: "post",
      path: "/api/v1/tasks/{slug}/archive",
      summary:
        "Archive a task: off the list, no devices. Its active run ends after its round; models and log stay",
      dialect: API,
      permission: "tasks.settings",
      params: slugParams,
      about: aboutTask,
      body: emptyBody,
      answer: archiveView,
      handle: async ({ params, principal }) =>
        unwrapped(await tasks.archive(params.slug, actorOf(principal))),
    }),
  ];
}

function reading({ tasks }: TaskPorts): readonly Endpoint[] {
  return [
    jsonEndpoint({
      method: "get",
      path: "/api/v1/tasks/{slug}",
      summary: "The newest version of a task",
      dialect: API,
      permission: "tasks.read",
      params: slugParams,
      about: aboutTask,
      answer: taskView,
      handle: async ({ params }) => found(await tasks.taskView(params.slug)),
    }),
    jsonEndpoint({
      method: "get",
      path: "/api/v1/tasks/{slug}/versions",
      summary: "The versions of a task, newest first",
      dialect: API,
      permission: "tasks.read",
      params: slugParams,
      about: aboutTask,
      query: pageQuery,
      answer: listSchema(taskView),
      cost: pageCost,
      handle: async ({ params, query }) => mutable(await tasks.listVersions(params.slug, query)),
    }),
    jsonEndpoint({
      method: "get",
      path: "/api/v1/tasks/{slug}/history",
      summary: "What people decided about a task, newest first",
      dialect: API,
      permission: "runs.read",
      params: slugParams,
      about: aboutTask,
      answer: named(taskHistorySchema, "TaskHistory"),
      handle: async ({ params }) => found(await tasks.taskHistory(params.slug)),
    }),
    jsonEndpoint({
      method: "get",
      path: "/api/v1/tasks/{slug}/{version}",
      summary: "One version of a task",
      dialect: API,
      permission: "tasks.read",
      params: z.strictObject({ slug: taskSlugSchema, version: decimalSchema.pipe(taskVersionSchema) }),
      about: aboutTask,
      answer: taskView,
      handle: async ({ params }) => found(await tasks.taskView(params.slug, params.version)),
    }),
  ];
}
