import { canonicalJson, type Json } from "#shared/codec/canonical-json.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import type { RunView } from "#shared/protocol/api.ts";
import { textsOf } from "#shared/task/effective-settings.ts";
import type { Task } from "#shared/task/task.ts";
import type { Ring } from "#shared/vector/ring.ts";
import { MACHINE } from "../../core/access/principal.ts";
import type { Coordinator } from "../../core/coordinator.ts";
import { ALL_READABLE } from "../../core/ports/store.ts";
import { HELD_OUT_CARDS, OTHER_ROWS_CARD } from "../../data/cards.ts";
import { BUNDLED_GATES } from "../../data/gates.ts";
import { type BundledTask, bundledTask, DEFAULT_DATASET, HELD_OUT_FRACTION } from "../../data/tasks.ts";
import type { RunningCoordinator } from "../../main.ts";
import { granted } from "../command.ts";
import { cutDataset, type Part } from "./parts.ts";
import { setHeldOut } from "./set-held-out.ts";

/*
 * Finds what an earlier start left. A version never changes, so the demo makes a new one if the number of clients, the
 * ring or what the bundled definition asks devices to agree to differs. Other held-out rows are a setting.
 */

export interface TaskPlan {
  readonly name: BundledTask;
  readonly clientCount: number;
  readonly ring?: Ring;
  readonly heldOut: Part;
  /** Where all rows come from. Default: the bundled data set. */
  readonly datasetPath?: string;
  /** Who makes a version, in the log. */
  readonly actor: string;
}

/**
 * The newest version if it matches and is not archived, otherwise a new one; its models are judged on the held-out rows.
 *
 * @throws Error with a sentence if these are refused.
 */
export async function ensureTask(
  coordinator: Pick<Coordinator, "tasks" | "heldOut">,
  plan: TaskPlan,
): Promise<Task> {
  const task = await ensureVersion(coordinator, plan);
  const { name, datasetPath = DEFAULT_DATASET[name] } = plan;
  const card = datasetPath === DEFAULT_DATASET[name] ? HELD_OUT_CARDS[name] : OTHER_ROWS_CARD;
  await setHeldOut(coordinator, task, plan.heldOut, card, plan.actor);
  return task;
}

async function ensureVersion(coordinator: Pick<Coordinator, "tasks">, plan: TaskPlan): Promise<Task> {
  const { name, clientCount, ring = 32, actor } = plan;
  const view = await coordinator.tasks.taskView(name);
  const newest = view?.task;
  if (newest !== undefined && view?.archived == null) {
    const wanted = bundledTask(name, clientCount, newest.version, ring);
    if (sameAgreement(newest, wanted)) {
      await setTexts(coordinator, newest, wanted, actor);
      return newest;
    }
  }
  const task = bundledTask(name, clientCount, (newest?.version ?? 0) + 1, ring);
  const created = await coordinator.tasks.createTask(task, actor);
  assert(created.ok, `the version after the newest is free: ${created.ok ? "" : created.error.message}`);
  // Later versions keep the gates that people have set.
  if (newest === undefined) {
    const { gates, promoteByItself } = BUNDLED_GATES[name];
    const promotion = { gates: [...gates], promoteByItself };
    const changed = await coordinator.tasks.changeTaskSettings(name, { promotion }, actor);
    assert(
      changed.ok,
      `a bundled task has the measures of its gates: ${changed.ok ? "" : changed.error.message}`,
    );
  }
  return created.value.task;
}

/**
 * Creates the bundled task for about eight devices unless a version of it exists, and its project, so that roles can be
 * given in it.
 *
 * @throws Error with a sentence if its data set is missing.
 */
export async function offerTask(
  { coordinator, accessDesk, status }: Pick<RunningCoordinator, "coordinator" | "accessDesk" | "status">,
  name: BundledTask,
): Promise<void> {
  granted(await accessDesk.ensureProject(status.projectId, MACHINE));
  if ((await coordinator.tasks.taskView(name)) !== null) return;
  const clientCount = 8;
  const { features } = bundledTask(name, clientCount, 1);
  const plan = { features, clientCount, alpha: 100, seed: 1, heldOutFraction: HELD_OUT_FRACTION };
  const cut = await cutDataset(DEFAULT_DATASET[name], plan);
  if (!cut.ok) throw new Error(cut.error);
  const { heldOut } = cut.value;
  await ensureTask(coordinator, { name, clientCount, heldOut, actor: MACHINE });
}

/** True if devices that agreed to one have agreed to the other: they differ at most in texts that are settings. */
function sameAgreement(left: Task, right: Task): boolean {
  return same({ ...left, ...textsOf(right) }, right);
}

/** Shows the bundled texts instead of the version's, unless someone has chosen others. */
async function setTexts(
  coordinator: Pick<Coordinator, "tasks">,
  newest: Task,
  wanted: Task,
  actor: string,
): Promise<void> {
  const { slug } = newest;
  const set = present(await coordinator.tasks.taskSettings(slug), "the task exists").settings;
  if (set.invitation !== null || same(textsOf(newest), textsOf(wanted))) return;
  const changed = await coordinator.tasks.changeTaskSettings(slug, textsOf(wanted), actor);
  assert(changed.ok, `bundled texts fit: ${changed.ok ? "" : changed.error.message}`);
}

function same(left: object, right: object): boolean {
  return canonicalJson(left as Json) === canonicalJson(right as Json);
}

/**
 * Settles runs that an earlier start left open. A run of this task version resumes. A run of another version
 * has no devices left and is stopped. Runs of other tasks are paused until their own demo.
 *
 * @returns The run that resumes, or null.
 */
export async function settleOpenRuns(
  coordinator: Coordinator,
  task: Task,
  actor: string,
  say: (line: string) => void,
): Promise<RunView | null> {
  let goesOn: RunView | null = null;
  for (const run of await openRuns(coordinator)) {
    const name = `Run ${run.number} of ${run.task}`;
    if (run.task === task.slug && run.taskVersion === task.version) {
      if (run.state === "paused" || run.pausing) await coordinator.runs.resume(run.runId, actor);
      // Runs come newest first, so the oldest wins. It is the active one, and younger ones queue behind it.
      goesOn = run;
    } else if (run.task === task.slug) {
      say(
        `${name} was for version ${run.taskVersion} and is stopped; its ${run.roundsCommitted} models remain.`,
      );
      await coordinator.runs.stopRun(run.runId, actor);
    } else if (run.state !== "paused") {
      say(`${name} is paused; a demo with --task ${run.task} resumes it.`);
      await coordinator.runs.pause(run.runId, actor);
    }
  }
  return goesOn;
}

/** Newest first. */
async function openRuns(coordinator: Coordinator): Promise<RunView[]> {
  const open: RunView[] = [];
  let cursor: string | undefined;
  do {
    const page = await coordinator.runs.listRuns(ALL_READABLE, { limit: 200, cursor });
    open.push(...page.items.filter(({ state }) => state !== "completed" && state !== "failed"));
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return open;
}
