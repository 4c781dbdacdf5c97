import { z } from "@hono/zod-openapi";
import { API, type Dialect } from "#coordinator/adapters/http/dialect.ts";
import { type Endpoint, jsonEndpoint } from "#coordinator/adapters/http/endpoint.ts";
import { actorOf } from "#coordinator/core/access/principal.ts";

/** As MLflow's clients know errors. */
const SHOUTED: Dialect = {
  name: "shouted",
  error: z.strictObject({ error_code: z.string(), message: z.string() }),
  answer: (problem) => {
    const { status, headers } = API.answer(problem);
    const { code, message } = problem.wire;
    return Response.json({ error_code: code, message }, { status, headers });
  },
};

/** A dummy endpoint in a dialect of its own. */
export function greetingEndpoints(): readonly Endpoint[] {
  return [
    jsonEndpoint({
      method: "post",
      path: "/api/2.0/greetings/{name}",
      summary: "Greet someone",
      dialect: SHOUTED,
      permission: "public",
      params: z.strictObject({ name: z.string().regex(/^[a-z]{1,20}$/) }),
      body: z.strictObject({ actor: z.string().min(1).max(80), times: z.int().min(1).max(3) }),
      answer: z.strictObject({ greetings: z.array(z.string()) }),
      handle: async ({ params, body, principal }) => ({
        greetings: Array(body.times).fill(`${actorOf(principal, body.actor)} greets ${params.name}`),
      }),
    }),
  ];
}
