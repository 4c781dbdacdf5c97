import type { HttpBindings } from "@hono/node-server";
import type { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Result } from "#shared/kernel/result.ts";
import { addressKey, type RateLimit } from "../../core/rate-limit.ts";
import type { BodyReader } from "./json-body.ts";
import type { Origins } from "./origins.ts";
import { problem } from "./problem.ts";
import type { Reader, ReadQueue, ReadRefusal } from "./read-queue.ts";

export type ApiContext = Context<{ Bindings: HttpBindings }>;

/** What every route needs to judge a request before it reads it. */
export interface Gate {
  readonly origins: Origins;
  readonly writes: RateLimit;
  /** Of parts of kept rounds. */
  readonly audits: RateLimit;
  readonly bodies: BodyReader;
  readonly reads: ReadQueue;
  /** Of models and published sums. */
  readonly downloads: ReadQueue;
}

export type Fields = z.ZodObject | undefined;
export type Parsed<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;

/** @throws Problem RATE_LIMITED if this address reads too fast, UNAVAILABLE if too many read (W10). */
export async function readInTurn<Value>(
  context: ApiContext,
  { reads }: Gate,
  cost: number,
  read: () => Promise<Value>,
): Promise<Value> {
  return inTurn(await reads.run(readerOf(context, cost), read));
}

/** As `readInTurn`, of a download: its place is free again once the answer has ended, however it ends. */
export async function enterDownload(context: ApiContext, { downloads }: Gate): Promise<void> {
  const { leave } = inTurn(await downloads.enter(readerOf(context, 1)));
  const { outgoing } = context.env;
  if (outgoing.closed) leave();
  else outgoing.once("close", leave);
}

function readerOf(context: ApiContext, cost: number): Reader {
  const { incoming, outgoing } = context.env;
  return {
    address: addressKey(remoteAddress(context)),
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
  throw problem("UNAVAILABLE", "Too many are reading. Wait a second and try again.", { "retry-after": "1" });
}

/** A write is refused to a foreign page and to a hasty sender before anything of it is read (W8). */
export function checkWrite(context: ApiContext, gate: Gate): void {
  checkOrigin(context, gate);
  if (!gate.writes.take(addressKey(remoteAddress(context)))) throw problem("RATE_LIMITED");
}

/** Whoever reads fast waits a second, not a minute: an audit has many parts (W8). */
export function checkRead(context: ApiContext, limit: RateLimit): void {
  if (!limit.take(addressKey(remoteAddress(context)))) throw tooFast();
}

function tooFast() {
  return problem("RATE_LIMITED", "Too many at once. Wait a second and go on.", { "retry-after": "1" });
}

export function checkOrigin(context: ApiContext, gate: Gate): void {
  const { headers } = context.env.incoming;
  if (!gate.origins.allowsOrigin(headers.origin, headers.host)) throw problem("FORBIDDEN");
}

/** Of the connection itself; what a header claims is not believed. */
export function remoteAddress(context: ApiContext): string {
  return context.env.incoming.socket.remoteAddress ?? "";
}

/** @throws Problem BAD_REQUEST with the first thing that is wrong. */
export function check<Schema extends z.ZodType | undefined>(
  schema: Schema,
  value: unknown,
  where: string,
): Parsed<Schema> {
  if (schema === undefined) return undefined as Parsed<Schema>;
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data as Parsed<Schema>;
  const [issue] = parsed.error.issues;
  const path = issue?.path.join(".") ?? "";
  // A malformed id names no resource, like an unknown one.
  if (where === "address") throw problem("NOT_FOUND");
  throw problem(
    "BAD_REQUEST",
    `In the ${where}${path === "" ? "" : `, ${path}`}: ${issue?.message ?? "not as described"}.`.slice(
      0,
      400,
    ),
  );
}

export function singleQuery(context: ApiContext): Record<string, string> {
  const single: Record<string, string> = Object.create(null);
  for (const [name, values] of Object.entries(context.req.queries())) {
    if (values.length !== 1) throw problem("BAD_REQUEST", `In the query: ${name.slice(0, 64)} comes twice.`);
    single[name] = values[0] as string;
  }
  return { ...single };
}
