import { assert } from "#shared/kernel/assert.ts";
import type { Result } from "#shared/kernel/result.ts";
import {
  type Launch,
  launchSchema,
  type RoundView,
  type RunView,
  type TaskView,
} from "#shared/protocol/api.ts";
import type { StrategySpec } from "#shared/strategy/index.ts";
import { numberRange, strategyFor, strategyOptions } from "#shared/strategy/options.ts";
import { staysWithinPlan, type TrainingPlan, trainingPlanSchema } from "#shared/task/training-plan.ts";
import { medianTraffic } from "../../chart/run-figures.ts";
import { numberError, optionError } from "../../words/launch.ts";

/* The launch form as data: what people type, what is sent, and what it will cost. Pure. */

/** The text of each input. */
export interface LaunchForm {
  readonly task: string;
  readonly strategy: StrategySpec["kind"];
  /** Options of the strategy, by name. */
  readonly options: Readonly<Record<string, string>>;
  readonly rounds: string;
  readonly epochs: string;
  readonly batchSize: string;
  readonly learningRate: string;
  readonly proximalMu: string;
  /** Number of a version of the task's models; empty for a new model. */
  readonly beginWith: string;
  /** Empty: the coordinator draws one. */
  readonly seed: string;
  /** In the format of `datetime-local`, in this browser's own time. Empty: the run waits forever. */
  readonly waitUntil: string;
}
export type LaunchField = Exclude<keyof LaunchForm, "options">;
/** An input's name; for an option `strategy.` plus the option's name, as in the schema's paths. */
export type LaunchInput = LaunchField | `strategy.${string}`;
export type LaunchErrors = Readonly<Partial<Record<LaunchInput, string>>>;

const ROUNDS_DEFAULT = "15";

export function formFor(view: TaskView, before?: LaunchForm): LaunchForm {
  const { training, aggregation } = view.task;
  return {
    task: view.task.slug,
    strategy: aggregation.strategy.kind,
    options: optionsFor(view, aggregation.strategy.kind),
    rounds: before?.rounds ?? ROUNDS_DEFAULT,
    beginWith: "",
    epochs: String(training.epochs),
    batchSize: String(training.batchSize),
    learningRate: String(training.optimizer.learningRate),
    proximalMu: String(training.proximalMu),
    seed: before?.seed ?? "",
    waitUntil: before?.waitUntil ?? "",
  };
}

/** A model that a run can begin with, and the run that made it. */
export interface Beginning {
  readonly version: number;
  readonly runNumber: number;
  readonly isInUse: boolean;
}

/** The model in use, then the newest of each of these runs of the task, newest first. */
export function beginningsOf(view: TaskView, runs: readonly RunView[]): readonly Beginning[] {
  const { inUse = null, task } = view;
  const candidates = runs
    .flatMap(({ task: slug, number, candidate }) =>
      slug === task.slug && candidate != null && candidate !== inUse?.version
        ? [{ version: candidate, runNumber: number, isInUse: false }]
        : [],
    )
    .toSorted((a, b) => b.version - a.version);
  if (inUse === null) return candidates;
  return [{ version: inUse.version, runNumber: inUse.runNumber, isInUse: true }, ...candidates];
}

/** Initial values of a strategy's options: the task's own, or the defaults of another strategy. */
export function optionsFor(view: TaskView, kind: StrategySpec["kind"]): LaunchForm["options"] {
  const { kind: _, ...options } = strategyFor(view.task.aggregation.strategy, kind);
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [name, String(value)]));
}

/** The strategy as typed. Invalid values are left unchanged, and the launch's schema refuses them. */
function strategyOf({ strategy: kind, options }: LaunchForm): StrategySpec {
  const values = strategyOptions(kind).map(({ name, takes }) => {
    const typed = options[name] ?? "";
    return [name, takes.kind === "choice" ? typed : numberOf(typed)] as const;
  });
  return { kind, ...Object.fromEntries(values) } as StrategySpec;
}

const numberOf = (typed: string): number => (typed.trim() === "" ? Number.NaN : Number(typed));

/** The schema of a plan's rate, which depends on its optimizer. */
function rateSchema({ optimizer }: TrainingPlan) {
  const { options } = trainingPlanSchema.shape.optimizer;
  const own = options.find(({ shape }) => shape.kind.value === optimizer.kind);
  assert(own !== undefined, "an optimizer of the schema");
  return own.shape.learningRate;
}

const { rounds: ROUNDS, seed: SEED } = launchSchema.shape;
const { epochs: EPOCHS, batchSize: BATCH_SIZE, proximalMu: PROXIMAL_MU } = trainingPlanSchema.shape;

/** The input for each path of the schema, and the text to show if its value is invalid, given the task's own plan. */
const FIELDS: readonly { path: string; field: LaunchField; says: (plan: TrainingPlan) => string }[] = [
  { path: "rounds", field: "rounds", says: () => numberError(numberRange(ROUNDS)) },
  { path: "training.epochs", field: "epochs", says: () => numberError(numberRange(EPOCHS)) },
  { path: "training.batchSize", field: "batchSize", says: () => numberError(numberRange(BATCH_SIZE)) },
  {
    path: "training.optimizer.learningRate",
    field: "learningRate",
    says: (plan) => numberError(numberRange(rateSchema(plan)), `, such as ${plan.optimizer.learningRate}`),
  },
  {
    path: "training.proximalMu",
    field: "proximalMu",
    says: () => numberError(numberRange(PROXIMAL_MU), "; 0 is off"),
  },
  { path: "seed", field: "seed", says: () => numberError(numberRange(SEED), ", or nothing") },
  { path: "waitUntil", field: "waitUntil", says: () => "A day and a time, or nothing." },
];

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/**
 * Builds the request. Strategy and training are included only if they differ from the task's own. Errors name the
 * input.
 *
 * @param nowUnixMs  A run cannot wait until a time in the past.
 */
export function launchOf(form: LaunchForm, view: TaskView, nowUnixMs: number): Result<Launch, LaunchErrors> {
  const { training: plan, aggregation } = view.task;
  const training = {
    ...plan,
    epochs: Number(form.epochs),
    batchSize: Number(form.batchSize),
    optimizer: { ...plan.optimizer, learningRate: Number(form.learningRate) },
    proximalMu: numberOf(form.proximalMu),
  };
  const strategy = strategyOf(form);
  const launch: Launch = {
    task: view.task.slug,
    rounds: Number(form.rounds),
    beginWith: form.beginWith === "" ? undefined : Number(form.beginWith),
    strategy: same(strategy, aggregation.strategy) ? undefined : strategy,
    training: same(training, plan) ? undefined : training,
    seed: form.seed.trim() === "" ? undefined : Number(form.seed),
    waitUntil: form.waitUntil === "" ? undefined : instantOf(form.waitUntil),
  };
  const parsed = launchSchema.safeParse(launch);
  if (parsed.success && Date.parse(launch.waitUntil ?? "") <= nowUnixMs)
    return { ok: false, error: { waitUntil: "That time has passed. Choose a later one, or none." } };
  if (parsed.success && staysWithinPlan(plan, training)) return { ok: true, value: launch };
  if (parsed.success) {
    const agreed = `${plan.epochs} at ${plan.batchSize} a batch`;
    return { ok: false, error: { epochs: `No more steps than people agreed to: ${agreed}.` } };
  }
  const error: Partial<Record<LaunchInput, string>> = {};
  for (const issue of parsed.error.issues) {
    const [input, says] = wrongInput(issue.path.join("."), form.strategy, plan);
    error[input] ??= says;
  }
  return { ok: false, error };
}

/** The input for a path of the schema, and the text for an invalid value. */
function wrongInput(
  path: string,
  kind: StrategySpec["kind"],
  plan: TrainingPlan,
): readonly [LaunchInput, string] {
  const known = FIELDS.find((field) => field.path === path);
  if (known !== undefined) return [known.field, known.says(plan)];
  const option = strategyOptions(kind).find(({ name }) => path === `strategy.${name}`);
  return option === undefined
    ? ["task", "The task does not allow this plan. Choose another."]
    : [`strategy.${option.name}`, optionError(option)];
}

/** ISO 8601 in UTC. An invalid time is left unchanged, and the schema refuses it. */
function instantOf(local: string): string {
  const date = new Date(local);
  return Number.isNaN(date.getTime()) ? local : date.toISOString();
}

export interface LaunchCost {
  /** Per device and round. */
  readonly upByteCount: number;
  readonly downByteCount: number;
  /** True: the median of the newest run of this task. False: only the model and the masked update, without keys. */
  readonly measured: boolean;
  /** Per round; null if no run of this task has committed one. */
  readonly secondsPerRound: number | null;
  /** For the whole run; null if a round's time is unknown, or if the number of rounds is invalid. */
  readonly seconds: number | null;
}

/** The run that predicts the next one best: the newest with a committed round. */
export function newestRunOf(view: TaskView, runs: readonly RunView[]): RunView | null {
  const own = runs.filter(({ task, roundsCommitted }) => task === view.task.slug && roundsCommitted > 0);
  return own.toSorted((a, b) => b.number - a.number)[0] ?? null;
}

/**
 * The cost of a run of `rounds` rounds.
 *
 * @param newest  A run of the same task; `done` are its rounds. Null if no run of the task has committed a round.
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
