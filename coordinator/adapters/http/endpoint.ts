import type { RouteConfig, z as Zod } from "@hono/zod-openapi";
import { z } from "@hono/zod-openapi";
import type { Permission } from "../../core/access/permissions.ts";
import { refusalAt } from "../../core/access/places.ts";
import type { Principal } from "../../core/access/principal.ts";
import type { Placed } from "../../core/ports/store.ts";
import type { Dialect } from "./dialect.ts";
import {
  type ApiContext,
  check,
  checkFacts,
  checkWrite,
  cutWhenLate,
  enterDownload,
  type Fields,
  type Gate,
  type Parsed,
  readInTurn,
  singleQuery,
} from "./gate.ts";
import { type BodyBounds, SMALL_BODY } from "./json-body.ts";
import { Problem } from "./problem.ts";

/** What every endpoint declares about itself. Nothing has a default (W13). */
export interface Sign<Params extends Fields = Fields> {
  readonly method: "get" | "post" | "put" | "patch" | "delete";
  /** From the root, parameters in braces. */
  readonly path: string;
  readonly summary: string;
  readonly dialect: Dialect;
  readonly permission: Permission;
  /** Whether pages of any site may read what anyone gets here without an account (W28). Absent: only named sites. */
  readonly anySite?: true;
  readonly params?: Params;
}

/** A request that has passed its endpoint's permission. */
export interface Asked {
  readonly context: ApiContext;
  readonly gate: Gate;
  readonly principal: Principal;
  /** Whoever asks, judged again: a body takes seconds, in which a role may be taken. @throws Problem as before. */
  again(): Promise<Principal>;
}

/** One endpoint, as it is mounted, described and tested. */
export interface Endpoint extends Sign {
  readonly query: Fields;
  readonly body: Zod.ZodType | undefined;
  readonly request: NonNullable<RouteConfig["request"]>;
  /** Responses on success. Every endpoint also has its dialect's error. */
  readonly responses: RouteConfig["responses"];
  /** @throws Problem, answered in the endpoint's dialect. */
  answer(asked: Asked): Promise<Response>;
}

/** @throws Problem unless the asker holds the endpoint's permission for what it names (X32). */
async function permit(
  { gate, principal }: Pick<Asked, "gate" | "principal">,
  permission: Permission,
  placed: Placed,
): Promise<Permit> {
  const places = await gate.places.of(placed);
  const refusalOf = (asked: Permission) => refusalAt(principal, asked, places, gate.wall.nowUnixMs());
  const refusal = refusalOf(permission);
  if (refusal !== null) throw new Problem(refusal);
  return (asked) => refusalOf(asked) === null;
}

/** In the queue of reads, unless the request has a place of its own already. */
async function permitInTurn(
  asked: Asked,
  permission: Permission,
  placed: Placed,
  rate: OwnRate | undefined,
): Promise<void> {
  if (rate !== undefined) return void (await permit(asked, permission, placed));
  await readInTurn(asked.context, asked.gate, 1, async () => {
    await permit(asked, permission, placed);
    return null;
  });
}

/** Whether the asker holds this permission, too, for what the request is about. */
type Permit = (permission: Permission) => boolean;
const NOTHING_ASKED: Permit = () => false;

/**
 * `facts` are told at once; `audits` have places until their answer has been read; `trials` ask a model anew of all held-out
 * rows, one after the other.
 */
type OwnRate = "facts" | "audits" | "trials";

async function enterOwn(rate: OwnRate, { context, gate }: Asked): Promise<void> {
  if (rate === "facts") checkFacts(context, gate);
  if (rate === "audits") await enterDownload(context, gate, "audits");
}

/** Takes JSON or no body, and answers with JSON. */
export interface JsonEndpoint<
  Params extends Fields,
  Query extends Fields,
  Body extends z.ZodType | undefined,
  Answer extends z.ZodType,
> extends Sign<Params> {
  readonly method: "get" | "post" | "patch" | "delete";
  readonly query?: Query;
  /** Names of the query that may appear more than once. */
  readonly lists?: readonly string[];
  /** Whose rates a write counts for; those of the public API by default. */
  readonly writes?: "tracking";
  /** For a read whose fields are in its body: it waits in the queue of reads. */
  readonly isRead?: true;
  readonly body?: Body;
  /** Whether a field of the body that is null counts as one that was left out. */
  readonly nullIsAbsent?: true;
  /** Bounds of the body; `SMALL_BODY` by default. */
  readonly bounds?: BodyBounds;
  readonly answer: Answer;
  readonly status?: 200 | 201;
  /** For a read with a rate or places of its own. */
  readonly rate?: OwnRate;
  /** True for a write that may ask a model anew: it waits for its turn among the trials. */
  isTrial?(body: Parsed<Body>): boolean;
  /**
   * What it is about. By default the whole coordinator, for which a role in any project is enough; lists then show what
   * their reader may read.
   */
  about?(input: { readonly params: Parsed<Params>; readonly body: Parsed<Body> }): Placed;
  /** Cost of a read; 1 by default. */
  cost?(query: Parsed<Query>): number;
  handle(input: {
    readonly params: Parsed<Params>;
    readonly query: Parsed<Query>;
    readonly body: Parsed<Body>;
    readonly principal: Principal;
    /** About what `about` names; false without it. */
    readonly may: Permit;
    /** The request itself, for cookies and addresses. */
    readonly context: ApiContext;
    /** Headers of the answer, to add to. */
    readonly headers: Headers;
  }): Promise<z.output<Answer>>;
}

/** Adds the checks that all JSON endpoints share: origin, rate, content type, size, strict JSON, schema. */
export function jsonEndpoint<
  Params extends Fields = undefined,
  Query extends Fields = undefined,
  Body extends z.ZodType | undefined = undefined,
  Answer extends z.ZodType = z.ZodType,
>(endpoint: JsonEndpoint<Params, Query, Body, Answer>): Endpoint {
  const { method, path, summary, dialect, permission, params, query, body, status = 200 } = endpoint;
  return {
    method,
    path,
    summary,
    dialect,
    permission,
    ...(endpoint.anySite === undefined ? {} : { anySite: endpoint.anySite }),
    query,
    body,
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
>(endpoint: JsonEndpoint<Params, Query, Body, Answer>, asked: Asked): Promise<Response> {
  const { context, gate } = asked;
  const { method, body, bounds = SMALL_BODY, rate, status = 200 } = endpoint;
  const own = endpoint.writes === undefined ? gate : gate[endpoint.writes];
  if (method !== "get") checkWrite(context, gate, own);
  if (rate !== undefined) await enterOwn(rate, asked);
  const headers = new Headers({ "content-type": "application/json" });
  const params = check(endpoint.params, context.req.param(), "address");
  const query = check(endpoint.query ?? z.strictObject({}), singleQuery(context, endpoint.lists), "query");
  const read =
    body === undefined
      ? undefined
      : await own.bodies.read(context.env.incoming, body, bounds, (json, text) =>
          check(body, endpoint.nullIsAbsent ? withoutNulls(json) : json, "body", text),
        );
  const principal = body === undefined ? asked.principal : await asked.again();
  const input = {
    params,
    query,
    body: read,
    principal,
    context,
    headers,
  } as Parameters<typeof endpoint.handle>[0];
  const answer = async () => {
    const placed = endpoint.about?.(input);
    const may =
      placed === undefined ? NOTHING_ASKED : await permit({ gate, principal }, endpoint.permission, placed);
    return JSON.stringify(await endpoint.handle({ ...input, may }));
  };
  const cost = endpoint.cost?.(input.query) ?? 1;
  const isRead = method === "get" || endpoint.isRead === true;
  let text: string;
  if (rate === "trials" || endpoint.isTrial?.(input.body))
    text = await readInTurn(context, gate, cost, answer, "trials");
  else if (isRead && rate === undefined) text = await readInTurn(context, gate, cost, answer);
  else text = await answer();
  if (rate === "audits") cutWhenLate(context, text.length);
  return new Response(text, { status, headers });
}

function withoutNulls(json: unknown): unknown {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return json;
  return Object.fromEntries(Object.entries(json).filter(([, value]) => value !== null));
}

/** Answers with bytes or takes them. Its parameters are checked first; it applies its own rate. */
export interface RawEndpoint<Params extends Fields, Query extends Fields> extends Sign<Params> {
  readonly query?: Query;
  readonly headers?: z.ZodObject;
  /** Media type of the request body. */
  readonly takes?: string;
  /** Responses on success; one answer of bytes by default. */
  readonly responses?: RouteConfig["responses"];
  readonly rate?: OwnRate;
  /** As of a JSON endpoint. It is asked in the reader's turn. */
  about?(params: Parsed<Params>): Placed;
  handle(params: Parsed<Params>, asked: Asked, query: Parsed<Query>): Promise<Response>;
}

const BYTES = { schema: { type: "string", format: "binary" } } as const;

export function rawEndpoint<Params extends Fields = undefined, Query extends Fields = undefined>(
  endpoint: RawEndpoint<Params, Query>,
): Endpoint {
  const { method, path, summary, dialect, permission, params, query, headers, takes, rate } = endpoint;
  return {
    method,
    path,
    summary,
    dialect,
    permission,
    ...(endpoint.anySite === undefined ? {} : { anySite: endpoint.anySite }),
    ...(params === undefined ? {} : { params }),
    query,
    body: undefined,
    request: {
      ...(params === undefined ? {} : { params }),
      ...(query === undefined ? {} : { query }),
      ...(headers === undefined ? {} : { headers }),
      ...(takes === undefined ? {} : { body: { content: { [takes]: BYTES } } }),
    },
    responses: endpoint.responses ?? {
      200: { description: summary, content: { "application/octet-stream": BYTES } },
    },
    answer: async (asked) => {
      if (rate !== undefined) await enterOwn(rate, asked);
      const checked = check(params as Params, asked.context.req.param(), "address");
      const placed = endpoint.about?.(checked);
      if (placed !== undefined) await permitInTurn(asked, permission, placed, rate);
      const asking = query === undefined ? undefined : check(query, singleQuery(asked.context), "query");
      return endpoint.handle(checked, asked, asking as Parsed<Query>);
    },
  };
}
