import type { Purpose } from "./round-params.ts";
import type { TrainingPlan } from "./training-plan.ts";

/** The purposes that a task allows. At present all tasks have a training plan and none has a plan for evaluation rounds. */
export function purposesOf(task: { readonly training: TrainingPlan }): readonly Purpose[] {
  return "training" in task ? ["train"] : [];
}
