import { sparseNumbersOf } from "#shared/secagg/threshold.ts";
import { agreedGraphOf, isSharded } from "#shared/task/graph-plan.ts";
import { modelTensors } from "#shared/task/model.ts";
import type { Task } from "#shared/task/task.ts";
import { placeOf } from "#shared/vector/layout.ts";
import { bitsPerWeight, update } from "#shared/vector/segments/update.ts";
import { layoutOf } from "#shared/vector/task-layout.ts";
import type { TaskSlice } from "../view.ts";
import { keysByteCountAbout } from "./message-sizes.ts";

/** About how many devices hold pieces of one device's secrets, itself among them. */
function circleSize({ aggregation }: Task): number {
  const graph = agreedGraphOf(aggregation);
  if (isSharded(graph)) return graph.size;
  return (sparseNumbersOf(aggregation.goal, graph)?.degree ?? aggregation.goal - 1) + 1;
}

/** The task with the numbers that its sentences need; each follows from the task alone. */
export function taskSlice(task: Task, taskHash: string): TaskSlice {
  const layout = layoutOf(task, "train", null);
  return {
    task,
    taskHash,
    othersMin: task.aggregation.cohortSizeMin - 1,
    parameterCount: modelTensors(task.model).parameterCount,
    vectorLength: layout.length,
    maskedByteCount: 4 * layout.length,
    bitsPerWeight: bitsPerWeight(placeOf(layout, update)),
    keysByteCountAbout: keysByteCountAbout(circleSize(task)),
    segments: layout.segments.map(({ name, length }) => ({ name, length })),
  };
}
