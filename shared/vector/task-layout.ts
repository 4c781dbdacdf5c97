import { assert, present } from "../kernel/assert.ts";
import { strategyOf } from "../strategy/index.ts";
import type { AggregationPlan } from "../task/aggregation-plan.ts";
import type { Features } from "../task/features.ts";
import { type ModelSpec, modelTensors } from "../task/model.ts";
import { purposesOf } from "../task/purposes.ts";
import type { Purpose, RoundParams } from "../task/round-params.ts";
import { targetOf } from "../task/target.ts";
import type { TrainingPlan } from "../task/training-plan.ts";
import { type VectorLayout, vectorLayout } from "./layout.ts";

/** The part of a task from which the layout follows. The task's schema needs it too, so that this is no `Task`. */
export interface LaidOutTask {
  readonly slug: string;
  readonly model: ModelSpec;
  readonly features: Features;
  readonly training: TrainingPlan;
  readonly aggregation: AggregationPlan;
}

/** The layout that people are told of before any round: that of the task's first purpose. */
export function shownLayoutOf(task: LaidOutTask): VectorLayout {
  return layoutOf(task, present(purposesOf(task)[0], "a task with a purpose"), null);
}

/**
 * The layout of a task's vector in rounds of the given purpose.
 *
 * @param roundParams  The round's parameters; null for the layout that is agreed to before any round. They may change
 *                     bounds, but not the length, which devices have agreed to.
 * @throws AssertionFault if the task does not allow the purpose.
 */
export function layoutOf(task: LaidOutTask, purpose: Purpose, roundParams: RoundParams | null): VectorLayout {
  assert(purposesOf(task).includes(purpose), `task ${task.slug} has no rounds to ${purpose}`);
  const { cohortSizeMax, clipNormL2, weightCap, ring, strategy } = task.aggregation;
  const { parameterCount } = modelTensors(task.model);
  const { segments: asked } = strategyOf(strategy);
  const labels = targetOf(task.features).kind;
  const agreed = { purpose, asked, parameterCount, cohortSizeMax, clipNormL2, weightCap, labels, ring };
  const layout = vectorLayout({ ...agreed, roundParams });
  assert(
    roundParams === null || layout.length === vectorLayout({ ...agreed, roundParams: null }).length,
    "a round's parameters do not change the length of the vector",
  );
  return layout;
}
