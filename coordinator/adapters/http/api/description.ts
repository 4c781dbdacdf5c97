import { API } from "../dialect.ts";
import { type Endpoint, rawEndpoint } from "../endpoint.ts";
import { describeEndpoints } from "../mount.ts";

/**
 * The OpenAPI document of all endpoints, including this one.
 *
 * @param all  Read at the first request; the document never changes while the process runs.
 */
export function descriptionEndpoint(all: () => readonly Endpoint[], version: () => string): Endpoint {
  let description: string | undefined;
  return rawEndpoint({
    method: "get",
    path: "/api/v1/openapi.json",
    summary: "This description",
    dialect: API,
    permission: "public",
    rate: "facts",
    responses: {
      200: { description: "OpenAPI 3.1", content: { "application/json": { schema: { type: "object" } } } },
    },
    handle: async () => {
      description ??= JSON.stringify(describeEndpoints(all(), version()));
      return new Response(description, { headers: { "content-type": "application/json" } });
    },
  });
}
