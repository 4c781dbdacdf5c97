import type { z } from "zod";
import type { ExportFormat } from "#shared/export/formats.ts";
import { portabilitySchema } from "#shared/export/portability.ts";
import type { TableFormat } from "#shared/export/table/formats.ts";
import {
  apiErrorSchema,
  eventViewSchema,
  type Launch,
  listSchema,
  roundDetailSchema,
  roundViewSchema,
  runViewSchema,
  statusSchema,
  taskViewSchema,
} from "#shared/protocol/api.ts";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import type { FieldError } from "#shared/protocol/fields.ts";
import { logStateSchema } from "#shared/protocol/log-api.ts";
import { settingsViewSchema } from "#shared/protocol/settings-view.ts";
import type { TaskSettingChanges } from "#shared/task/settings.ts";
import type { Task } from "#shared/task/task.ts";
import { apiDescriptionSchema } from "../words/api-reference.ts";
import { coordinatorBase } from "./coordinator.ts";

/*
 * The public API for the pages: the same routes that a script uses. Every answer is checked against its schema, so that
 * a page never shows anything else.
 */

export const API = "/api/v1";

/** What went wrong with a request, in words for people. `code` is the coordinator's, NO_ANSWER or BAD_ANSWER. */
export class ApiFailure extends Error {
  readonly code: ErrorCode | "NO_ANSWER" | "BAD_ANSWER";
  readonly retry: "now" | "later" | "never";
  /** With BAD_REQUEST: what is wrong, field by field. */
  readonly fields: readonly FieldError[];
  constructor(
    code: ErrorCode | "NO_ANSWER" | "BAD_ANSWER",
    message: string,
    retry: "now" | "later" | "never",
    fields: readonly FieldError[] = [],
  ) {
    super(message);
    this.name = "ApiFailure";
    this.code = code;
    this.retry = retry;
    this.fields = fields;
  }
}

/** What a request adds to its path. */
interface Ask extends Omit<RequestInit, "headers"> {
  readonly headers?: Readonly<Record<string, string>>;
}

async function request(path: string, init?: Ask): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(`${coordinatorBase()}${API}${path}`, {
      ...init,
      headers: {
        accept: "application/json",
        ...(init?.body === undefined ? {} : { "content-type": "application/json" }),
        ...init?.headers,
      },
    });
  } catch {
    throw new ApiFailure("NO_ANSWER", "The coordinator does not answer.", "later");
  }
  const body: unknown = await response.json().catch(() => null);
  if (response.ok) return body;
  const parsed = apiErrorSchema.safeParse(body);
  if (!parsed.success) {
    throw new ApiFailure(
      "BAD_ANSWER",
      `The coordinator answered ${response.status} without saying why.`,
      "later",
    );
  }
  const { code, message, retry, fields } = parsed.data.error;
  throw new ApiFailure(code, message, retry, fields);
}

/** The answer to a request, checked against its schema. @throws ApiFailure */
export async function read<Schema extends z.ZodType>(
  schema: Schema,
  path: string,
  init?: Ask,
): Promise<z.output<Schema>> {
  const parsed = schema.safeParse(await request(path, init));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new ApiFailure(
    "BAD_ANSWER",
    `The coordinator's answer does not have the expected shape (${issue?.path.join(".") ?? ""}). Reload to get the current page.`,
    "never",
  );
}

export function post(body: unknown): Ask {
  return { method: "POST", body: JSON.stringify(body) };
}

function showing(bearer: string | null): Ask {
  return bearer === null ? {} : { headers: { authorization: `Bearer ${bearer}` } };
}

/** Runs that a page keeps live. Older ones are fetched when they are asked for. */
const LIVE_RUN_COUNT = 50;

/** Part of a list; `next` is the cursor of what follows, null at its end. */
export interface Listed<Item> {
  readonly items: Item[];
  readonly next: string | null;
}

export const getStatus = () => read(statusSchema, "/status");
export const getLogState = () => read(logStateSchema, "/log/state");
export const getApiDescription = () => read(apiDescriptionSchema, "/openapi.json");
export const getTasks = () => readWhole(taskViewSchema, "/tasks");
/** Archived ones too. */
export const getArchivedTasks = () => readWhole(taskViewSchema, "/tasks", { query: "archived=include" });
/** Publishes a version. @param project  Null if there is only one. */
export const createTask = (task: Task, project: string | null) =>
  read(
    taskViewSchema,
    `/tasks${project === null ? "" : `?project=${encodeURIComponent(project)}`}`,
    post(task),
  );
export const getSettings = (slug: string) =>
  read(settingsViewSchema, `/tasks/${encodeURIComponent(slug)}/settings`);
export const changeSettings = (slug: string, changes: TaskSettingChanges) =>
  read(settingsViewSchema, `/tasks/${encodeURIComponent(slug)}/settings`, post({ changes }));
export const getTask = (slug: string, version?: number) =>
  read(taskViewSchema, `/tasks/${encodeURIComponent(slug)}${version === undefined ? "" : `/${version}`}`);
/** Versions of a task, newest first. */
export const getVersions = (slug: string, count: number) =>
  readList(taskViewSchema, `/tasks/${encodeURIComponent(slug)}/versions`, count);
/** The newest version, for a participant. @param bearer  Null for a public task. */
export const getOwnTask = (slug: string, bearer: string | null) =>
  read(taskViewSchema, `/tasks/${encodeURIComponent(slug)}`, showing(bearer));
export const getRuns = () => readList(runViewSchema, "/runs", LIVE_RUN_COUNT);
export const getRunsOf = (task: string) =>
  readList(runViewSchema, "/runs", 1, { query: `task=${encodeURIComponent(task)}` });
/** @param task  Of this task only; null for all. */
export const getOlderRuns = (task: string | null, cursor: string, count: number) =>
  readList(runViewSchema, "/runs", count, {
    cursor,
    query: task === null ? "" : `task=${encodeURIComponent(task)}`,
  });
export const getRun = (runId: string) => read(runViewSchema, `/runs/${encodeURIComponent(runId)}`);
export const getRunRounds = (runId: string) =>
  readWhole(roundViewSchema, `/runs/${encodeURIComponent(runId)}/rounds`);
/** The newest round of a run whose newest version is `version`: rounds after that were given up. Null if it has none. */
export const getLastRound = (runId: string, version: number) =>
  // The cursor of this list is the number of a round.
  readWhole(roundViewSchema, `/runs/${encodeURIComponent(runId)}/rounds`, {
    cursor: String(Math.max(0, version - 1)),
  }).then((rounds) => rounds.at(-1) ?? null);
export const getRunEvents = (runId: string, count = 1, cursor?: string) =>
  readList(eventViewSchema, `/runs/${encodeURIComponent(runId)}/events`, count, { cursor });
/** @param bearer  Of a participant in a task by invitation; null for everyone else. */
export const getRound = (roundId: string, bearer: string | null = null) =>
  read(roundDetailSchema, `/rounds/${encodeURIComponent(roundId)}`, showing(bearer));
export const getPortability = (slug: string, version: number) =>
  read(portabilitySchema, `/tasks/${encodeURIComponent(slug)}/models/${version}/portability`);
export const launchRun = (launch: Launch) => read(runViewSchema, "/runs", post(launch));
export const actOnRun = (runId: string, act: "pause" | "resume" | "stop") =>
  read(runViewSchema, `/runs/${encodeURIComponent(runId)}/${act}`, post({}));
export const sumUrl = (roundId: string) => `${API}/rounds/${encodeURIComponent(roundId)}/sum`;
export const modelUrl = (hash: string) => `${API}/models/${encodeURIComponent(hash)}`;
export const exportUrl = (runId: string, format: ExportFormat) =>
  `${API}/runs/${encodeURIComponent(runId)}/exports/${format}`;
export const figuresUrl = (runId: string, format: TableFormat) =>
  `${API}/runs/${encodeURIComponent(runId)}/figures/${format}`;
export const archiveUrl = (runId: string) => `${API}/runs/${encodeURIComponent(runId)}/archive`;

/** Reads pages of a list, from a cursor on, until it has `countMin` items or ends. A page of large items is short. */
export async function readList<Item extends z.ZodType>(
  item: Item,
  path: string,
  countMin: number,
  { cursor, query = "" }: ListStart = {},
): Promise<Listed<z.output<Item>>> {
  const items: z.output<Item>[] = [];
  let next: string | null = cursor ?? null;
  do {
    const page: Listed<z.output<Item>> = await read(
      listSchema(item),
      path + queryOf(query, next === null ? "" : `cursor=${encodeURIComponent(next)}`),
    );
    items.push(...page.items);
    next = page.next;
  } while (next !== null && items.length < countMin);
  return { items, next };
}

const readWhole = async <Item extends z.ZodType>(item: Item, path: string, start?: ListStart) =>
  (await readList(item, path, Number.POSITIVE_INFINITY, start)).items;

interface ListStart {
  readonly cursor?: string | undefined;
  readonly query?: string;
}

function queryOf(...parts: readonly string[]): string {
  const given = parts.filter((part) => part !== "");
  return given.length === 0 ? "" : `?${given.join("&")}`;
}
