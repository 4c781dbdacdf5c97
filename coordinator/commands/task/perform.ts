import { readFile } from "node:fs/promises";
import { parseStrictText } from "#shared/codec/strict-json.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { primitives } from "#shared/node/system.ts";
import {
  archiveViewSchema,
  heldOutStateSchema,
  listSchema,
  type TaskView,
  taskCreatedSchema,
  taskViewSchema,
} from "#shared/protocol/api.ts";
import { fieldErrors } from "#shared/protocol/fields.ts";
import { taskHashOf } from "#shared/task/agreed-config.ts";
import { taskDifference } from "#shared/task/difference.ts";
import { modelTensors } from "#shared/task/model.ts";
import { newTaskSchema } from "#shared/task/new-task.ts";
import type { Task } from "#shared/task/task.ts";
import { shownLayoutOf } from "#shared/vector/task-layout.ts";
import { type CoordinatorApi, fieldLine, Refusal } from "../../adapters/coordinator-api.ts";
import { TASK_BODY } from "../../adapters/http/json-body.ts";
import { messageOf } from "../../adapters/system-errors.ts";
import { holdOut } from "./hold-out.ts";
import type { TaskOptions } from "./options.ts";

/** @returns The exit code. @throws Error with the coordinator's sentence. */
export async function performTask(options: TaskOptions): Promise<number> {
  switch (options.verb) {
    case "check":
    case "create": {
      const task = await taskAt(options.file);
      if (!task.ok) {
        console.error(task.error);
        return 2;
      }
      if (options.verb === "create") await create(options.api, task.value, options.project);
      else await describe(task.value);
      return 0;
    }
    case "hold-out":
      return holdOut(options);
    case "go-without":
      await options.api.post(`/tasks/${options.task}/held-out/remove`, {}, heldOutStateSchema);
      console.log(`${options.task} has no held-out rows any more. Devices alone judge its models.`);
      return 0;
    case "archive":
      await archive(options.api, options.task, options.isSure);
      return 0;
    case "list":
      await list(options.api, options.withArchived);
      return 0;
  }
}

/** The task of a file. Error: what is wrong with it, in lines. */
async function taskAt(file: string): Promise<Result<Task, string>> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    return err(`${file} cannot be read (${messageOf(error)}). Check the path.`);
  }
  // As the coordinator reads it, so that what passes here passes there.
  const json = parseStrictText(text, file, TASK_BODY);
  if (!json.ok) return err(json.error.sentence);
  const parsed = newTaskSchema.safeParse(json.value);
  if (parsed.success) return ok(parsed.data);
  const fields = fieldErrors(parsed.error);
  const count = fields.length === 1 ? "One field is" : `${fields.length} fields are`;
  return err([`${file}: ${count} wrong.`, ...fields.map(fieldLine)].join("\n"));
}

async function describe(task: Task): Promise<void> {
  const { parameterCount } = modelTensors(task.model);
  const { cohortSizeMin, goal } = task.aggregation;
  console.log(`${task.slug}, version ${task.version}: nothing is wrong with it.`);
  console.log(`  model    ${parameterCount.toLocaleString("en")} weights`);
  console.log(`  update   ${(4 * shownLayoutOf(task).length).toLocaleString("en")} bytes a device and round`);
  console.log(`  cohort   at least ${cohortSizeMin}, aims at ${goal}`);
  console.log(`  hash     ${await taskHashOf(primitives, task)}`);
}

async function create(api: CoordinatorApi, task: Task, project: string | null): Promise<void> {
  const before = await newest(api, task.slug);
  const query = project === null ? "" : `?project=${encodeURIComponent(project)}`;
  if (before !== null) {
    console.log(`How it differs from version ${before.task.version}:`);
    const sentences = taskDifference(before.task, task);
    for (const sentence of sentences) console.log(`  ${sentence}`);
    if (sentences.length === 0) console.log("  Nothing but its number.");
  }
  const created = await api.post(`/tasks${query}`, task, taskCreatedSchema);
  console.log(`Published ${task.slug}, version ${task.version}, as ${created.taskHash}.`);
  if (created.heldOutFault !== undefined) console.error(created.heldOutFault);
}

/** Null if there is no such task yet, or if it cannot be read, which is said. */
async function newest(api: CoordinatorApi, slug: string): Promise<TaskView | null> {
  try {
    return await api.get(`/tasks/${slug}`, taskViewSchema);
  } catch (fault) {
    if (fault instanceof Refusal && fault.code === "NOT_FOUND") return null;
    console.error(`How it differs from the version before is not known: ${messageOf(fault)}`);
    return null;
  }
}

async function archive(api: CoordinatorApi, task: string, isSure: boolean): Promise<void> {
  const path = `/tasks/${task}/archive`;
  if (isSure) {
    console.log((await api.post(path, {}, archiveViewSchema)).sentence);
    return;
  }
  const { archived, sentence } = await api.get(path, archiveViewSchema);
  if (archived !== null) {
    console.log(`It is archived already, since ${archived.at.slice(0, 10)}: ${sentence}`);
    return;
  }
  console.log(`The log would say: ${sentence}`);
  console.log("Models, log and figures stay. Nothing was changed; add --yes to do it.");
}

async function list(api: CoordinatorApi, withArchived: boolean): Promise<void> {
  const schema = listSchema(taskViewSchema);
  let cursor: string | null = null;
  let count = 0;
  do {
    const query = new URLSearchParams({
      limit: "200",
      ...(withArchived && { archived: "include" }),
      ...(cursor !== null && { cursor }),
    });
    const page: { items: TaskView[]; next: string | null } = await api.get(`/tasks?${query}`, schema);
    for (const view of page.items) console.log(lineOf(view));
    count += page.items.length;
    cursor = page.next;
  } while (cursor !== null);
  if (count === 0) console.log("There are no tasks.");
}

function lineOf({ task, archived, heldOut, deviceCount }: TaskView): string {
  const judged =
    heldOut?.isUsed === true
      ? `judged on ${heldOut.rowCount.toLocaleString("en")} held-out rows and on devices`
      : "judged on devices";
  const state =
    archived == null
      ? `${deviceCount} ${deviceCount === 1 ? "device" : "devices"} here`
      : `archived on ${archived.at.slice(0, 10)}`;
  return `${task.slug}  version ${task.version}  ${judged}  ${state}`;
}
