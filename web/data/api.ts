import type { z } from "zod";
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

/*
 * The public API as the pages use it: the same routes that a script has. Every answer is checked against its schema, so
 * that a page never shows what the coordinator did not mean to say.
 */

const API = "/api/v1";

/** What went wrong with a request, in words for people. `code` is the coordinator's, or NO_ANSWER, or BAD_ANSWER. */
export class ApiFailure extends Error {
  readonly code: ErrorCode | "NO_ANSWER" | "BAD_ANSWER";
  readonly retry: "now" | "later" | "never";
  constructor(
    code: ErrorCode | "NO_ANSWER" | "BAD_ANSWER",
    message: string,
    retry: "now" | "later" | "never",
  ) {
    super(message);
    this.name = "ApiFailure";
    this.code = code;
    this.retry = retry;
  }
}

async function request(path: string, init?: RequestInit): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(`${API}${path}`, {
      ...init,
      headers: {
        accept: "application/json",
        ...(init?.body === undefined ? {} : { "content-type": "application/json" }),
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
  const { code, message, retry } = parsed.data.error;
  throw new ApiFailure(code, message, retry);
}

async function read<Schema extends z.ZodType>(
  schema: Schema,
  path: string,
  init?: RequestInit,
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

function post(body: unknown): RequestInit {
  return { method: "POST", body: JSON.stringify(body) };
}

export const getStatus = () => read(statusSchema, "/status");
export const getTasks = () => read(listSchema(taskViewSchema), "/tasks").then(({ items }) => items);
export const getTask = (slug: string, version?: number) =>
  read(taskViewSchema, `/tasks/${encodeURIComponent(slug)}${version === undefined ? "" : `/${version}`}`);
export const getRuns = () => read(listSchema(runViewSchema), "/runs").then(({ items }) => items);
export const getRun = (runId: string) => read(runViewSchema, `/runs/${encodeURIComponent(runId)}`);
export const getRunRounds = (runId: string) =>
  readAll(roundViewSchema, `/runs/${encodeURIComponent(runId)}/rounds`);
export const getRunEvents = (runId: string) =>
  read(listSchema(eventViewSchema), `/runs/${encodeURIComponent(runId)}/events`).then(({ items }) => items);
export const getRound = (roundId: string) =>
  read(roundDetailSchema, `/rounds/${encodeURIComponent(roundId)}`);
export const launchRun = (launch: Launch) => read(runViewSchema, "/runs", post(launch));
export const actOnRun = (runId: string, act: "pause" | "resume" | "stop") =>
  read(runViewSchema, `/runs/${encodeURIComponent(runId)}/${act}`, post({}));
export const sumUrl = (roundId: string) => `${API}/rounds/${encodeURIComponent(roundId)}/sum`;
export const modelUrl = (hash: string) => `${API}/models/${encodeURIComponent(hash)}`;

/** All pages of a list; `next` is the cursor of the following page. */
async function readAll<Item extends z.ZodType>(item: Item, path: string): Promise<z.output<Item>[]> {
  const items: z.output<Item>[] = [];
  let next: string | null = null;
  do {
    const page: { items: z.output<Item>[]; next: string | null } = await read(
      listSchema(item),
      next === null ? path : `${path}?cursor=${encodeURIComponent(next)}`,
    );
    items.push(...page.items);
    next = page.next;
  } while (next !== null);
  return items;
}
