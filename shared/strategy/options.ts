import { z } from "zod";
import { type StrategySpec, strategySchema } from "./index.ts";

/*
 * A form's inputs for a strategy's options, read from the schema.
 */

export interface StrategyOption {
  readonly name: string;
  /** The schema's title, or the name in words. */
  readonly title: string;
  /** The option's default. */
  readonly start: string | number;
  readonly takes: NumberRange | { readonly kind: "choice"; readonly choices: readonly string[] };
}

/** An absent bound is no limit. */
export interface NumberRange {
  readonly kind: "number";
  readonly whole: boolean;
  readonly atLeast?: number | undefined;
  readonly above?: number | undefined;
  readonly atMost?: number | undefined;
  readonly below?: number | undefined;
}

const numberSchema = z.looseObject({
  type: z.enum(["number", "integer"]),
  minimum: z.number().optional(),
  exclusiveMinimum: z.number().optional(),
  maximum: z.number().optional(),
  exclusiveMaximum: z.number().optional(),
});

const propertySchema = z.looseObject({
  type: z.enum(["number", "integer", "string"]),
  title: z.string().optional(),
  default: z.union([z.string(), z.number()]),
  enum: z.array(z.string()).default([]),
});

/** @throws ZodError if the schema takes anything but a number. */
export function numberRange(schema: z.ZodType): NumberRange {
  return rangeOf(z.toJSONSchema(schema, { io: "input" }));
}

function rangeOf(property: unknown): NumberRange {
  const { type, ...bounds } = numberSchema.parse(property);
  const { minimum: atLeast, exclusiveMinimum: above, maximum: atMost, exclusiveMaximum: below } = bounds;
  return { kind: "number", whole: type === "integer", atLeast, above, atMost, below };
}

/**
 * @param kind  Of the list.
 * @throws ZodError if an option is no number or string, or has no default.
 */
export function strategyOptions(kind: StrategySpec["kind"]): readonly StrategyOption[] {
  const schema = strategySchema.options.find(({ shape }) => shape.kind.value === kind);
  const { properties = {} } = schema === undefined ? {} : z.toJSONSchema(schema, { io: "input" });
  return Object.entries(properties).flatMap(([name, property]) =>
    name === "kind" ? [] : [optionOf(name, propertySchema.parse(property))],
  );
}

function optionOf(name: string, property: z.output<typeof propertySchema>): StrategyOption {
  const { type, title = inWords(name), default: start } = property;
  if (type === "string") return { name, title, start, takes: { kind: "choice", choices: property.enum } };
  return { name, title, start, takes: rangeOf(property) };
}

/** "serverLearningRate" becomes "Server learning rate". */
function inWords(name: string): string {
  const words = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The task's own strategy with its options, or another kind with the options that it starts from. */
export function strategyFor(planned: StrategySpec, kind: StrategySpec["kind"]): StrategySpec {
  return planned.kind === kind ? planned : strategySchema.parse({ kind });
}
