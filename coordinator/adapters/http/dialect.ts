import { z } from "@hono/zod-openapi";
import { apiErrorSchema } from "#shared/protocol/api.ts";
import { type Problem, problemResponse } from "./problem.ts";

/**
 * How a family of endpoints words its errors. The routes of MLflow and Delta Sharing keep the shapes that
 * their clients know; each becomes one more dialect.
 */
export interface Dialect {
  readonly name: string;
  /** Body of every error, for the description and the tests. */
  readonly error: z.ZodType;
  answer(problem: Pick<Problem, "wire" | "headers">): Response;
}

/**
 * The same schema, named in the API's description. Calls the library's method explicitly, because schemas
 * made before the library was loaded lack it.
 */
export function named<Schema extends z.ZodType>(schema: Schema, name: string): Schema {
  return z.ZodType.prototype.openapi.call(schema, name) as Schema;
}

/** `{ error: { code, message, retry } }` */
export const API: Dialect = {
  name: "api",
  error: named(apiErrorSchema, "Error"),
  answer: problemResponse,
};
