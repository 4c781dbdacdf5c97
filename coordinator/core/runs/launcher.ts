import { v7 as uuidv7 } from "uuid";
import { canonicalJson } from "#shared/codec/canonical-json.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { SerialQueue } from "#shared/kernel/serial-queue.ts";
import type { Launch, RunView } from "#shared/protocol/api.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { devicesNeeded } from "#shared/round/devices-needed.ts";
import type { RunLaunched } from "#shared/round/run-event.ts";
import { type StrategySpec, strategyOf, strategySchema } from "#shared/strategy/index.ts";
import type { Task } from "#shared/task/task.ts";
import { staysWithinPlan } from "#shared/task/training-plan.ts";
import { shownLayoutOf } from "#shared/vector/task-layout.ts";
import { type HeldOutSets, heldOutRows } from "../models/held-out-sets.ts";
import type { CoordinatorPorts, StoredTask } from "../ports/ports.ts";
import { runTerms } from "../tasks/terms.ts";
import { unwitnessedLog } from "../tasks/witnessed.ts";
import { beginningOf } from "./beginning.ts";
import type { RunDesk } from "./run-desk.ts";

/** Launches checked at the same time. Each may have the evaluator read its rows. */
const LAUNCHES_AT_ONCE_MAX = 4;

/**
 * Launches runs. Free checks come first, then the one for rows that judge its models. No model is made before the run's
 * turn. Rule E4.
 */
export class Launcher {
  readonly #ports: CoordinatorPorts;
  readonly #desk: RunDesk;
  readonly #heldOut: Pick<HeldOutSets, "adopt">;
  /** Tasks of the launches being checked. */
  readonly #underWay: string[] = [];
  /** Projects whose data is being deleted. */
  readonly #closed = new Set<string>();
  /** Projects of the launches that have found their task. */
  readonly #launching: string[] = [];
  /** Launches that name a run ID, by that ID. They are handled one at a time. */
  readonly #turns = new Map<string, SerialQueue>();

  constructor(ports: CoordinatorPorts, desk: RunDesk, heldOut: Pick<HeldOutSets, "adopt">) {
    this.#ports = ports;
    this.#desk = desk;
    this.#heldOut = heldOut;
  }

  /** A launch that names a run ID may be repeated. It then answers with the run that it has started. */
  async launch(launch: Launch, actor: string): Promise<Result<RunView, WireError>> {
    const { runId } = launch;
    if (runId === undefined) return this.#launchInBounds(launch, actor);
    const turns = this.#turns.get(runId) ?? new SerialQueue();
    this.#turns.set(runId, turns);
    try {
      return await turns.run(async () => {
        const known = await this.#known(runId);
        return known === null ? this.#launchInBounds(launch, actor) : again(known, launch);
      });
    } finally {
      if (turns.isIdle) this.#turns.delete(runId);
    }
  }

  /** Refuses launches of this project until the returned function is called. Null if one is under way. */
  closed(projectId: string): (() => void) | null {
    if (this.#launching.includes(projectId) || this.#closed.has(projectId)) return null;
    this.#closed.add(projectId);
    return () => void this.#closed.delete(projectId);
  }

  async #known(runId: string): Promise<RunView | null> {
    const living = this.#desk.run(runId);
    if (living !== null) return living.view();
    const row = await this.#ports.store.findRun(runId);
    return row === null ? null : row.view;
  }

  async #launchInBounds(launch: Launch, actor: string): Promise<Result<RunView, WireError>> {
    const full = this.#fullness(launch.task);
    if (full !== null) return err(wireError("RATE_LIMITED", full));
    this.#underWay.push(launch.task);
    try {
      return await this.#launch(launch, actor);
    } finally {
      this.#underWay.splice(this.#underWay.indexOf(launch.task), 1);
    }
  }

  /**
   * Why no run of this task can be launched now, or null. Queued runs and launches under way both cost
   * memory.
   */
  #fullness(task: string): string | null {
    if (this.#underWay.length >= LAUNCHES_AT_ONCE_MAX)
      return "Other runs are being launched just now. Nothing was launched; try again in a moment.";
    const open = this.#desk.openRuns(task);
    const ofTask = open.ofTask + this.#underWay.filter((slug) => slug === task).length;
    if (ofTask >= LIMITS.openRunsPerTask)
      return `This task has ${LIMITS.openRunsPerTask} open runs, which is the maximum. Nothing was launched. Stop one of them or wait until one has ended, then launch again.`;
    if (open.inAll + this.#underWay.length >= LIMITS.openRunsMax)
      return `This coordinator has ${LIMITS.openRunsMax} open runs, which is the maximum. Nothing was launched. Stop one of them or wait until one has ended, then launch again.`;
    return null;
  }

  async #launch(launch: Launch, actor: string): Promise<Result<RunView, WireError>> {
    const { store } = this.#ports;
    const stored = await store.findTask(launch.task);
    if (stored === null) return err(wireError("UNKNOWN_TASK"));
    if (stored.settings.archived !== null) return err(wireError("TASK_ARCHIVED", ARCHIVED));
    const { projectId } = stored;
    if (this.#closed.has(projectId))
      return err(wireError("CONFLICT", "The data of this project is being deleted."));
    this.#launching.push(projectId);
    try {
      return await this.#launchTask(launch, actor, stored);
    } finally {
      this.#launching.splice(this.#launching.indexOf(projectId), 1);
    }
  }

  async #launchTask(launch: Launch, actor: string, stored: StoredTask): Promise<Result<RunView, WireError>> {
    const { store } = this.#ports;
    const { task } = stored;
    const training = launch.training ?? task.training;
    const strategy = strategySchema.parse(launch.strategy ?? task.aggregation.strategy);
    const waitUntilUnixMs = launch.waitUntil === undefined ? null : Date.parse(launch.waitUntil);
    const wrong =
      wrongWith(task, training, waitUntilUnixMs, this.#ports.wall.nowUnixMs()) ?? missing(task, strategy);
    if (wrong !== null) return err(wireError("BAD_REQUEST", wrong));
    const unwitnessed = unwitnessedLog(this.#ports, task);
    if (unwitnessed !== null) return err(wireError("CONFLICT", unwitnessed));
    const unjudged = await this.#unjudged(task);
    if (unjudged !== null) return err(wireError("CONFLICT", unjudged));
    const beginning =
      launch.beginWith === undefined ? null : await beginningOf(this.#ports, task, launch.beginWith);
    if (beginning?.ok === false) return beginning;
    const terms = await runTerms(this.#ports, task, { training, strategy });
    const facts: RunLaunched = {
      type: "launched",
      runId: launch.runId ?? this.#newRunId(),
      number: await store.nextRunNumber(task.slug),
      task: task.slug,
      taskVersion: task.version,
      rounds: launch.rounds,
      training,
      strategy,
      seed: launch.seed ?? new DataView(this.#ports.random(4).buffer).getUint32(0) >>> 1,
      actor,
      configHash: terms.configHash,
      code: this.#ports.code,
      roundHash: terms.roundHash,
      devicesNeeded: devicesNeeded(terms.rules),
      ...(waitUntilUnixMs === null ? {} : { waitUntilUnixMs }),
      ...(beginning === null ? {} : { beginsWith: beginning.value }),
    };
    const run = await this.#desk.launch(terms, facts, stored.projectId);
    // The task may have been archived meanwhile, after the runs that were open then were told.
    const archived = (await store.findTask(task.slug))?.settings.archived;
    if (archived != null) await this.#desk.archive(task.slug, archived.by);
    return ok(run.view());
  }

  /** Why nothing would judge the models of this version, in a sentence; null if held-out rows or devices do (E4). */
  async #unjudged(task: Task): Promise<string | null> {
    const { store, heldOutFiles } = this.#ports;
    const { slug, version } = task;
    const adopted = await this.#heldOut.adopt(slug);
    if (!adopted.ok)
      return `The rows in "heldout" of the data folder cannot be used. ${adopted.error.message}`;
    const rows = await heldOutRows(store, task);
    if (rows !== null) {
      if (await heldOutFiles.has(slug, rows.hash)) return null;
      return "The file of this task's held-out rows is gone from the coordinator's disk. Upload the rows again, or go without, then launch again.";
    }
    if (task.evaluation.localFraction > 0) return null;
    return `Nothing would judge the models of this task: there are no held-out rows for version ${version}, and its devices keep none back (localFraction is 0). Upload held-out rows, or publish a version with a localFraction above 0.`;
  }

  /** A UUIDv7 without its dashes. */
  #newRunId(): string {
    const facts = { msecs: this.#ports.wall.nowUnixMs(), random: this.#ports.random(16) };
    return uuidv7(facts).replaceAll("-", "");
  }
}

const ARCHIVED =
  "This task is archived: it takes no devices. Nothing was launched. Publish a new version to take it up again.";

/** Fields that the repeated launch omits are not compared, because the first launch chose them. */
function again(known: RunView, launch: Launch): Result<RunView, WireError> {
  const { task, rounds, seed = known.seed, strategy = known.strategy, training = known.training } = launch;
  const waitUntil = launch.waitUntil ?? known.waitUntil ?? null;
  const isSame =
    known.task === task &&
    known.roundsPlanned === rounds &&
    known.seed === seed &&
    canonicalJson(known.strategy) === canonicalJson(strategySchema.parse(strategy)) &&
    canonicalJson(known.training) === canonicalJson(training) &&
    unixMsOf(known.waitUntil) === unixMsOf(waitUntil) &&
    known.beginsWith?.version === (launch.beginWith ?? known.beginsWith?.version);
  if (isSame) return ok(known);
  const detail = "Another run has this runId. Nothing was launched; choose another, or none.";
  return err(wireError("CONFLICT", detail));
}

const unixMsOf = (instant: string | null | undefined) => (instant ? Date.parse(instant) : null);

/** Names the segments that the strategy needs and the agreed vector lacks; null if there are none. */
function missing(task: Task, spec: StrategySpec): string | null {
  const names = shownLayoutOf(task).segments.map(({ name }) => name);
  const lacking = strategyOf(spec).segments.filter((name) => !names.includes(name));
  if (lacking.length === 0) return null;
  return `Strategy ${spec.kind} needs ${lacking.join(", ")} from each device, which this version of the task does not send. Choose another, or create a new version of the task.`;
}

/** Checks that need no I/O; null if nothing is wrong. */
function wrongWith(
  task: Task,
  training: Task["training"],
  waitUntilUnixMs: number | null,
  nowUnixMs: number,
): string | null {
  if (!staysWithinPlan(task.training, training))
    return "Devices agreed to fewer training steps, or to another optimizer, and would refuse this run. Ask for no more than the task does, or create a new version of the task.";
  if (waitUntilUnixMs !== null && waitUntilUnixMs <= nowUnixMs)
    return "The time in waitUntil has passed. Give a later one, or none.";
  return null;
}
