/* Runs as their drivers leave them, after 20 rounds each: the same for both databases. */

export const TASKS = ["digits", "income", "lending", "sketches"] as const;
export const FIGURES = [
  "accuracy",
  "loss",
  "f1",
  "calibration",
  "device_kilobytes",
  "round_seconds",
] as const;

export interface BenchRun {
  readonly runId: string;
  readonly run: readonly (string | number | null)[];
  readonly tracked: readonly (string | number)[];
  readonly params: readonly (readonly [string, string])[];
  readonly metrics: readonly (readonly [string, number])[];
  readonly tags: readonly (readonly [string, string])[];
}

const ROUNDS = 20;
const FIRST_AT = 1_700_000_000_000;
/** What stands side by side in one table: in one order everything would be found at once. */
const mixed = (index: number, modulus: number) => (index * 7_919) % modulus;

export function benchRun(index: number): BenchRun {
  const runId = `0190${index.toString(16).padStart(28, "0")}`;
  const task = TASKS[index % TASKS.length] ?? "digits";
  const number = 1 + Math.floor(index / TASKS.length);
  const [createdAt, set] = [FIRST_AT + 60_000 * index, "a".repeat(64)];
  const roundsCommitted = mixed(index, ROUNDS + 1);
  const state = index % 10 === 0 ? "failed" : "completed";
  const figure = (which: number) => (which < 4 ? mixed(index + which, 1_000) / 1_000 : mixed(index, 5_000));
  const measures = {
    accuracy: { value: figure(0), halfWidth95: 0.02, count: 359 },
    loss: { value: figure(1), halfWidth95: 0.02, count: 359 },
  };
  const point = (round: number) => ({ round, measures, measuredOn: set });
  const view = {
    ...{ runId, task, number, taskVersion: 1, state, launchedBy: "ada", code: null, endedAt: null, seed: 1 },
    ...{ createdAt: new Date(createdAt).toISOString(), roundsPlanned: ROUNDS, roundsCommitted },
    ...{ strategy: { kind: "fedavg" }, training: { rate: 0.1 }, configHash: set },
    history: Array.from({ length: roundsCommitted }, (_, round) => point(round + 1)),
  };
  const newest = roundsCommitted === 0 ? null : { modelHash: set, measures, measuredOn: set };
  return {
    runId,
    run: [
      ...[runId, "default", task, 1, number, state, "ada", createdAt, JSON.stringify(view)],
      newest === null ? null : JSON.stringify(newest),
    ],
    tracked: [
      ...[runId, "default", String(1 + (index % TASKS.length)), `${task} run ${number}`, "ada"],
      ...[state === "failed" ? "FAILED" : "FINISHED", createdAt, createdAt + 50_000, "chorus:/"],
    ],
    params: [
      ["training.epochs", String(1 + (index % 5))],
      ["training.rate", String((1 + mixed(index, 100)) / 1_000)],
      ["training.batchSize", "32"],
      ["strategy.kind", "fedavg"],
      ["seed", String(index)],
      ["cohort.goal", "10"],
    ],
    metrics: FIGURES.map((key, which) => [key, figure(which)] as const),
    tags: [
      ["fl.task_id", task],
      ["note", `try ${mixed(index, 40)}`],
      ["mlflow.runName", `${task} run ${number}`],
    ],
  };
}
