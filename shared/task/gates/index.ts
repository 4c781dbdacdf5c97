import { z } from "zod";
import { present } from "../../kernel/assert.ts";
import type { DeepReadonly } from "../../kernel/deep-readonly.ts";
import type { GateEvidence, Need } from "./evidence.ts";
import { GATE_STATES, type GateDefinition } from "./gate.ts";
import { GATES } from "./list.ts";

/*
 * Gates of a task: what a version has to meet before it is put in use. They are a setting, so no device is asked again when
 * they change.
 */

type Schemas<List> = {
  -readonly [Index in keyof List]: List[Index] extends { readonly schema: infer Schema } ? Schema : never;
};

export const gateSchema = z.discriminatedUnion(
  "kind",
  // The type of `map` forgets that the list is a tuple.
  GATES.map(({ schema }) => schema) as unknown as Schemas<typeof GATES>,
);
export type Gate = z.infer<typeof gateSchema>;

export const GATE_COUNT_MAX = 20;

export const promotionRulesSchema = z
  .strictObject({
    gates: z.array(gateSchema).max(GATE_COUNT_MAX),
    /** The candidate of a run that has ended is put in use if all gates are open. */
    promoteByItself: z.boolean(),
  })
  .refine(({ gates, promoteByItself }) => !promoteByItself || gates.length > 0, {
    path: ["promoteByItself"],
    error: "needs a gate; without one every run would replace the model in use",
  });
export type PromotionRules = DeepReadonly<z.infer<typeof promotionRulesSchema>>;

const figureSchema = z.object({
  value: z.number(),
  low: z.number().nullable(),
  high: z.number().nullable(),
  unit: z.string(),
});
/** What one gate said. It may be of a kind that this program no longer has. */
export const gateResultSchema = z.object({
  kind: z.string(),
  title: z.string(),
  state: z.enum(GATE_STATES),
  required: z.string(),
  champion: figureSchema.nullable(),
  candidate: figureSchema.nullable(),
  difference: figureSchema.nullable(),
  reason: z.string(),
});
export type GateResult = DeepReadonly<z.infer<typeof gateResultSchema>>;

/** What all gates of a task say of a version, in their order. */
export function judgeGates(gates: PromotionRules["gates"], evidence: GateEvidence): readonly GateResult[] {
  return gates.map((gate) => {
    const definition = definitionOf(gate);
    return { kind: gate.kind, title: definition.title(gate), ...definition.judge(gate, evidence) };
  });
}

/** True if a version may be put in use. A gate that cannot be told is shut. */
export function allOpen(results: readonly GateResult[]): boolean {
  return results.every(({ state }) => state === "open");
}

/** What has to be found out before these gates can be asked. */
export function needsOf(gates: PromotionRules["gates"]): ReadonlySet<Need> {
  return new Set(gates.flatMap((gate) => definitionOf(gate).needs(gate)));
}

function definitionOf({ kind }: PromotionRules["gates"][number]): GateDefinition {
  const definition = GATES.find(({ schema }) => schema.shape.kind.value === kind);
  return present(definition, `a gate ${kind}`) as GateDefinition;
}
