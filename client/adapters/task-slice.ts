import { bitsPerWeight } from "#shared/codec/layout.ts";
import { layoutOf, tensorsOf } from "#shared/task/agreed-config.ts";
import type { Task } from "#shared/task/task.ts";
import { keysByteCountAbout } from "../core/message-sizes.ts";
import type { TaskSlice } from "../core/view.ts";

/** The task with the numbers that its sentences need; each follows from the task alone. */
export function taskSlice(task: Task, taskHash: string): TaskSlice {
  const layout = layoutOf(task);
  return {
    task,
    taskHash,
    othersMin: task.aggregation.cohortSizeMin - 1,
    parameterCount: tensorsOf(task).parameterCount,
    vectorLength: layout.length,
    maskedByteCount: 4 * layout.length,
    bitsPerWeight: bitsPerWeight(layout),
    keysByteCountAbout: keysByteCountAbout(task.aggregation.goal),
    segments: layout.segments.map(({ name, length }) => ({ name, length })),
  };
}
