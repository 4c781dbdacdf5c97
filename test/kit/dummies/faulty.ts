import { z } from "@hono/zod-openapi";
import type { HttpPorts } from "#coordinator/adapters/http/app.ts";
import { API } from "#coordinator/adapters/http/dialect.ts";
import { type Endpoint, rawEndpoint } from "#coordinator/adapters/http/endpoint.ts";
import { problem } from "#coordinator/adapters/http/problem.ts";

const nameSchema = z.strictObject({ name: z.string() });
const RESPONSES = { 200: { description: "It answers" } };

type Handle = Parameters<typeof rawEndpoint<typeof nameSchema>>[0]["handle"];

/** Endpoints with one fault each, as the controls of the bad inputs. */
export function faultyEndpoints({ tasks }: Pick<HttpPorts, "tasks">): readonly Endpoint[] {
  const endpoint = (fault: string, handle: Handle, method: "get" | "post" = "get") =>
    rawEndpoint({
      method,
      path: `/api/v1/faulty/${fault}/{name}`,
      summary: "A planted fault",
      dialect: API,
      permission: "public",
      params: nameSchema,
      responses: RESPONSES,
      handle,
    });
  return [
    rawEndpoint({
      method: "get",
      path: "/api/v1/faulty/forgets-its-project/{slug}",
      summary: "A planted fault: anyone with a role in any project reads it",
      dialect: API,
      permission: "runs.read",
      params: z.strictObject({ slug: z.string() }),
      responses: RESPONSES,
      handle: async ({ slug }) => Response.json({ slug }),
    }),
    endpoint("sound", async ({ name }) => Response.json({ name })),
    endpoint("throws", async ({ name }) => {
      if (Object.hasOwn(Object.prototype, name)) throw new Error(`no property ${name}`);
      return Response.json({});
    }),
    endpoint("shows-a-stack", async ({ name }) => {
      const { stack } = new Error(name);
      if (name.includes("<"))
        return Response.json(
          { error: { code: "BAD_REQUEST", message: stack, retry: "never" } },
          { status: 400 },
        );
      return Response.json({});
    }),
    endpoint("has-no-code", async ({ name }) =>
      name.includes("%") ? new Response("no", { status: 400 }) : Response.json({}),
    ),
    endpoint(
      "writes-first",
      async ({ name }) => {
        await tasks.changeTaskSettings("small", { invitation: `Come, ${name.length}` }, "someone");
        throw problem("BAD_REQUEST");
      },
      "post",
    ),
    endpoint(
      "is-a-page",
      async ({ name }) => new Response(name, { headers: { "content-type": "text/html" } }),
    ),
    endpoint("trusts-a-proxy", async (_, { context }) => {
      const host = context.req.header("x-forwarded-host") ?? "localhost";
      return Response.json({}, { headers: { link: `<https://${host}/>; rel="next"` } });
    }),
    endpoint("sets-a-header", async ({ name }) => {
      const [, cookie] = name.split("set-cookie: ");
      return Response.json({}, cookie === undefined ? {} : { headers: { "set-cookie": cookie } });
    }),
  ];
}
