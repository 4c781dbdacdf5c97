import { err, ok, type Result } from "#shared/kernel/result.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";
import type { RunLaunched } from "#shared/round/run-event.ts";
import { modelTensors } from "#shared/task/model.ts";
import type { Task } from "#shared/task/task.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";

/**
 * Finds the version of a task's models that a run is to begin with. Its strategy begins anew, because a state belongs to
 * the run that made it. Rule R51.
 *
 * Errors: BAD_REQUEST if there is no such version, if its file is gone, or if its tensors are not those of `task`.
 */
export async function beginningOf(
  { store, blobs }: Pick<CoordinatorPorts, "store" | "blobs">,
  task: Task,
  version: number,
): Promise<Result<NonNullable<RunLaunched["beginsWith"]>, WireError>> {
  const model = await store.findModel(task.slug, version);
  if (model === null) return refused(`${task.slug} has no model version ${version}`);
  const made = await store.findTask(task.slug, model.taskVersion);
  if (made === null || !haveSameTensors(made.task, task))
    return refused(
      `model version ${version} was made under version ${model.taskVersion} of the task, whose model has other layers`,
    );
  const { modelHash } = model;
  if ((await blobs.byteCount(modelHash)) === null)
    return refused(`the file of model version ${version} is gone from the coordinator's disk`);
  return ok({ version, modelHash });
}

function haveSameTensors(a: Task, b: Task): boolean {
  const shapes = (task: Task) => modelTensors(task.model).tensors.map(({ name, shape }) => [name, ...shape]);
  return JSON.stringify(shapes(a)) === JSON.stringify(shapes(b));
}

function refused(why: string): Result<never, WireError> {
  const detail = `The run cannot begin with it: ${why}. Nothing was launched. Choose another version, or none for a new model.`;
  return err(wireError("BAD_REQUEST", detail));
}
