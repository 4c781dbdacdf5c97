import { z } from "@hono/zod-openapi";
import {
  keySchema,
  nameSchema,
  paramValueSchema,
  TRACKING_LIMITS,
  tagValueSchema,
} from "../../../core/tracking/fields.ts";
import type { SearchText } from "../../../core/tracking/pages.ts";
import { problem } from "../problem.ts";
import { missingSentence } from "./wording.ts";

/* Fields of MLflow's messages. Whole numbers of 64 bits come as numbers or as their digits. */

const { itemsPerSearchMax, runsPerSearchMax } = TRACKING_LIMITS;

/** A whole number, or its digits. */
export const wholeNumberSchema = z.union([
  z.int(),
  z
    .string()
    .regex(/^-?\d{1,16}$/, "a whole number")
    .transform(Number)
    .pipe(z.int()),
]);
/** Unix milliseconds. */
export const timeSchema = wholeNumberSchema.pipe(z.int().min(0));

/** A name, or its place in the list from 1: clients may send an enum of their protocol by its number. */
export function numberedEnum<const Names extends readonly [string, ...string[]]>(names: Names) {
  const byNumber = z
    .int()
    .min(1)
    .max(names.length)
    .transform((number) => names[number - 1]);
  return z.enum(names).or(byNumber.pipe(z.enum(names)));
}

/** JSON has no NaN and no infinities, so they come as words. */
export const metricValueSchema = z.union([
  z.number(),
  z.enum(["NaN", "Infinity", "-Infinity", "inf", "-inf", "nan"]).transform((word) => {
    if (word.toLowerCase() === "nan") return Number.NaN;
    return word.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }),
]);

/** The number of a version, or its digits. */
export const versionSchema = z
  .string()
  .regex(/^[1-9]\d{0,8}$/, "the number of a version")
  .or(z.int().min(1).max(999_999_999).transform(String));

export const idSchema = z.string().regex(/^[\w.-]{0,64}$/, "an id");
export const pageTokenSchema = z
  .string()
  .regex(/^\w{0,100}$/, "a token from a former page")
  .default("");
export const optionalText = z.string().max(TRACKING_LIMITS.tagLengthMax).default("");
export const tagSchema = z.object({ key: keySchema, value: tagValueSchema.default("") });
export const tagsSchema = z.array(tagSchema).max(1_000).default([]);
export const paramSchema = z.object({ key: keySchema, value: paramValueSchema.default("") });
export const metricSchema = z.object({
  key: keySchema,
  value: metricValueSchema,
  timestamp: timeSchema,
  step: wholeNumberSchema.default(0),
  model_id: idSchema.optional(),
  dataset_name: nameSchema.optional(),
  dataset_digest: idSchema.optional(),
});

/** `run_id`, or `run_uuid` of earlier clients. */
export const runIdFields = { run_id: idSchema.default(""), run_uuid: idSchema.default("") };
/** @throws Problem BAD_REQUEST without either. */
export function runIdOf(fields: { readonly run_id: string; readonly run_uuid: string }): string {
  const runId = fields.run_id === "" ? fields.run_uuid : fields.run_id;
  if (runId === "") throw problem("BAD_REQUEST", missingSentence("run_id"));
  return runId;
}

const FILTER_LENGTH_MAX = 10_000;
const ORDERINGS_MAX = 50;
const orderingSchema = z.string().max(1_000);
const searchFields = {
  filter: z.string().max(FILTER_LENGTH_MAX).default(""),
  page_token: pageTokenSchema,
};
const maxResults = (most: number, usual: number) =>
  wholeNumberSchema.pipe(z.int().min(1).max(most)).default(usual);

/** Of a search whose fields are in the body. */
export const searchBodyFields = {
  max_results: maxResults(runsPerSearchMax, itemsPerSearchMax),
  ...searchFields,
  order_by: z.array(orderingSchema).max(ORDERINGS_MAX).default([]),
};
/** Of a search whose fields are in the address. */
export const searchQueryFields = {
  max_results: maxResults(runsPerSearchMax, 100),
  ...searchFields,
  order_by: z.array(orderingSchema).max(ORDERINGS_MAX).default([]),
};
export const pageQueryFields = {
  max_results: maxResults(runsPerSearchMax, runsPerSearchMax).optional(),
  page_token: pageTokenSchema,
};

export function searchTextOf(fields: {
  readonly filter: string;
  readonly max_results: number;
  readonly page_token: string;
  readonly order_by: readonly string[];
}): SearchText {
  return {
    filter: fields.filter,
    orderBy: fields.order_by,
    maxResults: fields.max_results,
    pageToken: fields.page_token,
  };
}

export const viewTypeSchema = z.enum(["ACTIVE_ONLY", "DELETED_ONLY", "ALL"]).default("ACTIVE_ONLY");
export const SHOWS = { ACTIVE_ONLY: "active", DELETED_ONLY: "deleted", ALL: "all" } as const;
