import type { HttpBindings } from "@hono/node-server";
import { type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Result } from "#shared/kernel/result.ts";
import { apiErrorSchema } from "#shared/protocol/api.ts";
import { addressKey, type RateLimit } from "../../core/rate-limit.ts";
import { type BodyBounds, type BodyReader, SMALL_BODY } from "./json-body.ts";
import type { Origins } from "./origins.ts";
import { problem } from "./problem.ts";
import type { Reader, ReadQueue, ReadRefusal } from "./read-queue.ts";

export type ApiContext = Context<{ Bindings: HttpBindings }>;
export type Api = OpenAPIHono<{ Bindings: HttpBindings }>;

type Fields = z.ZodObject | undefined;
type Parsed<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;

/** One route: what it takes and gives, for the caller, the check and the description alike. */
export interface Endpoint<
  Params extends Fields,
  Query extends Fields,
  Body extends z.ZodType | undefined,
  Answer extends z.ZodType,
> {
  readonly method: "get" | "post";
  /** Under /api/v1, with parameters in braces. */
  readonly path: string;
  readonly summary: string;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  /** Of the body; that of a small one unless told. */
  readonly bounds?: BodyBounds;
  readonly answer: Answer;
  readonly status?: 200 | 201;
  /** Of a read that has a rate of its own and does not wait for its turn. */
  readonly limit?: RateLimit;
  /** Of a read, 1 unless told. */
  cost?(query: Parsed<Query>): number;
  handle(input: {
    readonly params: Parsed<Params>;
    readonly query: Parsed<Query>;
    readonly body: Parsed<Body>;
  }): Promise<z.output<Answer>>;
}

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

/**
 * The same schema under a name in the API's description. The library's method is called by hand: schemas that were made
 * before the library was loaded do not have it.
 */
export function named<Schema extends z.ZodType>(schema: Schema, name: string): Schema {
  return z.ZodType.prototype.openapi.call(schema, name) as Schema;
}

export const errorSchema = named(apiErrorSchema, "Error");

/** Mounts the route behind the checks that all share: origin, rate, content type, size, strict JSON, schema. */
export function mount<
  Params extends Fields,
  Query extends Fields,
  Body extends z.ZodType | undefined,
  Answer extends z.ZodType,
>(api: Api, gate: Gate, endpoint: Endpoint<Params, Query, Body, Answer>): void {
  describe(api, endpoint);
  api.on(endpoint.method.toUpperCase(), honoPath(endpoint.path), async (context) => {
    if (endpoint.method === "post") checkWrite(context, gate);
    if (endpoint.limit !== undefined) checkRead(context, endpoint.limit);
    const { body, bounds = SMALL_BODY } = endpoint;
    const input = {
      params: check(endpoint.params, context.req.param(), "address"),
      query: check(endpoint.query ?? z.strictObject({}), singleQuery(context), "query"),
      body:
        body === undefined
          ? undefined
          : await gate.bodies.read(context.env.incoming, body, bounds, (json) => check(body, json, "body")),
    } as Parameters<typeof endpoint.handle>[0];
    const answer = async () =>
      Response.json(await endpoint.handle(input), { status: endpoint.status ?? 200 });
    if (endpoint.method === "post" || endpoint.limit !== undefined) return answer();
    return readInTurn(context, gate, endpoint.cost?.(input.query) ?? 1, answer);
  });
}

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
  const { socket } = context.env.incoming;
  return { address: addressKey(remoteAddress(context)), cost, isGone: () => socket.destroyed };
}

function inTurn<Value>(done: Result<Value, ReadRefusal>): Value {
  if (done.ok) return done.value;
  if (done.error.type === "too-many") throw tooFast();
  throw problem("UNAVAILABLE", "Too many are reading. Wait a second and try again.", { "retry-after": "1" });
}

/** A write is refused to a foreign page and to a hasty sender before anything of it is read (W8). */
function checkWrite(context: ApiContext, gate: Gate): void {
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

function singleQuery(context: ApiContext): Record<string, string> {
  const single: Record<string, string> = Object.create(null);
  for (const [name, values] of Object.entries(context.req.queries())) {
    if (values.length !== 1) throw problem("BAD_REQUEST", `In the query: ${name.slice(0, 64)} comes twice.`);
    single[name] = values[0] as string;
  }
  return { ...single };
}

function honoPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ":$1");
}

function describe<
  Params extends Fields,
  Query extends Fields,
  Body extends z.ZodType | undefined,
  Answer extends z.ZodType,
>(
  api: Api,
  { method, path, summary, params, query, body, answer, status = 200 }: Endpoint<Params, Query, Body, Answer>,
): void {
  api.openAPIRegistry.registerPath({
    method,
    path,
    summary,
    request: {
      ...(params === undefined ? {} : { params }),
      ...(query === undefined ? {} : { query }),
      ...(body === undefined ? {} : { body: { content: { "application/json": { schema: body } } } }),
    },
    responses: {
      [status]: { description: summary, content: { "application/json": { schema: answer } } },
      default: {
        description: "What is wrong and what to do",
        content: { "application/json": { schema: errorSchema } },
      },
    },
  });
}
