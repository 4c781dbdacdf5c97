import type { RouteConfig, z as Zod } from "@hono/zod-openapi";
import { z } from "@hono/zod-openapi";
import type { Permission } from "../../core/access/permissions.ts";
import type { Principal } from "../../core/access/principal.ts";
import type { Dialect } from "./dialect.ts";
import {
  type ApiContext,
  check,
  checkRead,
  checkWrite,
  type Fields,
  type Gate,
  type Parsed,
  readInTurn,
  singleQuery,
} from "./gate.ts";
import { type BodyBounds, SMALL_BODY } from "./json-body.ts";

/** What an endpoint says about itself, whatever it answers with. None of it has a default (W13). */
export interface Sign<Params extends Fields = Fields> {
  readonly method: "get" | "post" | "put";
  /** From the root, with parameters in braces. */
  readonly path: string;
  readonly summary: string;
  readonly dialect: Dialect;
  readonly permission: Permission;
  readonly params?: Params;
}

/** A request that has passed its endpoint's permission. */
export interface Asked {
  readonly context: ApiContext;
  readonly gate: Gate;
  readonly principal: Principal;
}

/** One endpoint as the server mounts it, the description describes it and the tests try it. */
export interface Endpoint extends Sign {
  readonly query: Fields;
  readonly body: Zod.ZodType | undefined;
  readonly request: NonNullable<RouteConfig["request"]>;
  /** Of success; every endpoint adds its dialect's error. */
  readonly responses: RouteConfig["responses"];
  /** @throws Problem, which is answered in the endpoint's dialect. */
  answer(asked: Asked): Promise<Response>;
}

/** Takes JSON or nothing, and answers with JSON. */
export interface JsonEndpoint<
  Params extends Fields,
  Query extends Fields,
  Body extends z.ZodType | undefined,
  Answer extends z.ZodType,
> extends Sign<Params> {
  readonly method: "get" | "post";
  readonly query?: Query;
  readonly body?: Body;
  /** Of the body; that of a small one unless told. */
  readonly bounds?: BodyBounds;
  readonly answer: Answer;
  readonly status?: 200 | 201;
  /** A read that has a rate of its own and does not wait for its turn. */
  readonly rate?: "audits";
  /** Of a read, 1 unless told. */
  cost?(query: Parsed<Query>): number;
  handle(input: {
    readonly params: Parsed<Params>;
    readonly query: Parsed<Query>;
    readonly body: Parsed<Body>;
    readonly principal: Principal;
  }): Promise<z.output<Answer>>;
}

/** Behind the checks that all JSON endpoints share: origin, rate, content type, size, strict JSON, schema. */
export function jsonEndpoint<
  Params extends Fields = undefined,
  Query extends Fields = undefined,
  Body extends z.ZodType | undefined = undefined,
  Answer extends z.ZodType = z.ZodType,
>(endpoint: JsonEndpoint<Params, Query, Body, Answer>): Endpoint {
  const { method, path, summary, dialect, permission, params, query, body, status = 200 } = endpoint;
  return {
    ...{ method, path, summary, dialect, permission, query, body },
    ...(params === undefined ? {} : { params }),
    request: {
      ...(params === undefined ? {} : { params }),
      ...(query === undefined ? {} : { query }),
      ...(body === undefined ? {} : { body: { content: { "application/json": { schema: body } } } }),
    },
    responses: {
      [status]: { description: summary, content: { "application/json": { schema: endpoint.answer } } },
    },
    answer: (asked) => answerJson(endpoint, asked),
  };
}

async function answerJson<
  Params extends Fields,
  Query extends Fields,
  Body extends z.ZodType | undefined,
  Answer extends z.ZodType,
>(
  endpoint: JsonEndpoint<Params, Query, Body, Answer>,
  { context, gate, principal }: Asked,
): Promise<Response> {
  const { method, body, bounds = SMALL_BODY, rate, status = 200 } = endpoint;
  if (method === "post") checkWrite(context, gate);
  if (rate !== undefined) checkRead(context, gate[rate]);
  const input = {
    params: check(endpoint.params, context.req.param(), "address"),
    query: check(endpoint.query ?? z.strictObject({}), singleQuery(context), "query"),
    body:
      body === undefined
        ? undefined
        : await gate.bodies.read(context.env.incoming, body, bounds, (json) => check(body, json, "body")),
    principal,
  } as Parameters<typeof endpoint.handle>[0];
  const answer = async () => Response.json(await endpoint.handle(input), { status });
  if (method === "post" || rate !== undefined) return answer();
  return readInTurn(context, gate, endpoint.cost?.(input.query) ?? 1, answer);
}

/** Answers with bytes, or takes them; it judges its own rate, and its parameters are checked first. */
export interface RawEndpoint<Params extends Fields> extends Sign<Params> {
  readonly headers?: z.ZodObject;
  /** Media type of the body that it takes. */
  readonly takes?: string;
  /** Of success; one answer of bytes unless told. */
  readonly responses?: RouteConfig["responses"];
  readonly rate?: "audits";
  handle(params: Parsed<Params>, asked: Asked): Promise<Response>;
}

const BYTES = { schema: { type: "string", format: "binary" } } as const;

export function rawEndpoint<Params extends Fields = undefined>(endpoint: RawEndpoint<Params>): Endpoint {
  const { method, path, summary, dialect, permission, params, headers, takes, rate } = endpoint;
  return {
    ...{ method, path, summary, dialect, permission },
    ...(params === undefined ? {} : { params }),
    query: undefined,
    body: undefined,
    request: {
      ...(params === undefined ? {} : { params }),
      ...(headers === undefined ? {} : { headers }),
      ...(takes === undefined ? {} : { body: { content: { [takes]: BYTES } } }),
    },
    responses: endpoint.responses ?? {
      200: { description: summary, content: { "application/octet-stream": BYTES } },
    },
    answer: async (asked) => {
      if (rate !== undefined) checkRead(asked.context, asked.gate[rate]);
      return endpoint.handle(check(params as Params, asked.context.req.param(), "address"), asked);
    },
  };
}
