import fc from "fast-check";
import type { z } from "zod";
import { assert } from "#shared/kernel/assert.ts";

/*
 * A valid value for a zod schema, found from the schema itself, so that a new endpoint has one the day it appears.
 * Refinements across fields are not understood; such schemas need a known sample.
 */

interface Definition {
  readonly type: string;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly element?: z.ZodType;
  readonly innerType?: z.ZodType;
  readonly in?: z.ZodType;
  readonly options?: readonly z.ZodType[];
  readonly items?: readonly z.ZodType[];
  readonly values?: readonly unknown[];
  readonly entries?: Readonly<Record<string, string | number>>;
  readonly getter?: () => z.ZodType;
}

interface Bag {
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly patterns?: ReadonlySet<RegExp>;
}

const BYTE_COUNTS = [32, 64, 16, 24, 0, 1];
const NUMBERS = [1, 0, 2, 0.5, 10, 100, 1_000, 10_000, 60_000, -1];
const TEXTS = ["sample", "1", "/", "0".repeat(32), "0".repeat(64), "0".repeat(128), "2026-01-01T00:00:00Z"];

/**
 * A value that `schema` accepts, with all optional fields if it accepts them together.
 *
 * @param known  Samples for schemas whose fields depend on each other. The first that fits is taken.
 * @throws AssertionFault if none is found: add one to the known samples.
 */
export function sampleOf(schema: z.ZodType, known: readonly unknown[] = []): unknown {
  const fitting = known.find((value) => schema.safeParse(value).success);
  if (fitting !== undefined) return fitting;
  for (const isFull of [true, false]) {
    const value = guess(schema, isFull);
    if (schema.safeParse(value).success) return value;
  }
  throw new Error("No sample was found for a schema. Add one to the known samples of this test.");
}

function guess(schema: z.ZodType, isFull: boolean): unknown {
  const definition = schema.def as unknown as Definition;
  const inner = (other: z.ZodType | undefined) => {
    assert(other !== undefined, `a schema of type ${definition.type} has an inner one`);
    return guess(other, isFull);
  };
  switch (definition.type) {
    case "object":
      return objectOf(definition.shape ?? {}, isFull);
    case "array":
      return Array.from({ length: leastLengthOf(schema) }, () => inner(definition.element));
    case "tuple":
      return (definition.items ?? []).map(inner);
    case "record":
      return {};
    case "union":
      return inner(definition.options?.[0]);
    case "literal":
      return definition.values?.[0];
    case "enum":
      return Object.values(definition.entries ?? {})[0];
    case "lazy":
      return inner(definition.getter?.());
    case "optional":
    case "nullable":
    case "default":
    case "prefault":
    case "readonly":
    case "nonoptional":
      return inner(definition.innerType);
    case "pipe":
      return pipeOf(schema, definition, (part) => inner(part));
    default:
      return leafOf(schema);
  }
}

function objectOf(shape: Readonly<Record<string, z.ZodType>>, isFull: boolean): unknown {
  const fields = Object.entries(shape).filter(([, field]) => isFull || !mayBeAbsent(field));
  return Object.fromEntries(fields.map(([name, field]) => [name, guess(field, isFull)]));
}

/** Also if it may not be undefined when it is there. */
function mayBeAbsent(field: z.ZodType): boolean {
  return field._zod.optin === "optional" || field.safeParse(undefined).success;
}

/** Text that becomes a number may be bounded behind the pipe, so the whole pipe judges. */
function pipeOf(
  schema: z.ZodType,
  { in: input }: Definition,
  inner: (part: z.ZodType | undefined) => unknown,
): unknown {
  const value = inner(input);
  if (typeof value !== "string" || schema.safeParse(value).success) return value;
  return TEXTS.find((text) => schema.safeParse(text).success) ?? value;
}

function leafOf(schema: z.ZodType): unknown {
  const { minimum, exclusiveMinimum, maximum, patterns } = bagOf(schema);
  const candidates: unknown[] = [...TEXTS, ...NUMBERS, true, null, minimum, maximum, exclusiveMinimum];
  for (const byteCount of BYTE_COUNTS) candidates.push(new Uint8Array(byteCount).fill(7));
  for (const pattern of patterns ?? patternsOf(schema))
    candidates.push(...fc.sample(fc.stringMatching(pattern), { numRuns: 3, seed: 1 }));
  if (minimum !== undefined) candidates.push("x".repeat(Math.min(minimum, 1_000)));
  return candidates.find((value) => schema.safeParse(value).success);
}

/** Of a list; 1 if it may be shorter. */
function leastLengthOf(schema: z.ZodType): number {
  const bounds = (schema.def.checks ?? []).map((check) => {
    const { minimum = 0, length = 0 } = check._zod.def as { minimum?: number; length?: number };
    return Math.max(minimum, length);
  });
  return Math.max(1, ...bounds);
}

/** Those of `regex`, which the bag does not always hold. */
function patternsOf(schema: z.ZodType): RegExp[] {
  const checks = (schema.def as { readonly checks?: readonly { readonly _zod: { readonly def: object } }[] })
    .checks;
  return (checks ?? []).flatMap(({ _zod: { def } }) =>
    "pattern" in def && def.pattern instanceof RegExp ? [def.pattern] : [],
  );
}

function bagOf(schema: z.ZodType): Bag {
  return schema._zod.bag as Bag;
}
