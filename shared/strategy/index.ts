import { z } from "zod";
import { present } from "../kernel/assert.ts";
import { STRATEGIES } from "./list.ts";
import type { Strategy, StrategyDefinition } from "./strategy.ts";

type Schemas<List> = {
  -readonly [Index in keyof List]: List[Index] extends { readonly schema: infer Schema } ? Schema : never;
};

/** A strategy of the list with its options, as tasks and launches name it. */
export const strategySchema = z.discriminatedUnion(
  "kind",
  // The type of `map` forgets that the list is a tuple.
  STRATEGIES.map(({ schema }) => schema) as unknown as Schemas<typeof STRATEGIES>,
);
export type StrategySpec = z.infer<typeof strategySchema>;

/** The strategy that a task asks for. */
export function strategyOf(spec: StrategySpec): Strategy {
  return { name: spec.kind, ...definitionOf(spec.kind).create(spec) };
}

/** The title of each kind, in the order of the list. */
export const STRATEGY_TITLES = Object.fromEntries(
  STRATEGIES.map(({ title, schema }) => [schema.shape.kind.value, title]),
) as Readonly<Record<StrategySpec["kind"], string>>;

function definitionOf(kind: StrategySpec["kind"]): StrategyDefinition {
  const definition = STRATEGIES.find(({ schema }) => schema.shape.kind.value === kind);
  return present(definition, `a strategy ${kind}`) as StrategyDefinition;
}
