import { canonicalJson } from "#shared/codec/canonical-json.ts";
import type { TaskView } from "#shared/protocol/api.ts";
import type { Task } from "#shared/task/task.ts";
import type { Link } from "../ports.ts";
import type { ServedModel } from "./model-in-use.ts";

type Served = Pick<TaskView, "task" | "inUse" | "latestModelHash">;

/**
 * The model that a coordinator wants this task's devices to predict with; null if it has none that fits. A model in use may
 * have been made for another version of the task, and its weights mean nothing to this one if that has other columns, classes
 * or layers.
 */
export async function servedModel(
  { task, inUse, latestModelHash }: Served,
  link: Pick<Link, "fetchTask">,
): Promise<ServedModel | null> {
  // Coordinators of earlier versions name their newest model alone.
  if (inUse === undefined)
    return latestModelHash === null ? null : { modelHash: latestModelHash, promoted: null };
  if (inUse === null || !(await isFor(task, inUse.taskVersion, link))) return null;
  const { modelHash, runId, round, alias } = inUse;
  return { modelHash, promoted: alias === null ? null : { runId, round } };
}

async function isFor(task: Task, version: number, link: Pick<Link, "fetchTask">): Promise<boolean> {
  if (version === task.version) return true;
  const other = await link.fetchTask(task.slug, version);
  return other.ok && sameModel(other.value.task) === sameModel(task);
}

function sameModel({ features, model }: Task): string {
  return canonicalJson({ features, model });
}
