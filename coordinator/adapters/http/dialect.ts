import { z } from "@hono/zod-openapi";
import { apiErrorSchema } from "#shared/protocol/api.ts";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import { refusedFieldSentence } from "./mlflow/wording.ts";
import { type Problem, problemResponse } from "./problem.ts";

/**
 * How a family of endpoints words its errors. The routes of MLflow and Delta Sharing keep the shapes that
 * their clients know; each becomes one more dialect.
 */
export interface Dialect {
  readonly name: string;
  /** Body of every error, for the description and the tests. */
  readonly error: z.ZodType;
  answer(problem: Pick<Problem, "wire" | "headers"> & Partial<Pick<Problem, "refused">>): Response;
}

/**
 * The same schema, named in the API's description. Calls the library's method explicitly, because schemas
 * made before the library was loaded lack it.
 */
export function named<Schema extends z.ZodType>(schema: Schema, name: string): Schema {
  return z.ZodType.prototype.openapi.call(schema, name) as Schema;
}

/** Codes of MLflow's clients. Others are INVALID_PARAMETER_VALUE. Source: MLflow's `databricks.proto`. */
const MLFLOW_CODES: Readonly<Partial<Record<ErrorCode, string>>> = {
  NOT_FOUND: "RESOURCE_DOES_NOT_EXIST",
  CONFLICT: "RESOURCE_ALREADY_EXISTS",
  STATE: "INVALID_STATE",
  GATES_SHUT: "INVALID_STATE",
  METHOD_NOT_ALLOWED: "ENDPOINT_NOT_FOUND",
  FORBIDDEN: "PERMISSION_DENIED",
  INSECURE_SIGN_IN: "PERMISSION_DENIED",
  STEP_UP_NEEDED: "PERMISSION_DENIED",
  NOT_AUTHENTICATED: "UNAUTHENTICATED",
  RATE_LIMITED: "REQUEST_LIMIT_EXCEEDED",
  STORAGE_FULL: "RESOURCE_EXHAUSTED",
  UNAVAILABLE: "TEMPORARILY_UNAVAILABLE",
  NOT_SET_UP: "TEMPORARILY_UNAVAILABLE",
  FILE_LOST: "DATA_LOSS",
  INTERNAL: "INTERNAL_ERROR",
};

/** `{ error_code, message }`, for MLflow's clients (L5). */
export const MLFLOW: Dialect = {
  name: "mlflow",
  error: named(z.strictObject({ error_code: z.string(), message: z.string() }), "MlflowError"),
  answer: (problem) => {
    const { status, headers } = problemResponse(problem);
    const { code } = problem.wire;
    const message = problem.refused ? refusedFieldSentence(problem.refused) : problem.wire.message;
    const body = { error_code: MLFLOW_CODES[code] ?? "INVALID_PARAMETER_VALUE", message };
    const own = new Headers(headers);
    own.delete("content-length");
    // MLflow's own server answers 400 to what exists.
    return Response.json(body, { status: code === "CONFLICT" ? 400 : status, headers: own });
  },
};

/** For addresses below MLflow's that none of its endpoints has. */
export function mlflowEndpointNotFound(): Response {
  const message =
    "This coordinator has no such endpoint. It keeps experiments, runs, models and their files.";
  return Response.json({ error_code: "ENDPOINT_NOT_FOUND", message }, { status: 404 });
}

/** `{ error: { code, message, retry } }` */
export const API: Dialect = {
  name: "api",
  error: named(apiErrorSchema, "Error"),
  answer: problemResponse,
};
