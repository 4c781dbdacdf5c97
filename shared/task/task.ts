import { z } from "zod";
import { taskSlugSchema, taskVersionSchema } from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import { thresholds } from "../secagg/threshold.ts";
import { strategySchema } from "../strategy/index.ts";
import { ringRefusal } from "../vector/ring.ts";
import { featuresSchema, inputShape } from "./features.ts";
import { agreedGraphOf, graphPlanOf, graphPlanSchema, isSharded, isSparse } from "./graph-plan.ts";
import { modelSchema } from "./model.ts";

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
  /** Weight of the squared distance to the round's model in the local loss, halved; 0 is plain FedAvg. */
  proximalMu: z.number().min(0).max(10),
});
export type TrainingPlan = z.infer<typeof trainingPlanSchema>;

/**
 * Whether a round's plan stays within the one that was agreed to: the same optimizer, and no more steps over the same
 * rows. Rates may differ; the clip bounds what they can do to an update. Rule R22.
 */
export function staysWithinPlan(agreed: TrainingPlan, plan: TrainingPlan): boolean {
  const steps = plan.epochs * agreed.batchSize <= agreed.epochs * plan.batchSize;
  return steps && plan.optimizer.kind === agreed.optimizer.kind;
}

const phaseMs = z
  .int()
  .min(500)
  .max(24 * 3_600_000);
export const deadlinesSchema = z.strictObject({
  /** Recruiting stays open at most this long. */
  recruitingMs: phaseMs.min(2_000),
  /** From the invitation to the last advert: training and advertising together. */
  trainingMs: phaseMs,
  sharingMs: phaseMs,
  collectingMs: phaseMs,
  confirmingMs: phaseMs,
  unmaskingMs: phaseMs,
  /** After `unmaskingMs`: shares of the same session are still taken. */
  graceMs: phaseMs,
});

/** Bits of a coordinate of the update on the wire: 16 is half the bytes, and rotated. */
export const ringSchema = z.literal([16, 32]);

export const aggregationPlanSchema = z
  .strictObject({
    strategy: strategySchema,
    /** Masked updates that a round wants. */
    goal: z.int().min(3).max(LIMITS.goalMax),
    overSelection: z.number().min(1).max(4),
    /** Of one sum: of the round, or with shards of each shard. */
    cohortSizeMin: z.int().min(3).max(LIMITS.rosterSizeMax),
    cohortSizeMax: z.int().min(3).max(LIMITS.rosterSizeMax),
    securityModel: z.enum(["active", "honest-but-curious"]),
    /** Complete up to 128 invited devices and shards above, where it is left out. */
    graph: graphPlanSchema.optional(),
    deadlines: deadlinesSchema,
    /**
     * Recruiting stays open at least this long, so that the lot decides and not who is quick. Left out: 0 if no more
     * devices are expected than the round wants as it opens, else 2,000. Rule R3.
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
      if (graph.size > plan.cohortSizeMax || graph.size < plan.cohortSizeMin) {
        issue("graph", "the size of a shard must lie between cohortSizeMin and cohortSizeMax");
      }
      const { q } = thresholds(graph.size, plan.securityModel, plan.cohortSizeMin, agreedGraphOf(plan));
      // Chance makes shards smaller and larger, and some devices leave.
      if (q > 0.9 * graph.size) {
        issue(
          "graph",
          `a shard of ${graph.size} needs ${q} devices that stay; give it a larger size, up to 128`,
        );
      }
    } else if (Math.ceil(plan.overSelection * plan.goal) > plan.cohortSizeMax) {
      issue("cohortSizeMax", "cohortSizeMax must be at least overSelection times goal, rounded up");
    }
    if (isSparse(graph) && plan.securityModel === "active") {
      issue(
        "graph",
        "k-regular holds against an honest-but-curious coordinator only; set securityModel, or use shards",
      );
    }
    // The weight slot of a sum must stay below the sign bit of the ring.
    if (plan.weightCap * plan.cohortSizeMax >= 2 ** 31) {
      issue("weightCap", "weightCap times cohortSizeMax must stay below 2^31");
    }
    if ((plan.recruitingMinMs ?? 0) > plan.deadlines.recruitingMs) {
      issue("recruitingMinMs", "recruitingMinMs must be at most deadlines.recruitingMs");
    }
    const refusal = ringRefusal(plan.ring, plan.cohortSizeMax);
    if (refusal !== null) issue("ring", refusal);
  });

export const evaluationPlanSchema = z.strictObject({
  /** Share of the coordinator's own data that is kept for central evaluation. */
  heldOutFraction: z.number().gt(0).lt(1),
  /** Share of a device's rows that it keeps for its own evaluation; a seeded shuffle, fixed per device and data set. */
  localFraction: z.number().min(0).lt(1),
});

/** One sentence for people. */
export const sentenceSchema = z.string().min(1).max(LIMITS.sentenceLengthMax);

/** What to learn and under which rules. Consent binds to (slug, version); a version never changes. */
export const taskSchema = z
  .strictObject({
    slug: taskSlugSchema,
    version: taskVersionSchema,
    /** Heading of the join page, e.g. "Help a model read handwriting, and keep yours to yourself". */
    invitation: sentenceSchema,
    /** Completes "learns ...", e.g. "which digit is drawn". */
    learns: sentenceSchema,
    /** What the participant's rows are called, singular and plural, e.g. drawing, drawings. */
    exampleNoun: z.strictObject({ one: z.string().min(1).max(40), many: z.string().min(1).max(40) }),
    /** Source and licence of the data that the coordinator evaluates on. */
    dataCard: sentenceSchema,
    model: modelSchema,
    features: featuresSchema,
    training: trainingPlanSchema,
    aggregation: aggregationPlanSchema,
    evaluation: evaluationPlanSchema,
  })
  .superRefine((task, context) => {
    const problem = (path: string[], message: string) => context.addIssue({ code: "custom", path, message });
    const { model, features } = task;
    const shape = inputShape(features);
    if (shape.join() !== model.inputShape.join()) {
      problem(
        ["model", "inputShape"],
        `the model takes [${model.inputShape.join()}], the features make [${shape.join()}]`,
      );
    }
    if (features.classes.length !== model.classCount) {
      problem(["model", "classCount"], `${model.classCount} outputs for ${features.classes.length} classes`);
    }
  });
export type Task = z.infer<typeof taskSchema>;
