import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Page } from "playwright";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { heldOutPath } from "#test/kit/earlier-held-out.ts";
import { CHROMIUM_FLAGS, ensureChromium } from "../kit/browser.ts";
import { openTestDevice, type TestDevice } from "../kit/devices/device.ts";
import { openApi, spawnCoordinator, until } from "../kit/worlds/coordinator-process.ts";
import type { Bench, BenchLine, BenchOptions } from "./line.ts";

/*
 * A participant's page while it takes part: tasks of over 50 ms on its main thread (the browser's own "longtask"
 * entries, only from training rounds), and live tensors in its worker after the first and the last round.
 */

const root = new URL("../..", import.meta.url).pathname;
const OTHERS = 4;
const PORT = 4_660;
const LONG_TASK_MS = 50;
const WITHIN_MS = 600_000;

export const bench: Bench = { name: "page", run };

async function* run({ small = false }: BenchOptions = {}): AsyncIterable<BenchLine> {
  const rounds = small ? 2 : 10;
  const task = bundledTask("digits", OTHERS + 1, 1);
  const dataDir = mkdtempSync(join(tmpdir(), "chorus-page-"));
  const heldOut = `${heldOutPath(dataDir, task.slug, task.version)}.csv`;
  mkdirSync(join(heldOut, ".."), { recursive: true });
  cpSync(join(root, "coordinator/data/digits.csv"), heldOut);
  const coordinator = await spawnCoordinator({ port: PORT, dataDir, pages: true });
  const browser = await chromium.launch({
    executablePath: await ensureChromium(() => {}),
    args: [...CHROMIUM_FLAGS],
  });
  const devices: TestDevice[] = [];
  try {
    const api = openApi(coordinator.url);
    await api.createTask(task);
    for (let seed = 1; seed <= OTHERS; seed++) {
      const device = await openTestDevice(coordinator.url, task, seed);
      device.enrolment.start();
      devices.push(device);
    }
    const page = await browser.newPage();
    await takePart(page, `${coordinator.url}/join/${task.slug}`, join(root, "coordinator/data/digits.csv"));
    await watchLongTasks(page);
    // Two runs: after a run nothing trains, so tensors that are live then were left behind.
    const train = async (count: number) => {
      const { runId } = await api.launch({ task: task.slug, rounds: count, seed: 1 });
      await until(`${count} rounds`, WITHIN_MS, async () => (await api.run(runId)).state === "completed");
      return heldBufferCount(page);
    };
    const first = await train(1);
    const last = await train(rounds - 1);
    const longTasks = await longTasksMs(page);
    yield {
      name: `tasks over ${LONG_TASK_MS} ms in ${rounds} rounds`,
      value: longTasks.length,
      unit: "tasks",
    };
    yield { name: "longest of them", value: Math.max(0, ...longTasks), unit: "ms" };
    yield { name: "live tensors after round 1", value: first, unit: "tensors" };
    yield { name: `live tensors after round ${rounds}`, value: last, unit: "tensors" };
  } finally {
    await browser.close();
    await Promise.all(devices.map((device) => device.close()));
    await coordinator.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function takePart(page: Page, url: string, csv: string): Promise<void> {
  await page.goto(url);
  await page.getByRole("checkbox").check();
  await page.getByRole("button", { name: "Take part" }).click();
  await page.getByRole("button", { name: "Add a CSV file" }).click();
  await page.locator('input[type="file"][accept*="csv"]').first().setInputFiles(csv);
  await page.getByRole("button", { name: /[Aa]dd [\d,]+ row/ }).click();
  await page.getByText(/, stored in this browser and nowhere else\.$/).waitFor();
  await page.getByRole("button", { name: "Start" }).first().click();
}

/** Stored on the page's own window until `longTasksMs` reads it. */
type Watched = typeof globalThis & { longTasksMs?: number[] };

async function watchLongTasks(page: Page): Promise<void> {
  await page.evaluate(() => {
    const durations: number[] = [];
    (globalThis as Watched).longTasksMs = durations;
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) durations.push(duration);
    }).observe({ type: "longtask" });
  });
}

async function longTasksMs(page: Page): Promise<number[]> {
  return page.evaluate(() => (globalThis as Watched).longTasksMs ?? []);
}

/** tfjs keeps its engine on the global scope of its worker. @throws Error if none is found. */
async function heldBufferCount(page: Page): Promise<number> {
  for (const worker of page.workers()) {
    const count = await worker.evaluate(() => {
      const scope = globalThis as { _tfengine?: { state: { numTensors: number } } };
      return scope._tfengine?.state.numTensors ?? null;
    });
    if (count !== null) return count;
  }
  throw new Error("no worker of the page has an engine");
}
