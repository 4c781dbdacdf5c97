import { assert } from "../kernel/assert.ts";
import { strategyOf } from "../strategy/index.ts";
import { type Purpose, purposesOf, type RoundParams } from "../task/config.ts";
import { modelTensors } from "../task/model.ts";
import type { Task } from "../task/task.ts";
import { type VectorLayout, vectorLayout } from "./layout.ts";

/**
 * The layout of a task's vector in a round of this purpose.
 *
 * @param roundParams  Of the round; null for what is agreed to before any round. They may change bounds, never lengths: the
 *                     length is agreed to.
 * @throws AssertionFault for a purpose that the task does not allow.
 */
export function layoutOf(task: Task, purpose: Purpose, roundParams: RoundParams | null): VectorLayout {
  assert(purposesOf(task).includes(purpose), `task ${task.slug} has no rounds to ${purpose}`);
  const { cohortSizeMax, clipNormL2, weightCap, ring, strategy } = task.aggregation;
  const { parameterCount } = modelTensors(task.model);
  const { segments: asked } = strategyOf(strategy);
  const agreed = { purpose, asked, parameterCount, cohortSizeMax, clipNormL2, weightCap, ring };
  const layout = vectorLayout({ ...agreed, roundParams });
  assert(
    roundParams === null || layout.length === vectorLayout({ ...agreed, roundParams: null }).length,
    "a round's parameters do not change the length of the vector",
  );
  return layout;
}
