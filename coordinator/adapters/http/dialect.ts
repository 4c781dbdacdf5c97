import { z } from "@hono/zod-openapi";
import { apiErrorSchema } from "#shared/protocol/api.ts";
import { type Problem, problemResponse } from "./problem.ts";

/**
 * How a family of endpoints says what is wrong. MLflow's routes and those of Delta Sharing keep the shapes that their
 * clients know: each will be one more of these.
 */
export interface Dialect {
  readonly name: string;
  /** Of the body of every error, for the description and for tests. */
  readonly error: z.ZodType;
  answer(problem: Pick<Problem, "wire" | "headers">): Response;
}

/**
 * The same schema under a name in the API's description. The library's method is called by hand: schemas that were made
 * before the library was loaded do not have it.
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
