import { z } from "@hono/zod-openapi";
import { type Status, statusSchema } from "#shared/protocol/api.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { API, named } from "../dialect.ts";
import { type Endpoint, jsonEndpoint } from "../endpoint.ts";

export function statusEndpoints({ status }: { readonly status: () => Status }): readonly Endpoint[] {
  return [
    jsonEndpoint({
      method: "get",
      path: "/api/v1/status",
      summary: "What runs here, since when, and where devices join",
      dialect: API,
      permission: "public",
      answer: named(statusSchema, "Status"),
      rate: "facts",
      handle: async () => status(),
    }),
    jsonEndpoint({
      method: "get",
      path: "/api/v1/limits",
      summary: "Every bound on what a peer may send",
      dialect: API,
      permission: "public",
      answer: z.record(z.string(), z.number()),
      rate: "facts",
      handle: async () => LIMITS,
    }),
  ];
}
