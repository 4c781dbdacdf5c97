import { z } from "zod";
import { agreedGraphOf, graphPlanOf, graphPlanSchema, isSharded, isSparse } from "../cohort/graph-plan.ts";
import { securityModelSchema } from "../cohort/security-model.ts";
import { thresholds } from "../cohort/threshold.ts";
import { taskSlugSchema, taskVersionSchema } from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import { strategySchema } from "../strategy/index.ts";
import { ringRefusal } from "../vector/ring.ts";
import { featuresSchema, inputShape } from "./features.ts";
import { modelSchema } from "./model.ts";
import { sentenceSchema, titleSchema } from "./sentence.ts";
import { trainingPlanSchema } from "./training-plan.ts";

export const PHASE_MS_MIN = 500;
export const PHASE_MS_MAX = 24 * 3_600_000;
export const RECRUITING_MS_MIN = 2_000;
const phaseMs = z.int().min(PHASE_MS_MIN).max(PHASE_MS_MAX);
export const deadlinesSchema = z.strictObject({
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
      if (graph.size > plan.cohortSizeMax || graph.size < plan.cohortSizeMin) {
        issue("graph", "the size of a shard must lie between cohortSizeMin and cohortSizeMax");
      }
      const { q } = thresholds(graph.size, plan.securityModel, plan.cohortSizeMin, agreedGraphOf(plan));
      // Shard sizes vary by chance, and some devices leave.
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

export const evaluationPlanSchema = z.strictObject({
  /** Fraction of a data set that the demo and the simulator hold out for central evaluation. Other tasks need none. */
  heldOutFraction: z.number().gt(0).lt(1).exactOptional(),
  /** Fraction of a device's rows that it keeps for local evaluation. A seeded shuffle, fixed per device and data set. */
  localFraction: z.number().min(0).lt(1),
});

/**
 * Whether a task may be changed tomorrow, or its model is meant to be used. In earnest, participants are told what for
 * and what not for, and nobody's update is in a sum of fewer than ten.
 */
const stageSchema = z.enum(["trying-out", "in-earnest"]);

/**
 * Least cohort of a task in earnest: each update is hidden among at least nine others. With three, which is enough to try a
 * task out, two of a cohort who compare notes know the third's update.
 */
export const IN_EARNEST_COHORT_MIN = 10;

const taskFields = z.strictObject({
  slug: taskSlugSchema,
  version: taskVersionSchema,
  /** Name of the task in lists. Default: its slug. */
  title: titleSchema.exactOptional(),
  /** Heading of the join page, e.g. "Help a model read handwriting, and keep yours to yourself". */
  invitation: sentenceSchema,
  /** Completes "learns ...", e.g. "which digit is drawn". */
  learns: sentenceSchema,
  /** Name of the participant's rows, singular and plural, e.g. drawing, drawings. */
  exampleNoun: z.strictObject({ one: z.string().min(1).max(40), many: z.string().min(1).max(40) }),
  /** Why the model is made. This and the next two are shown before someone agrees. */
  purpose: sentenceSchema.exactOptional(),
  /** Who is to use the model, and for what. */
  intendedUse: sentenceSchema.exactOptional(),
  /** What the model must not be used for. */
  notFor: sentenceSchema.exactOptional(),
  /** Who answers questions: a mail address or a page. */
  contact: z.string().min(1).max(200).exactOptional(),
  /** Default: nothing is said, and nothing is stricter than for trying out. */
  stage: stageSchema.exactOptional(),
  /** Source and licence of the data that the coordinator evaluates on, if it has any. */
  dataCard: sentenceSchema.exactOptional(),
  model: modelSchema,
  features: featuresSchema,
  training: trainingPlanSchema,
  aggregation: aggregationPlanSchema,
  evaluation: evaluationPlanSchema,
});
type TaskFields = z.output<typeof taskFields>;

/** What to learn and under which rules. Consent binds to (slug, version), and a version never changes. */
export const taskSchema = taskFields.superRefine((task, context) => {
  const problem = (path: string[], message: string) => context.addIssue({ code: "custom", path, message });
  const { model, features } = task;
  const shape = inputShape(features);
  if (shape.join() !== model.inputShape.join()) {
    problem(
      ["model", "inputShape"],
      `the model takes [${model.inputShape.join()}], the features make [${shape.join()}]`,
    );
  }
  checkTarget(task, problem);
  if (task.stage === "in-earnest") checkStage(task, problem);
});
export type Task = z.infer<typeof taskSchema>;

type Problem = (path: string[], message: string) => void;

/** The model and the training plan fit what is learned. */
function checkTarget({ features, model, training }: TaskFields, problem: Problem): void {
  // Not by `targetOf`: this also runs on features whose own check has failed.
  const { classes } = features;
  if (classes === undefined) {
    if (model.classCount !== undefined) {
      problem(["model", "classCount"], "the label is a number; leave classCount out");
    }
    if (training.classWeights !== undefined) {
      problem(["training", "classWeights"], "the label is a number; leave classWeights out");
    }
    return;
  }
  if (classes.length !== model.classCount) {
    problem(["model", "classCount"], `${model.classCount ?? "no"} outputs for ${classes.length} classes`);
  }
  if (training.loss !== undefined) {
    problem(["training", "loss"], "the label has classes, whose loss is the cross-entropy; leave loss out");
  }
  const { classWeights } = training;
  if (classWeights !== undefined && classWeights.length !== classes.length) {
    problem(["training", "classWeights"], `${classWeights.length} weights for ${classes.length} classes`);
  }
}

function checkStage(task: TaskFields, problem: Problem): void {
  if (task.aggregation.cohortSizeMin < IN_EARNEST_COHORT_MIN) {
    problem(
      ["aggregation", "cohortSizeMin"],
      `a task in earnest needs cohortSizeMin of at least ${IN_EARNEST_COHORT_MIN}`,
    );
  }
  for (const field of ["purpose", "intendedUse", "notFor"] as const) {
    if (task[field] === undefined) problem([field], "a task in earnest says this to its participants");
  }
}
