import { z } from "zod";
import type { DeepReadonly } from "../kernel/deep-readonly.ts";

/*
 * What two errors of a task with two classes cost, and how many false alarms are bearable. A setting: reports, comparisons
 * and gates are read off there, and devices agree to none of it.
 */

const COST_MAX = 1e6;

export const operatingPointSchema = z.strictObject({
  /** Of a row of the first class that is taken for the second, in any unit. */
  falseAlarmCost: z.number().gt(0).max(COST_MAX),
  /** Of a row of the second class that is not found, in the same unit. */
  missCost: z.number().gt(0).max(COST_MAX),
  /** Sensitivity is read off where at least this part of the first class is left alone. */
  specificity: z.number().min(0.5).max(0.999),
});
export type OperatingPoint = DeepReadonly<z.infer<typeof operatingPointSchema>>;

/** Of a task that does not say. */
export const USUAL_POINT: OperatingPoint = { falseAlarmCost: 1, missCost: 1, specificity: 0.9 };

/** From this probability of the second class on acting is worth it. */
export function actingFrom({ falseAlarmCost, missCost }: OperatingPoint): number {
  return falseAlarmCost / (falseAlarmCost + missCost);
}

/** The same as a text, for keys: two points are equal if their texts are. */
export function pointKey({ falseAlarmCost, missCost, specificity }: OperatingPoint = USUAL_POINT): string {
  return [falseAlarmCost, missCost, specificity].join(":");
}

/** "a false alarm costs 1, a miss 5; sensitivity at a specificity of 95 %" */
export function pointWords({ falseAlarmCost, missCost, specificity }: OperatingPoint): string {
  return `a false alarm costs ${falseAlarmCost}, a miss ${missCost}; sensitivity at a specificity of ${percent(specificity)}`;
}

/** "90 %", "97.5 %" */
export function percent(share: number): string {
  return `${Number((100 * share).toPrecision(6))} %`;
}
