import { canonicalJson } from "#shared/codec/canonical-json.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import type { Launch, RunView } from "#shared/protocol/api.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { devicesNeeded } from "#shared/round/devices-needed.ts";
import type { RunLaunched } from "#shared/round/run-event.ts";
import { type StrategySpec, strategyOf, strategySchema } from "#shared/strategy/index.ts";
import { staysWithinPlan, type Task } from "#shared/task/task.ts";
import { layoutOf } from "#shared/vector/task-layout.ts";
import { canEvaluate } from "./models.ts";
import type { CoordinatorPorts } from "./ports.ts";
import type { RunDesk } from "./run-desk.ts";
import { runTerms } from "./terms.ts";

/** Launches that are looked at once: each may have the evaluator read its rows. */
const LAUNCHES_AT_ONCE_MAX = 4;

/**
 * Launches runs: what costs nothing is checked first, then whether there are rows to judge models by, in the evaluator's
 * thread. No model is made before the run's turn has come. Rule E4.
 */
export class Launcher {
  readonly #ports: CoordinatorPorts;
  readonly #desk: RunDesk;
  /** Tasks of the launches that are being looked at. */
  readonly #underWay: string[] = [];
  /** Launches that name their run, by it: one after the other. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(ports: CoordinatorPorts, desk: RunDesk) {
    this.#ports = ports;
    this.#desk = desk;
  }

  /** A launch that names its run may be sent again: it answers with the run that it has started. */
  async launch(launch: Launch): Promise<Result<RunView, WireError>> {
    const { runId } = launch;
    if (runId === undefined) return this.#launchInBounds(launch);
    const turn = (this.#turns.get(runId) ?? Promise.resolve()).then(async () => {
      const known = await this.#known(runId);
      return known === null ? this.#launchInBounds(launch) : again(known, launch);
    });
    const settled = turn.catch(() => {});
    this.#turns.set(runId, settled);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(runId) === settled) this.#turns.delete(runId);
    }
  }

  async #known(runId: string): Promise<RunView | null> {
    const living = this.#desk.run(runId);
    if (living !== null) return living.view();
    const row = await this.#ports.store.findRun(runId);
    return row === null ? null : row.view;
  }

  async #launchInBounds(launch: Launch): Promise<Result<RunView, WireError>> {
    const full = this.#fullness(launch.task);
    if (full !== null) return err(wireError("RATE_LIMITED", full));
    this.#underWay.push(launch.task);
    try {
      return await this.#launch(launch);
    } finally {
      this.#underWay.splice(this.#underWay.indexOf(launch.task), 1);
    }
  }

  /** Why no run of this task can be launched now; null if one can. Runs in line cost memory, and so does each launch. */
  #fullness(task: string): string | null {
    if (this.#underWay.length >= LAUNCHES_AT_ONCE_MAX)
      return "Other runs are being launched just now. Nothing was launched; try again in a moment.";
    const open = this.#desk.openRuns(task);
    const ofTask = open.ofTask + this.#underWay.filter((slug) => slug === task).length;
    if (ofTask >= LIMITS.openRunsPerTask)
      return `This task has ${LIMITS.openRunsPerTask} runs that have not ended, which is the most it may have. Nothing was launched. Stop one of them or wait until one has ended, then launch again.`;
    if (open.inAll + this.#underWay.length >= LIMITS.openRunsMax)
      return `This coordinator has ${LIMITS.openRunsMax} runs that have not ended, which is the most it may have. Nothing was launched. Stop one of them or wait until one has ended, then launch again.`;
    return null;
  }

  async #launch(launch: Launch): Promise<Result<RunView, WireError>> {
    const { store } = this.#ports;
    const stored = await store.findTask(launch.task);
    if (stored === null) return err(wireError("UNKNOWN_TASK"));
    const { task } = stored;
    const training = launch.training ?? task.training;
    const strategy = strategySchema.parse(launch.strategy ?? task.aggregation.strategy);
    const waitUntilUnixMs = launch.waitUntil === undefined ? null : Date.parse(launch.waitUntil);
    const wrong =
      wrongWith(task, training, waitUntilUnixMs, this.#ports.wall.nowUnixMs()) ?? missing(task, strategy);
    if (wrong !== null) return err(wireError("BAD_REQUEST", wrong));
    if (!(await canEvaluate(this.#ports, task))) {
      const name = `${task.slug}-v${task.version}`;
      const detail = `The coordinator has no rows to judge models of this task by. Put ${name}.csv, or a folder ${name} with IDX files, into "heldout" in its data folder, then launch again.`;
      return err(wireError("CONFLICT", detail));
    }
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
      actor: launch.actor ?? "unverified",
      configHash: terms.configHash,
      roundHash: terms.roundHash,
      devicesNeeded: devicesNeeded(terms.rules),
      ...(waitUntilUnixMs === null ? {} : { waitUntilUnixMs }),
    };
    return ok((await this.#desk.launch(terms, facts)).view());
  }

  /** A UUIDv7 as 32 hex digits: 48 bits of Unix milliseconds, then version, variant and randomness. RFC 9562. */
  #newRunId(): string {
    const random = this.#ports.random(10);
    random[0] = ((random[0] as number) & 0x0f) | 0x70;
    random[2] = ((random[2] as number) & 0x3f) | 0x80;
    return this.#ports.wall.nowUnixMs().toString(16).padStart(12, "0") + bytesToHex(random);
  }
}

/** What the launch leaves out was chosen when the run was launched first, so it is not compared. */
function again(known: RunView, launch: Launch): Result<RunView, WireError> {
  const { task, rounds, seed = known.seed, strategy = known.strategy, training = known.training } = launch;
  const waitUntil = launch.waitUntil ?? known.waitUntil ?? null;
  const isSame =
    known.task === task &&
    known.roundsPlanned === rounds &&
    known.seed === seed &&
    canonicalJson(known.strategy) === canonicalJson(strategySchema.parse(strategy)) &&
    canonicalJson(known.training) === canonicalJson(training) &&
    unixMsOf(known.waitUntil) === unixMsOf(waitUntil);
  if (isSame) return ok(known);
  const detail = "Another run has this runId. Nothing was launched; choose another, or none.";
  return err(wireError("CONFLICT", detail));
}

const unixMsOf = (instant: string | null | undefined) => (instant ? Date.parse(instant) : null);

/** Says which segments the strategy needs and the vector that devices agreed to has not; null if none. */
function missing(task: Task, spec: StrategySpec): string | null {
  const names = layoutOf(task, "train", null).segments.map(({ name }) => name);
  const lacking = strategyOf(spec).segments.filter((name) => !names.includes(name));
  if (lacking.length === 0) return null;
  return `Strategy ${spec.kind} needs ${lacking.join(", ")} from each device, which this version of the task does not send. Choose another, or create a new version of the task.`;
}

/** What can be said without asking anyone; null if nothing is wrong. */
function wrongWith(
  task: Task,
  training: Task["training"],
  waitUntilUnixMs: number | null,
  nowUnixMs: number,
): string | null {
  if (!staysWithinPlan(task.training, training))
    return "Devices agreed to fewer training steps, or to another optimizer, and would refuse this run. Ask for no more than the task does, or create a new version of the task.";
  if (waitUntilUnixMs !== null && waitUntilUnixMs <= nowUnixMs)
    return "The time until which the run is to wait has passed. Name a later one, or none.";
  return null;
}
