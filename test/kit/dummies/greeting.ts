import { z } from "@hono/zod-openapi";
import { API, type Dialect } from "#coordinator/adapters/http/dialect.ts";
import { type Endpoint, jsonEndpoint } from "#coordinator/adapters/http/endpoint.ts";
import { actorOf } from "#coordinator/core/access/principal.ts";

const namedSchema = z.strictObject({ name: z.string().regex(/^[a-z]{1,20}$/) });
const greetingsSchema = z.strictObject({ greetings: z.array(z.string()) });

/** The error format of MLflow's clients. */
const SHOUTED: Dialect = {
  name: "shouted",
  error: z.strictObject({ error_code: z.string(), message: z.string() }),
  answer: (problem) => {
    const { status, headers } = API.answer(problem);
    const { code, message } = problem.wire;
    return Response.json({ error_code: code, message }, { status, headers });
  },
};

/** Dummy endpoints in a dialect of their own: one for anyone, one for devices only. */
export function greetingEndpoints(): readonly Endpoint[] {
  return [
    jsonEndpoint({
      method: "post",
      path: "/api/2.0/greetings/{name}",
      summary: "Greet someone",
      dialect: SHOUTED,
      permission: "public",
      params: namedSchema,
      body: z.strictObject({ times: z.int().min(1).max(3) }),
      answer: greetingsSchema,
      handle: async ({ params, body, principal }) => ({
        greetings: Array(body.times).fill(`${actorOf(principal)} greets ${params.name}`),
      }),
    }),
    jsonEndpoint({
      method: "get",
      path: "/api/2.0/greetings/{name}/received",
      summary: "Greetings that someone has received",
      dialect: SHOUTED,
      permission: "rounds.take-part",
      params: namedSchema,
      answer: greetingsSchema,
      handle: async () => {
        throw new Error("it was handled");
      },
    }),
  ];
}
