import { consentFactsOf } from "#shared/model/consent-words.ts";
import { modelTensors } from "#shared/task/model.ts";
import type { Task } from "#shared/task/task.ts";
import { placeOf } from "#shared/vector/layout.ts";
import { bitsPerWeight, update } from "#shared/vector/segments/update.ts";
import { shownLayoutOf } from "#shared/vector/task-layout.ts";
import type { TaskSlice } from "../view.ts";

/**
 * The task with figures for its sentences, all derived from the task alone.
 *
 * @param invitation  The setting.
 * @param archivedAt  Unix milliseconds; null if it takes devices.
 */
export function taskSlice(
  task: Task,
  taskHash: string,
  invitation: string,
  archivedAt: number | null = null,
): TaskSlice {
  const layout = shownLayoutOf(task);
  return {
    ...consentFactsOf(task),
    taskHash,
    invitation,
    archivedAt,
    parameterCount: modelTensors(task.model).parameterCount,
    bitsPerWeight: bitsPerWeight(placeOf(layout, update)),
    segments: layout.segments.map(({ name, length }) => ({ name, length })),
  };
}
