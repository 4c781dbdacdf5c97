import { z } from "@hono/zod-openapi";
import type { Result } from "#shared/kernel/result.ts";
import { roundViewSchema, runViewSchema, taskViewSchema } from "#shared/protocol/api.ts";
import type { WireError } from "#shared/protocol/errors.ts";
import { decimalSchema } from "#shared/protocol/ids.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { named } from "../dialect.ts";
import { Problem, problem } from "../problem.ts";

/* Helpers that the API's endpoints share: paged lists, named views, and results as answers or refusals. */

export const taskView = named(taskViewSchema, "Task");
export const runView = named(runViewSchema, "Run");
export const roundView = named(roundViewSchema, "Round");

export const pageFields = {
  limit: decimalSchema.pipe(z.int().min(1).max(LIMITS.pageSizeMax)).default(50),
  /** `next` of the previous page. */
  cursor: z
    .string()
    .regex(/^[\w.:~-]{1,200}$/, "must be a cursor from a list")
    .optional(),
};
export const pageQuery = z.strictObject(pageFields);
/** What a page costs before its size is known. */
export const pageCost = ({ limit }: { readonly limit: number }) => 1 + Math.ceil(limit / 10);

/** Throws if `value` is null. @throws Problem NOT_FOUND */
export function found<T>(value: T | null): T {
  if (value === null) throw problem("NOT_FOUND");
  return value;
}

/** The result's value. @throws Problem with the result's error. */
export function unwrapped<T>(result: Result<T, WireError>): T {
  if (!result.ok) throw new Problem(result.error);
  return result.value;
}

/** The same list with a mutable array, as schemas infer it. */
export function mutable<T>(list: { readonly items: readonly T[]; readonly next: string | null }): {
  items: T[];
  next: string | null;
} {
  return { items: [...list.items], next: list.next };
}
