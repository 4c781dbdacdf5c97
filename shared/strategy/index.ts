import { z } from "zod";
import { present } from "../kernel/assert.ts";
import { STRATEGIES } from "./list.ts";
import type { Strategy, StrategyDefinition } from "./strategy.ts";

type Schemas<List> = {
  -readonly [Index in keyof List]: List[Index] extends { readonly schema: infer Schema } ? Schema : never;
};

/** How sums become the next model, as a task and a launch say it: one of the list, with its options. */
export const strategySchema = z.discriminatedUnion(
  "kind",
  // `map` forgets that the list is a tuple.
  STRATEGIES.map(({ schema }) => schema) as unknown as Schemas<typeof STRATEGIES>,
);
export type StrategySpec = z.infer<typeof strategySchema>;

/** The strategy that a task asks for. */
export function strategyOf(spec: StrategySpec): Strategy {
  return { name: spec.kind, ...definitionOf(spec.kind).create(spec) };
}

/** A strategy with the options that it starts from. */
export function defaultStrategy(kind: StrategySpec["kind"]): StrategySpec {
  return strategySchema.parse({ kind });
}

/** Kinds and what people call them, in the order of the list. */
export const STRATEGY_TITLES = Object.fromEntries(
  STRATEGIES.map(({ title, schema }) => [schema.shape.kind.value, title]),
) as Readonly<Record<StrategySpec["kind"], string>>;

function definitionOf(kind: StrategySpec["kind"]): StrategyDefinition {
  const definition = STRATEGIES.find(({ schema }) => schema.shape.kind.value === kind);
  return present(definition, `a strategy ${kind}`) as StrategyDefinition;
}
