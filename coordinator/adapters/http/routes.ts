import { z } from "@hono/zod-openapi";
import type { Result } from "#shared/kernel/result.ts";
import {
  actSchema,
  eventViewSchema,
  launchSchema,
  listSchema,
  roundDetailSchema,
  roundViewSchema,
  runViewSchema,
  type Status,
  statusSchema,
  taskViewSchema,
} from "#shared/protocol/api.ts";
import type { WireError } from "#shared/protocol/errors.ts";
import {
  decimalSchema,
  roundIdSchema,
  runIdSchema,
  taskSlugSchema,
  taskVersionSchema,
} from "#shared/protocol/ids.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { taskSchema } from "#shared/task/task.ts";
import type { Coordinator } from "../../core/coordinator.ts";
import { type Api, type Gate, mount, named } from "./endpoint.ts";
import { TASK_BODY } from "./json-body.ts";
import { Problem, problem } from "./problem.ts";

const status = named(statusSchema, "Status");
const taskView = named(taskViewSchema, "Task");
const runView = named(runViewSchema, "Run");
const roundView = named(roundViewSchema, "Round");
const roundDetail = named(roundDetailSchema, "RoundDetail");
const eventView = named(eventViewSchema, "Event");

const pageFields = {
  limit: decimalSchema.pipe(z.int().min(1).max(LIMITS.pageSizeMax)).default(50),
  /** As `next` of the list before. */
  cursor: z
    .string()
    .regex(/^[\w.:~-]{1,200}$/, "a cursor that a list gave")
    .optional(),
};
const pageQuery = z.strictObject(pageFields);
const pageCost = ({ limit }: { readonly limit: number }) => 1 + Math.ceil(limit / 10);
const runParams = z.strictObject({ runId: runIdSchema });

/** The JSON routes of the table in shared/protocol/api.ts. */
export function mountRoutes(api: Api, gate: Gate, coordinator: Coordinator, readStatus: () => Status): void {
  mount(api, gate, {
    method: "get",
    path: "/status",
    summary: "What runs here, since when, and where devices join",
    answer: status,
    limit: gate.audits,
    handle: async () => readStatus(),
  });
  mount(api, gate, {
    method: "get",
    path: "/limits",
    summary: "Every bound on what a peer may send",
    answer: z.record(z.string(), z.number()),
    limit: gate.audits,
    handle: async () => LIMITS,
  });
  mountTasks(api, gate, coordinator);
  mountRuns(api, gate, coordinator);
  mount(api, gate, {
    method: "get",
    path: "/rounds/{roundId}",
    summary: "A round with its rules, hashes and events",
    params: z.strictObject({ roundId: roundIdSchema }),
    answer: roundDetail,
    handle: async ({ params }) => found(await coordinator.roundDetail(params.roundId)),
  });
}

function mountTasks(api: Api, gate: Gate, coordinator: Coordinator): void {
  mount(api, gate, {
    method: "get",
    path: "/tasks",
    summary: "Tasks, the newest version of each",
    query: pageQuery,
    answer: listSchema(taskView),
    cost: pageCost,
    handle: async ({ query }) => mutable(await coordinator.listTasks(query)),
  });
  mount(api, gate, {
    method: "post",
    path: "/tasks",
    summary: "Create a task or a new version of one; versions never change",
    body: taskSchema,
    bounds: TASK_BODY,
    answer: taskView,
    status: 201,
    handle: async ({ body }) => unwrapped(await coordinator.createTask(body, "unverified")),
  });
  mount(api, gate, {
    method: "get",
    path: "/tasks/{slug}",
    summary: "The newest version of a task",
    params: z.strictObject({ slug: taskSlugSchema }),
    answer: taskView,
    handle: async ({ params }) => found(await coordinator.taskView(params.slug)),
  });
  mount(api, gate, {
    method: "get",
    path: "/tasks/{slug}/{version}",
    summary: "One version of a task",
    params: z.strictObject({ slug: taskSlugSchema, version: decimalSchema.pipe(taskVersionSchema) }),
    answer: taskView,
    handle: async ({ params }) => found(await coordinator.taskView(params.slug, params.version)),
  });
}

function mountRuns(api: Api, gate: Gate, coordinator: Coordinator): void {
  mount(api, gate, {
    method: "get",
    path: "/runs",
    summary: "Runs, newest first",
    query: z.strictObject({ ...pageFields, task: taskSlugSchema.optional() }),
    answer: listSchema(runView),
    cost: pageCost,
    handle: async ({ query: { task, ...page } }) =>
      mutable(await coordinator.listRuns(task === undefined ? {} : { task }, page)),
  });
  mount(api, gate, {
    method: "post",
    path: "/runs",
    summary: "Launch a run; it waits behind the task's active one",
    body: named(launchSchema, "Launch"),
    answer: runView,
    status: 201,
    handle: async ({ body }) => unwrapped(await coordinator.launch(body)),
  });
  mount(api, gate, {
    method: "get",
    path: "/runs/{runId}",
    summary: "A run with its current round and its curve",
    params: runParams,
    answer: runView,
    handle: async ({ params }) => found(await coordinator.runView(params.runId)),
  });
  const acts = {
    pause: "Pause between rounds",
    resume: "Go on after a pause",
    stop: "End the run: at once before a sum is asked for, else after it",
  } as const;
  for (const act of ["pause", "resume", "stop"] as const) {
    mount(api, gate, {
      method: "post",
      path: `/runs/{runId}/${act}`,
      summary: acts[act],
      params: runParams,
      body: actSchema,
      answer: runView,
      handle: async ({ params: { runId }, body: { actor } }) =>
        unwrapped(await coordinator[act === "stop" ? "stopRun" : act](runId, actor)),
    });
  }
  mount(api, gate, {
    method: "get",
    path: "/runs/{runId}/rounds",
    summary: "Rounds of a run, ascending",
    params: runParams,
    query: pageQuery,
    answer: listSchema(roundView),
    cost: pageCost,
    handle: async ({ params, query }) => {
      found(await coordinator.runView(params.runId));
      return mutable(await coordinator.listRounds(params.runId, query));
    },
  });
  mount(api, gate, {
    method: "get",
    path: "/runs/{runId}/events",
    summary: "What happened in a run and its rounds, newest first",
    params: runParams,
    query: pageQuery,
    answer: listSchema(eventView),
    cost: pageCost,
    handle: async ({ params, query }) => {
      found(await coordinator.runView(params.runId));
      return mutable(await coordinator.listEvents(params.runId, query));
    },
  });
}

function found<T>(value: T | null): T {
  if (value === null) throw problem("NOT_FOUND");
  return value;
}

function unwrapped<T>(result: Result<T, WireError>): T {
  if (!result.ok) throw new Problem(result.error);
  return result.value;
}

/** The same list; schemas infer arrays that may be written to. */
function mutable<T>(list: { readonly items: readonly T[]; readonly next: string | null }): {
  items: T[];
  next: string | null;
} {
  return { items: [...list.items], next: list.next };
}
