import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { get } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { bundledTask } from "#coordinator/data/tasks.ts";
import type { RoundView } from "#shared/protocol/api.ts";
import { type Task, taskSchema } from "#shared/task/task.ts";
import { FLOODS, type Flood, type FloodOrder, type FromFlood } from "../kit/adversary/floods.ts";
import { asAdmin } from "../kit/worlds/as-admin.ts";
import { until } from "../kit/worlds/coordinator-process.ts";
import {
  openProcessFederation,
  type ProcessFederation,
  pictureTask,
} from "../kit/worlds/process-federation.ts";
import { type Bench, type BenchLine, type BenchOptions, compared, quantile } from "./line.ts";

/*
 * A run of ten devices while a stranger floods its coordinator from one process of the lowest priority. The control
 * floods a server of its own that does nothing, so the comparison shows what a flood costs beyond processor time.
 *
 * The bar: under each flood the event loop's lag stays under 50 ms (p99), and rounds take at most twice the control's
 * time.
 */

const SMALL = { deviceCounts: [3], hiddenUnits: 2, rounds: 1, otherTasks: 3 };
const FULL = { deviceCounts: [5, 5], hiddenUnits: 16, rounds: 8, otherTasks: 30 };
const WARM_UP_MS = 1_000;
const LIVEZ_EVERY_MS = 50;
const ROUND_WITHIN_MS = 120_000;
/** 17 million weights, and no held-out data to evaluate them on. */
const HOPELESS_UNITS = 20_000;

export const bench: Bench = { name: "floods", run };

async function* run({ small = false, only }: BenchOptions = {}): AsyncIterable<BenchLine> {
  const { deviceCounts, hiddenUnits, rounds, otherTasks } = small ? SMALL : FULL;
  const deviceCount = deviceCounts.reduce((sum, count) => sum + count, 0);
  const { aggregation } = bundledTask("fashion-mnist", deviceCount, 1);
  // With its own deadlines: a round that a flood delays too long fails.
  const task: Task = { ...pictureTask(deviceCount, hiddenUnits), aggregation };
  const federation = await openProcessFederation(task, deviceCounts);
  try {
    const hopelessTask = await createOtherTasks(federation, task, otherTasks);
    for (const device of federation.devices) device.send({ type: "start", held: false });
    await measureRun(federation, task.slug, 1);
    const names = { task: task.slug, hopelessTask };
    for (const flood of FLOODS.filter((name) => only === undefined || name.includes(only))) {
      const calm = await beside({ ...names, flood, url: null }, () =>
        measureRun(federation, task.slug, rounds),
      );
      const flooded = await beside({ ...names, flood, url: federation.url }, () =>
        measureRun(federation, task.slug, rounds),
      );
      yield* lines(flood, calm, flooded);
    }
  } finally {
    await federation.close();
  }
}

/** Fills the lists of tasks, and adds one task that cannot be launched. @returns its name. */
async function createOtherTasks({ api }: ProcessFederation, task: Task, count: number): Promise<string> {
  for (let index = 0; index < count; index++) await api.createTask({ ...task, slug: `other-${index}` });
  const hopeless = taskSchema.parse({
    ...task,
    slug: "hopeless",
    model: {
      ...task.model,
      layers: task.model.layers.map((layer) =>
        layer.name === "hidden" ? { ...layer, units: HOPELESS_UNITS } : layer,
      ),
    },
  });
  await api.createTask(hopeless);
  return hopeless.slug;
}

interface Measured<Value> {
  readonly value: Value;
  /** Number of messages or requests that the flood sent. */
  readonly sent: number;
}

/** Runs the flood before, during and after the work. */
async function beside<Value>(order: FloodOrder, work: () => Promise<Value>): Promise<Measured<Value>> {
  const path = fileURLToPath(new URL("../kit/children/flood.ts", import.meta.url));
  const child = fork(path, [JSON.stringify(order)], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  try {
    await heard(child, "begun");
    await pause(WARM_UP_MS);
    const value = await work();
    const ended = heard(child, "ended");
    child.send("end");
    const { sent } = await ended;
    if (sent === 0) throw new Error(`the flood "${order.flood}" sent nothing`);
    return { value, sent };
  } finally {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  }
}

async function heard<Type extends FromFlood["type"]>(
  child: ChildProcess,
  type: Type,
): Promise<Extract<FromFlood, { readonly type: Type }>> {
  for (;;) {
    const [message] = (await once(child, "message")) as [FromFlood];
    if (message.type === type) return message as Extract<FromFlood, { readonly type: Type }>;
  }
}

interface Run {
  readonly roundSeconds: readonly number[];
  readonly failedCount: number;
  readonly lagP99Ms: number;
  readonly livezMs: readonly number[];
}

async function measureRun({ api, url }: ProcessFederation, slug: string, count: number): Promise<Run> {
  // The figure covers the time since the last reading.
  await loopLagP99Ms(url);
  const alive = watchLivez(url);
  const { runId } = await api.launch({ task: slug, rounds: count, seed: 7 });
  await until("the end of a run", count * ROUND_WITHIN_MS, async () => {
    await pause(200);
    const { state } = await api.run(runId);
    return state === "completed" || state === "failed";
  });
  const livezMs = await alive.stop();
  const lagP99Ms = await loopLagP99Ms(url);
  const views = await api.rounds(runId);
  const committed = views.filter(({ phase }) => phase === "committed");
  if (committed.length === 0) throw new Error(`no round of ${count} was committed: ${views[0]?.code}`);
  return {
    roundSeconds: committed.map(secondsOf),
    failedCount: views.length - committed.length,
    lagP99Ms,
    livezMs,
  };
}

function secondsOf({ openedAt, endedAt }: RoundView): number {
  return (Date.parse(endedAt ?? openedAt) - Date.parse(openedAt)) / 1e3;
}

/** Polls like an operator's health check, with a new connection each time. */
function watchLivez(url: string): { stop(): Promise<number[]> } {
  const times: number[] = [];
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      const beganMs = performance.now();
      await new Promise<void>((resolve, reject) => {
        get(`${url}/livez`, { agent: false }, (response) => {
          response.resume();
          response.on("end", resolve);
        }).on("error", reject);
      });
      times.push(performance.now() - beganMs);
      await pause(LIVEZ_EVERY_MS);
    }
    return times;
  })();
  return {
    stop: () => {
      isOver = true;
      return watching;
    },
  };
}

async function loopLagP99Ms(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`, { headers: asAdmin(url) })).text();
  const seconds = /^chorus_event_loop_lag_seconds\{quantile="0.99"\} (\S+)$/m.exec(text)?.[1];
  if (seconds === undefined) throw new Error("/metrics says nothing of the event loop");
  return Number(seconds) * 1e3;
}

function* lines(flood: Flood, calm: Measured<Run>, flooded: Measured<Run>): Generator<BenchLine> {
  const control = "the same flood elsewhere";
  const figure = (name: string, unit: string, of: (run: Run) => number): BenchLine => {
    const value = of(flooded.value);
    const controlValue = of(calm.value);
    // A control value of zero has no ratio.
    const beside = controlValue > 0 ? compared(control, controlValue, value) : {};
    return { name: `${flood}: ${name}`, value, unit, ...beside };
  };
  yield figure("event loop lag p99", "ms", ({ lagP99Ms }) => lagP99Ms);
  yield figure("/livez p99", "ms", ({ livezMs }) => quantile(livezMs, 0.99));
  yield figure("round p50", "s", ({ roundSeconds }) => quantile(roundSeconds, 0.5));
  yield { name: `${flood}: rounds failed`, value: flooded.value.failedCount, unit: "" };
  yield { name: `${flood}: messages sent`, value: flooded.sent, unit: "" };
}
