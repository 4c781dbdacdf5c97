import { z } from "zod";
import { agreedGraphOf, graphPlanOf, graphPlanSchema, isSharded, isSparse } from "../cohort/graph-plan.ts";
import { securityModelSchema } from "../cohort/security-model.ts";
import { thresholds } from "../cohort/threshold.ts";
import { LIMITS } from "../protocol/limits.ts";
import { strategySchema } from "../strategy/index.ts";
import { ringRefusal } from "../vector/ring.ts";

export const PHASE_MS_MIN = 500;
export const PHASE_MS_MAX = 24 * 3_600_000;
export const RECRUITING_MS_MIN = 2_000;
const phaseMs = z.int().min(PHASE_MS_MIN).max(PHASE_MS_MAX);
const deadlinesSchema = z.strictObject({
  /** Recruiting stays open at most this long. */
  recruitingMs: phaseMs.min(RECRUITING_MS_MIN),
  /** From the invitation to the last advert: training and advertising together. */
  trainingMs: phaseMs,
  sharingMs: phaseMs,
  collectingMs: phaseMs,
  confirmingMs: phaseMs,
  unmaskingMs: phaseMs,
  /** Extra time after `unmaskingMs` in which shares of the same session are still accepted. */
  graceMs: phaseMs,
});

/** Bits of a coordinate of the update on the wire. 16 halves the bytes and rotates the update. */
export const ringSchema = z.literal([16, 32]);

export const aggregationPlanSchema = z
  .strictObject({
    strategy: strategySchema,
    /** Masked updates that a round aims at. */
    goal: z.int().min(3).max(LIMITS.goalMax),
    overSelection: z.number().min(1).max(4),
    /** Size of one sum: the round's, or each shard's if there are shards. */
    cohortSizeMin: z.int().min(3).max(LIMITS.rosterSizeMax),
    cohortSizeMax: z.int().min(3).max(LIMITS.rosterSizeMax),
    securityModel: securityModelSchema,
    /** Default: complete up to 128 invited devices, shards above. */
    graph: graphPlanSchema.optional(),
    deadlines: deadlinesSchema,
    /**
     * Recruiting stays open at least this long, so that the lot decides rather than speed. Default: 0 if, when the round
     * opens, no more devices are expected than it wants, else 2,000. Rule R3.
     */
    recruitingMinMs: z
      .int()
      .min(0)
      .max(24 * 3_600_000)
      .optional(),
    /** Largest L2 norm of an update, in the unit of the weights. */
    clipNormL2: z.number().gt(0).max(1e6),
    /** Largest `numExamples` that counts for one device. */
    weightCap: z.int().min(1).max(1_000_000),
    ring: ringSchema.default(32),
  })
  .superRefine((plan, context) => {
    const issue = (path: string, message: string) =>
      context.addIssue({ code: "custom", path: [path], message });
    if (plan.cohortSizeMin > plan.goal) issue("goal", "goal must be at least cohortSizeMin");
    const graph = graphPlanOf(plan);
    if (isSharded(graph)) {
      if (graph.size > plan.cohortSizeMax) {
        issue("graph", "the size of a shard must lie between cohortSizeMin and cohortSizeMax");
      }
      const refusal = shardRefusal(plan);
      if (refusal !== null) issue("graph", refusal);
    } else if (Math.ceil(plan.overSelection * plan.goal) > plan.cohortSizeMax) {
      issue("cohortSizeMax", "cohortSizeMax must be at least overSelection times goal, rounded up");
    }
    if (isSparse(graph) && plan.securityModel === "active") {
      issue(
        "graph",
        "k-regular holds against an honest-but-curious coordinator only; set securityModel, or use shards",
      );
    }
    // The weight of a sum must stay below the sign bit of the ring.
    if (plan.weightCap * plan.cohortSizeMax >= 2 ** 31) {
      issue("weightCap", "weightCap times cohortSizeMax must stay below 2^31");
    }
    if ((plan.recruitingMinMs ?? 0) > plan.deadlines.recruitingMs) {
      issue("recruitingMinMs", "recruitingMinMs must be at most deadlines.recruitingMs");
    }
    const refusal = ringRefusal(plan.ring, plan.cohortSizeMax);
    if (refusal !== null) issue("ring", refusal);
  });
export type AggregationPlan = z.infer<typeof aggregationPlanSchema>;

/** Null if a shard of this plan can open its sum, or if the plan has none. */
export function shardRefusal(
  plan: Parameters<typeof agreedGraphOf>[0] & {
    readonly cohortSizeMin: number;
    readonly securityModel: z.output<typeof securityModelSchema>;
  },
): string | null {
  const graph = graphPlanOf(plan);
  if (!isSharded(graph)) return null;
  if (graph.size < plan.cohortSizeMin)
    return "the size of a shard must lie between cohortSizeMin and cohortSizeMax";
  const { q } = thresholds(graph.size, plan.securityModel, plan.cohortSizeMin, agreedGraphOf(plan));
  // Shard sizes vary by chance, and some devices leave.
  return q > 0.9 * graph.size
    ? `a shard of ${graph.size} needs ${q} devices that stay; give it a larger size, up to 128`
    : null;
}
