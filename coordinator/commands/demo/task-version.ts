import { rm } from "node:fs/promises";
import { join } from "node:path";
import { canonicalJson, type Json } from "#shared/codec/canonical-json.ts";
import { assert } from "#shared/kernel/assert.ts";
import type { RunView } from "#shared/protocol/api.ts";
import type { Task } from "#shared/task/task.ts";
import type { Ring } from "#shared/vector/ring.ts";
import { heldOutFolder, heldOutPath } from "../../adapters/held-out.ts";
import type { Coordinator } from "../../core/coordinator.ts";
import { type BundledTask, bundledTask, DEFAULT_DATASET } from "../../data/tasks.ts";
import { cutDataset, holdsPart, type Part, writePart } from "./shards.ts";

/*
 * A second start finds what the first left. A version never changes: where the number of clients, the ring, the
 * product's own definition or the held-out rows differ, the demo makes the next one.
 */

const ACTOR = "demo";

/** The newest version where it is the wanted one, else a new one. Its held-out rows are on disk before it exists. */
export async function ensureTask(
  coordinator: Coordinator,
  dataDir: string,
  name: BundledTask,
  clientCount: number,
  heldOut: Part,
  ring: Ring = 32,
): Promise<Task> {
  const newest = (await coordinator.tasks.taskView(name))?.task;
  if (newest !== undefined) {
    const same = sameTask(newest, bundledTask(name, clientCount, newest.version, ring));
    if (same && (await holdsPart(heldOutPath(dataDir, name, newest.version), heldOut))) return newest;
  }
  const task = bundledTask(name, clientCount, (newest?.version ?? 0) + 1, ring);
  const base = join(heldOutFolder(dataDir), `${name}-v${task.version}`);
  // Left by a start that died between the two steps.
  await rm(`${base}.csv`, { force: true });
  await rm(base, { recursive: true, force: true });
  await writePart(base, heldOut);
  const created = await coordinator.tasks.createTask(task, ACTOR);
  assert(created.ok, `the version after the newest is free: ${created.ok ? "" : created.error.message}`);
  return created.value.task;
}

/**
 * The bundled task for about eight devices, unless some version of it is there.
 *
 * @throws Error with a sentence where its data set is missing.
 */
export async function offerTask(coordinator: Coordinator, dataDir: string, name: BundledTask): Promise<void> {
  if ((await coordinator.tasks.taskView(name)) !== null) return;
  const clientCount = 8;
  const { features, evaluation } = bundledTask(name, clientCount, 1);
  const { heldOutFraction } = evaluation;
  const plan = { features, clientCount, alpha: 100, seed: 1, heldOutFraction };
  const cut = await cutDataset(DEFAULT_DATASET[name], plan);
  if (!cut.ok) throw new Error(cut.error);
  await ensureTask(coordinator, dataDir, name, clientCount, cut.value.heldOut);
}

function sameTask(left: Task, right: Task): boolean {
  return canonicalJson(left as unknown as Json) === canonicalJson(right as unknown as Json);
}

/**
 * Runs that an earlier start left open. One of this very task version goes on; a run of an older version has no devices
 * any more and ends; runs of other tasks wait, paused, for a demo of theirs.
 *
 * @returns The run that goes on, if there is one.
 */
export async function settleOpenRuns(
  coordinator: Coordinator,
  task: Task,
  say: (line: string) => void,
): Promise<RunView | null> {
  let goesOn: RunView | null = null;
  for (const run of await openRuns(coordinator)) {
    const name = `Run ${run.number} of ${run.task}`;
    if (run.task === task.slug && run.taskVersion === task.version) {
      if (run.state === "paused" || run.pausing) await coordinator.runs.resume(run.runId, ACTOR);
      // The oldest is the active one; younger ones are queued behind it.
      goesOn = run;
    } else if (run.task === task.slug) {
      say(
        `${name} was for version ${run.taskVersion} and is stopped; its ${run.roundsCommitted} models stay.`,
      );
      await coordinator.runs.stopRun(run.runId, ACTOR);
    } else if (run.state !== "paused") {
      say(`${name} is paused; a demo with --task ${run.task} goes on with it.`);
      await coordinator.runs.pause(run.runId, ACTOR);
    }
  }
  return goesOn;
}

/** Newest first. */
async function openRuns(coordinator: Coordinator): Promise<RunView[]> {
  const open: RunView[] = [];
  let cursor: string | undefined;
  do {
    const page = await coordinator.runs.listRuns({}, { limit: 200, cursor });
    open.push(...page.items.filter(({ state }) => state !== "completed" && state !== "failed"));
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return open;
}
