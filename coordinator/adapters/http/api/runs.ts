import { z } from "@hono/zod-openapi";
import { eventViewSchema, launchSchema, listSchema } from "#shared/protocol/api.ts";
import { runIdSchema, taskSlugSchema } from "#shared/protocol/ids.ts";
import { readableBy } from "../../../core/access/permissions.ts";
import { actorOf } from "../../../core/access/principal.ts";
import type { Rounds, Runs } from "../../../core/coordinator.ts";
import type { Placed } from "../../../core/ports/store.ts";
import { API, named } from "../dialect.ts";
import { type Endpoint, jsonEndpoint } from "../endpoint.ts";
import { found, mutable, pageCost, pageFields, pageQuery, roundView, runView, unwrapped } from "./answers.ts";
import { emptyBody } from "./people.ts";

const params = z.strictObject({ runId: runIdSchema });

interface RunPorts {
  readonly runs: Runs;
  readonly rounds: Rounds;
}

export function runEndpoints({ runs, rounds }: RunPorts): readonly Endpoint[] {
  return [
    jsonEndpoint({
      method: "get",
      path: "/api/v1/runs",
      summary: "Runs, newest first",
      dialect: API,
      permission: "runs.read",
      query: z.strictObject({ ...pageFields, task: taskSlugSchema.optional() }),
      answer: listSchema(runView),
      cost: pageCost,
      handle: async ({ query: { task, ...page }, principal }) => {
        const readable = readableBy(principal, "runs.read");
        return mutable(await runs.listRuns(task === undefined ? readable : { ...readable, task }, page));
      },
    }),
    jsonEndpoint({
      method: "post",
      path: "/api/v1/runs",
      summary: "Launch a run; it queues behind the task's active one",
      dialect: API,
      permission: "runs.launch",
      body: named(launchSchema, "Launch"),
      answer: runView,
      status: 201,
      about: ({ body: { task } }) => ({ type: "task", id: task }),
      handle: async ({ body, principal }) => unwrapped(await runs.launch(body, actorOf(principal))),
    }),
    jsonEndpoint({
      method: "get",
      path: "/api/v1/runs/{runId}",
      summary: "A run with its current round and its curve",
      dialect: API,
      permission: "runs.read",
      params,
      about: aboutRun,
      answer: runView,
      handle: async ({ params: { runId } }) => found(await runs.runView(runId)),
    }),
    ...actEndpoints(runs),
    jsonEndpoint({
      method: "get",
      path: "/api/v1/runs/{runId}/rounds",
      summary:
        "Rounds of a run, ascending; the cursor is the number of a round, and the page begins after it",
      dialect: API,
      permission: "runs.read",
      params,
      about: aboutRun,
      query: pageQuery,
      answer: listSchema(roundView),
      cost: pageCost,
      handle: async ({ params: { runId }, query }) => {
        found(await runs.runView(runId));
        return mutable(await rounds.listRounds(runId, query));
      },
    }),
    jsonEndpoint({
      method: "get",
      path: "/api/v1/runs/{runId}/events",
      summary: "What happened in a run and its rounds, newest first",
      dialect: API,
      permission: "runs.read",
      params,
      about: aboutRun,
      query: pageQuery,
      answer: listSchema(named(eventViewSchema, "Event")),
      cost: pageCost,
      handle: async ({ params: { runId }, query }) => {
        found(await runs.runView(runId));
        return mutable(await runs.listEvents(runId, query));
      },
    }),
  ];
}

function aboutRun({ params: { runId } }: { readonly params: { readonly runId: string } }): Placed {
  return { type: "run", id: runId };
}

const ACTS = [
  { name: "pause", act: "pause", summary: "Pause between rounds" },
  { name: "resume", act: "resume", summary: "Resume after a pause" },
  {
    name: "stop",
    act: "stopRun",
    summary: "End the run at once, or after its sum if that is already being opened",
  },
] as const;

function actEndpoints(runs: Runs): readonly Endpoint[] {
  return ACTS.map(({ name, act, summary }) =>
    jsonEndpoint({
      method: "post",
      path: `/api/v1/runs/{runId}/${name}`,
      summary,
      dialect: API,
      permission: "runs.act",
      params,
      about: aboutRun,
      body: emptyBody,
      answer: runView,
      handle: async ({ params: { runId }, principal }) =>
        unwrapped(await runs[act](runId, actorOf(principal))),
    }),
  );
}
