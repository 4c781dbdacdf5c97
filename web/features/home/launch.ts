import type { Result } from "#shared/kernel/result.ts";
import {
  type Launch,
  launchSchema,
  type RoundView,
  type RunView,
  type TaskView,
} from "#shared/protocol/api.ts";
import { defaultStrategy, type StrategySpec } from "#shared/strategy/index.ts";
import { staysWithinPlan } from "#shared/task/task.ts";
import { medianTraffic } from "../../chart/run-figures.ts";

/*
 * The launch form as data: what people type, what is sent, and what it will cost. Pure.
 */

/** Values as they stand in the inputs. */
export interface LaunchForm {
  readonly task: string;
  readonly strategy: StrategySpec["kind"];
  readonly serverLearningRate: string;
  readonly rounds: string;
  readonly epochs: string;
  readonly batchSize: string;
  readonly learningRate: string;
  readonly proximalMu: string;
  /** Empty: the coordinator draws one. */
  readonly seed: string;
  /** As `datetime-local` has it, in this browser's own time. Empty: the run waits as long as it takes. */
  readonly waitUntil: string;
  readonly actor: string;
}
export type LaunchField = keyof LaunchForm;
export type LaunchErrors = Partial<Record<LaunchField, string>>;

const ROUNDS_DEFAULT = "15";

export function formFor(view: TaskView, before?: LaunchForm): LaunchForm {
  const { training, aggregation } = view.task;
  return {
    task: view.task.slug,
    strategy: aggregation.strategy.kind,
    serverLearningRate: String(aggregation.strategy.serverLearningRate),
    rounds: before?.rounds ?? ROUNDS_DEFAULT,
    epochs: String(training.epochs),
    batchSize: String(training.batchSize),
    learningRate: String(training.optimizer.learningRate),
    proximalMu: String(training.proximalMu),
    seed: before?.seed ?? "",
    waitUntil: before?.waitUntil ?? "",
    actor: before?.actor ?? "",
  };
}

export function serverRateFor(view: TaskView, kind: StrategySpec["kind"]): string {
  return String(startOf(view.task.aggregation.strategy, kind).serverLearningRate);
}

/** The task's own options, or those that another strategy starts from. */
function startOf(planned: StrategySpec, kind: StrategySpec["kind"]): StrategySpec {
  return planned.kind === kind ? planned : defaultStrategy(kind);
}

/** Which input a schema's path belongs to, and what to say when its value will not do. */
const FIELDS: readonly { path: string; field: LaunchField; says: string }[] = [
  { path: "rounds", field: "rounds", says: "A whole number from 1 to 100,000." },
  {
    path: "strategy.serverLearningRate",
    field: "serverLearningRate",
    says: "A number above 0, at most 100, such as 0.01.",
  },
  { path: "training.epochs", field: "epochs", says: "A whole number from 1 to 100." },
  { path: "training.batchSize", field: "batchSize", says: "A whole number from 1 to 4,096." },
  {
    path: "training.optimizer.learningRate",
    field: "learningRate",
    says: "A number above 0, at most 10, such as 0.05.",
  },
  { path: "training.proximalMu", field: "proximalMu", says: "A number from 0 to 10; 0 is off." },
  { path: "seed", field: "seed", says: "A whole number from 0 to 2,147,483,647, or nothing." },
  { path: "waitUntil", field: "waitUntil", says: "A day and a time, or nothing." },
  { path: "actor", field: "actor", says: "At most 80 letters." },
];

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/**
 * What is sent; strategy and training only if they differ from the task's own. Errors name the input.
 *
 * @param nowUnixMs  A run cannot wait until a time that has passed.
 */
export function launchOf(form: LaunchForm, view: TaskView, nowUnixMs: number): Result<Launch, LaunchErrors> {
  const { training: plan, aggregation } = view.task;
  const training = {
    ...plan,
    epochs: Number(form.epochs),
    batchSize: Number(form.batchSize),
    optimizer: { ...plan.optimizer, learningRate: Number(form.learningRate) },
    proximalMu: Number(form.proximalMu === "" ? Number.NaN : form.proximalMu),
  };
  const strategy = {
    ...startOf(aggregation.strategy, form.strategy),
    serverLearningRate: Number(form.serverLearningRate),
  };
  const launch = {
    task: form.task,
    rounds: Number(form.rounds),
    ...(same(strategy, aggregation.strategy) ? {} : { strategy }),
    ...(same(training, plan) ? {} : { training }),
    ...(form.seed.trim() === "" ? {} : { seed: Number(form.seed) }),
    ...(form.waitUntil === "" ? {} : { waitUntil: instantOf(form.waitUntil) }),
    ...(form.actor.trim() === "" ? {} : { actor: form.actor.trim() }),
  };
  const parsed = launchSchema.safeParse(launch);
  if (parsed.success && Date.parse(launch.waitUntil ?? "") <= nowUnixMs)
    return { ok: false, error: { waitUntil: "That time has passed. Choose a later one, or none." } };
  if (parsed.success && staysWithinPlan(plan, training)) return { ok: true, value: launch };
  if (parsed.success) {
    const agreed = `${plan.epochs} at ${plan.batchSize} a batch`;
    return { ok: false, error: { epochs: `No more steps than people agreed to: ${agreed}.` } };
  }
  const error: { -readonly [Field in LaunchField]?: string } = {};
  for (const issue of parsed.error.issues) {
    const known = FIELDS.find(({ path }) => path === issue.path.join("."));
    error[known?.field ?? "task"] ??= known?.says ?? "The task does not take this plan. Choose another.";
  }
  return { ok: false, error };
}

/** ISO 8601 in UTC; what is no time stays as it is, for the schema to refuse. */
function instantOf(local: string): string {
  const date = new Date(local);
  return Number.isNaN(date.getTime()) ? local : date.toISOString();
}

export interface LaunchCost {
  /** Of one device and round. */
  readonly upByteCount: number;
  readonly downByteCount: number;
  /** The median of the newest run of this task; otherwise the model and the masked update alone, keys not counted. */
  readonly measured: boolean;
  /** Of one round; null if no run of this task has committed one. */
  readonly secondsPerRound: number | null;
  /** Of the whole run; null if a round's time is not known, or if the number of rounds cannot be launched. */
  readonly seconds: number | null;
}

/** The run of a task that says most about the next one: the newest with a committed round. */
export function newestRunOf(view: TaskView, runs: readonly RunView[]): RunView | null {
  const own = runs.filter(({ task, roundsCommitted }) => task === view.task.slug && roundsCommitted > 0);
  return own.toSorted((a, b) => b.number - a.number)[0] ?? null;
}

/**
 * What a run of `rounds` rounds will cost.
 *
 * @param newest  Of the same task, with `done`, its rounds; null if no run of it has committed a round.
 */
export function launchCost(
  view: TaskView,
  newest: RunView | null,
  done: readonly RoundView[],
  rounds: number,
): LaunchCost {
  const traffic = medianTraffic(done);
  const measured = traffic.length > 0;
  const sum = (key: "upByteCount" | "downByteCount") => traffic.reduce((total, row) => total + row[key], 0);
  const perRoundS = newest === null ? null : secondsPerRound(newest);
  return {
    upByteCount: measured ? sum("upByteCount") : 4 * view.vectorLength,
    downByteCount: measured ? sum("downByteCount") : 4 * view.parameterCount,
    measured,
    secondsPerRound: perRoundS,
    seconds:
      perRoundS === null || !launchSchema.shape.rounds.safeParse(rounds).success ? null : perRoundS * rounds,
  };
}

function secondsPerRound(run: RunView): number | null {
  const roundsLeft = run.roundsPlanned - run.roundsCommitted;
  if (run.secondsLeft !== null && roundsLeft > 0) return run.secondsLeft / roundsLeft;
  if (run.startedAt === null || run.endedAt === null || run.roundsCommitted === 0) return null;
  return (Date.parse(run.endedAt) - Date.parse(run.startedAt)) / 1_000 / run.roundsCommitted;
}
