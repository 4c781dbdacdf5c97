import { z } from "zod";
import { numberLossSchema } from "../layers/losses/number-loss.ts";
import { LIMITS } from "../protocol/limits.ts";

/** How a device trains. Source of proximalMu: Li et al. 2020, arXiv:1812.06127, equation 2 (FedProx). */
export const trainingPlanSchema = z.strictObject({
  epochs: z.int().min(1).max(100),
  batchSize: z.int().min(1).max(4_096),
  optimizer: z.discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("sgd"),
      learningRate: z.number().gt(0).max(10),
      momentum: z.number().min(0).lt(1),
    }),
    z.strictObject({ kind: z.literal("adam"), learningRate: z.number().gt(0).max(1) }),
  ]),
  /** mu: the local loss gets mu/2 times the squared distance to the round's model. 0 is plain FedAvg. */
  proximalMu: z.number().min(0).max(10),
  /** For numbers only. Default: squared. */
  loss: numberLossSchema.exactOptional(),
  /**
   * For classes only: how much a row of each class counts in the loss, in the order of the classes, so that rare ones are
   * not drowned. Figures of a model are not weighted. Default: 1 each.
   */
  classWeights: z.array(z.number().gt(0).max(1_000)).min(2).max(LIMITS.classesMax).readonly().exactOptional(),
});
export type TrainingPlan = z.infer<typeof trainingPlanSchema>;

/**
 * True if a round's plan stays within the agreed one: the same optimizer and loss, and no more steps over the same rows.
 * Rates may differ, because the clip bounds their effect on an update. Rule R22.
 */
export function staysWithinPlan(agreed: TrainingPlan, plan: TrainingPlan): boolean {
  const steps = plan.epochs * agreed.batchSize <= agreed.epochs * plan.batchSize;
  return steps && plan.optimizer.kind === agreed.optimizer.kind && lossOfPlan(plan) === lossOfPlan(agreed);
}

/** What a plan minimizes, as text to compare. */
function lossOfPlan({ loss, classWeights }: TrainingPlan): string {
  return JSON.stringify([
    loss?.kind ?? null,
    loss?.kind === "huber" ? loss.delta : null,
    classWeights ?? null,
  ]);
}
