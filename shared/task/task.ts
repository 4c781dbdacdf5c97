import { z } from "zod";
import { taskSlugSchema, taskVersionSchema } from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import { shownLayoutOf } from "../vector/task-layout.ts";
import { aggregationPlanSchema } from "./aggregation-plan.ts";
import { featuresSchema, inputShape } from "./features.ts";
import { logWitnessesSchema } from "./log-witnesses.ts";
import { modelSchema } from "./model.ts";
import { sentenceSchema, titleSchema } from "./sentence.ts";
import { trainingPlanSchema } from "./training-plan.ts";

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
  /** Whose signatures devices demand under the public log. Default: of nobody but the log. */
  logWitnesses: logWitnessesSchema.exactOptional(),
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
  // The length follows from parts that fit together.
  if (context.issues.length === 0) checkListLength(task, problem);
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

/** A device that took part could send nothing (S21). */
function checkListLength(task: TaskFields, problem: Problem): void {
  const { length } = shownLayoutOf(task);
  if (length <= LIMITS.vectorLengthMax) return;
  const [words, most] = [length, LIMITS.vectorLengthMax].map((count) => count.toLocaleString("en"));
  problem(
    ["model", "layers"],
    `the masked list would have ${words} words of 32 bits, and a device sends at most ${most}; give the layers fewer units`,
  );
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
