import type { HttpBindings } from "@hono/node-server";
import type { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { WallClock } from "#shared/kernel/ports.ts";
import type { Result } from "#shared/kernel/result.ts";
import { fieldsError } from "#shared/protocol/errors.ts";
import { fieldErrors } from "#shared/protocol/fields.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import type { Places } from "../../core/access/places.ts";
import type { Principals } from "../../core/access/principals.ts";
import type { RateLimit } from "../../core/access/rate-limit.ts";
import type { Clients } from "./clients.ts";
import type { BodyReader } from "./json-body.ts";
import type { Origins } from "./origins.ts";
import { Problem, problem } from "./problem.ts";
import type { Reader, ReadQueue, ReadRefusal } from "./read-queue.ts";

/** What the app knows of a request. */
export interface AppEnv {
  readonly Bindings: HttpBindings;
  readonly Variables: {
    readonly requestId: string;
    /** For the log: the endpoint's path and the ids of run, round and session. Absent if no endpoint was found. */
    readonly asked: Readonly<Record<string, string>> | undefined;
  };
}

export type ApiContext = Context<AppEnv>;

/** What a route needs to judge a request before reading it. */
export interface Gate {
  readonly principals: Principals;
  readonly places: Pick<Places, "of">;
  /** False until there is an admin. Little is answered before (X31). */
  readonly isSetUp: () => boolean;
  /** For fresh proofs, which age. */
  readonly wall: WallClock;
  readonly clients: Clients;
  readonly origins: Origins;
  readonly writes: RateLimit;
  /** For facts about the coordinator that cost nothing to tell. */
  readonly facts: RateLimit;
  readonly bodies: BodyReader;
  /** For what programs log for experiments. */
  readonly tracking: { readonly writes: RateLimit; readonly bodies: BodyReader };
  readonly reads: ReadQueue;
  /** For models and published sums. */
  readonly downloads: ReadQueue;
  /** For parts of kept rounds. */
  readonly audits: ReadQueue;
  /** For what asks a model anew of all held-out rows. Other reads do not wait for it. */
  readonly trials: ReadQueue;
}

export type Fields = z.ZodObject | undefined;
export type Parsed<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;

/**
 * The text that `read` makes, if any. Its size is charged afterwards, because it is unknown before.
 *
 * @throws Problem RATE_LIMITED if this address reads too fast, UNAVAILABLE if too many read at once (W10).
 */
export async function readInTurn<Text extends string | null>(
  context: ApiContext,
  gate: Gate,
  cost: number,
  read: () => Promise<Text>,
  queue: "reads" | "trials" = "reads",
): Promise<Text> {
  const reader = readerOf(context, gate, cost);
  const text = inTurn(await gate[queue].run(reader, read));
  gate.reads.charge(reader.address, Math.floor((text?.length ?? 0) / LIMITS.readByteCountPerCost));
  return text;
}

/** Like `readInTurn`, for downloads: the place is freed when the answer ends, however it ends. */
export async function enterDownload(
  context: ApiContext,
  gate: Gate,
  queue: "downloads" | "audits",
): Promise<void> {
  const { leave } = inTurn(await gate[queue].enter(readerOf(context, gate, 1)));
  const { outgoing } = context.env;
  if (outgoing.closed) leave();
  else outgoing.once("close", leave);
}

/**
 * Gives a download its deadline. A slow peer is cut (W10): bytes that the kernel accepts say little about what
 * the peer has read.
 */
export function cutWhenLate(context: ApiContext, byteCount: number): void {
  const { outgoing } = context.env;
  // A peer that left before now closes nothing any more, and its timer would hold the answer.
  if (outgoing.closed) return;
  const msMax = LIMITS.downloadMsMin + (byteCount / LIMITS.downloadBytesPerSecondMin) * 1000;
  const late = setTimeout(() => outgoing.destroy(), msMax);
  outgoing.once("close", () => clearTimeout(late));
}

function readerOf(context: ApiContext, gate: Gate, cost: number): Reader {
  const { incoming, outgoing } = context.env;
  return {
    address: clientAddress(context, gate),
    cost,
    isGone: () => incoming.socket.destroyed,
    onGone: (listener) => {
      outgoing.once("close", listener);
      return () => outgoing.off("close", listener);
    },
    cut: () => void outgoing.destroy(),
  };
}

function inTurn<Value>(done: Result<Value, ReadRefusal>): Value {
  if (done.ok) return done.value;
  if (done.error.type === "too-many") throw tooFast();
  throw problem("UNAVAILABLE", "Too many requests are reading. Wait a second and try again.", {
    "retry-after": "1",
  });
}

/** Refuses a write from a foreign page or an address that sends too fast, before its body is read (W8). */
export function checkWrite(context: ApiContext, gate: Gate, { writes }: Pick<Gate, "writes"> = gate): void {
  checkOrigin(context, gate);
  if (!writes.take(clientAddress(context, gate))) throw problem("RATE_LIMITED");
}

/** Asks fast readers of facts to wait a second, not a minute (W8). */
export function checkFacts(context: ApiContext, gate: Gate): void {
  if (!gate.facts.take(clientAddress(context, gate))) throw tooFast();
}

function tooFast() {
  return problem("RATE_LIMITED", "Too many at once. Wait a second and continue.", { "retry-after": "1" });
}

export function checkOrigin(context: ApiContext, gate: Gate): void {
  const { incoming } = context.env;
  if (!gate.origins.allowsOrigin(incoming.headers.origin, gate.clients.of(incoming)))
    throw problem("FORBIDDEN");
}

/** Key of the client's address, as limits count it. */
export function clientAddress(context: ApiContext, { clients }: Pick<Gate, "clients">): string {
  return clients.of(context.env.incoming).address;
}

/**
 * @param json  The text that a body was read from.
 * @throws Problem BAD_REQUEST with the first issue as its sentence and all of them by field.
 */
export function check<Schema extends z.ZodType | undefined>(
  schema: Schema,
  value: unknown,
  where: string,
  json: string | null = null,
): Parsed<Schema> {
  if (schema === undefined) return undefined as Parsed<Schema>;
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data as Parsed<Schema>;
  // A malformed id names nothing, just like an unknown one.
  if (where === "address") throw problem("NOT_FOUND");
  const fields = fieldErrors(parsed.error);
  const { path, sentence } = fields[0] ?? { path: "", sentence: "Not as described." };
  const detail = `In the ${where}${path === "" ? "" : `, ${path}`}: ${sentence}`.slice(0, 400);
  throw new Problem(fieldsError(detail, fields), {}, { input: value, path, sentence, json });
}

/** @param lists  Names that may appear more than once; their values are lists. */
export function singleQuery(
  context: ApiContext,
  lists: readonly string[] = [],
): Record<string, string | readonly string[]> {
  const single: Record<string, string | readonly string[]> = Object.create(null);
  for (const [name, values] of Object.entries(context.req.queries())) {
    // PostgreSQL has no such character in a text.
    if (values.some((value) => value.includes("\0")))
      throw problem("BAD_REQUEST", "In the query: a text has a NUL character.");
    if (lists.includes(name)) {
      single[name] = values;
      continue;
    }
    if (values.length !== 1)
      throw problem("BAD_REQUEST", `In the query: ${name.slice(0, 64)} appears twice.`);
    single[name] = values[0] as string;
  }
  return { ...single };
}
