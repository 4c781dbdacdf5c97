import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import {
  type Browser,
  type BrowserContext,
  chromium,
  type Locator,
  type Page,
  type Worker,
} from "playwright";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { heldOutPath } from "#test/kit/earlier-held-out.ts";
import { CHROMIUM_FLAGS, ensureChromium, openContext } from "../kit/browser.ts";
import { openTestDevice, type TestDevice } from "../kit/devices/device.ts";
import {
  type CoordinatorProcess,
  freePort,
  openApi,
  spawnCoordinator,
  until,
} from "../kit/worlds/coordinator-process.ts";

/*
 * A real page whose engine is taken away in the middle of a training, in a federation that must keep its own pace:
 * WEBGL_lose_context, device.destroy, and workers that end or hang. Rules T1 to T4.
 */

const OTHERS = 4;
const ROOT = new URL("../..", import.meta.url).pathname;
/** Long enough to interrupt a training in the middle, and to notice a round that waits for its deadline. */
const TRAINING_MS = 120_000;
const EPOCHS = 60;
/** Of the page: 60 passes over them are over a thousand steps. */
const OWN_ROWS = 900;

const scratch = mkdtempSync(join(tmpdir(), "chorus-engine-loss-"));
const task = patient(bundledTask("digits", OTHERS + 1, 1));
let coordinator: CoordinatorProcess;
let browser: Browser;
const devices: TestDevice[] = [];
const contexts: BrowserContext[] = [];

function patient(plain: ReturnType<typeof bundledTask>) {
  const { aggregation, training } = plain;
  const deadlines = { ...aggregation.deadlines, recruitingMs: 240_000, trainingMs: TRAINING_MS };
  return {
    ...plain,
    training: { ...training, epochs: EPOCHS },
    aggregation: { ...aggregation, deadlines, cohortSizeMin: OTHERS },
  };
}

beforeAll(async () => {
  const heldOut = `${heldOutPath(scratch, task.slug, task.version)}.csv`;
  mkdirSync(join(heldOut, ".."), { recursive: true });
  const digits = join(ROOT, "coordinator/data/digits.csv");
  cpSync(digits, heldOut);
  const [header, ...rows] = readFileSync(digits, "utf8").trim().split("\n");
  writeFileSync(join(scratch, "own.csv"), [header, ...rows.slice(0, OWN_ROWS)].join("\n"));
  coordinator = await spawnCoordinator({ port: await freePort(), dataDir: scratch, pages: true });
  await openApi(coordinator.url).createTask(task);
  for (let seed = 1; seed <= OTHERS; seed++) {
    const device = await openTestDevice(coordinator.url, task, seed);
    device.enrolment.start();
    devices.push(device);
  }
  browser = await chromium.launch({
    executablePath: await ensureChromium(console.log),
    args: [...CHROMIUM_FLAGS],
  });
});
afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
});
afterAll(async () => {
  await browser?.close();
  await Promise.all(devices.map((device) => device.close()));
  await coordinator?.kill();
  rmSync(scratch, { recursive: true, force: true });
});

const bar = (page: Page): Locator => page.getByRole("region", { name: "Current state" });
const training = (page: Page): Locator => page.locator("section", { has: page.locator("#training") });

/** Opens a page that has agreed, has data and computes with `engine`. */
async function openPage(engine: string): Promise<Page> {
  const context = await openContext(browser, { reducedMotion: "reduce" });
  contexts.push(context);
  const page = await context.newPage();
  await page.goto(`${coordinator.url}/join/${task.slug}?engine=${engine}`);
  await page.getByRole("checkbox").check();
  await page.getByRole("button", { name: "Take part", exact: true }).click();
  await page.getByRole("button", { name: "Add a CSV file" }).click();
  await page.locator('input[type="file"][accept*="csv"]').first().setInputFiles(join(scratch, "own.csv"));
  await page.getByRole("button", { name: /[Aa]dd [\d,]+ row/ }).click();
  await page.getByText(`${OWN_ROWS} rows read`).waitFor();
  await training(page)
    .getByText(/, in use/)
    .waitFor({ timeout: 120_000 });
  return page;
}

type Scope = typeof globalThis & {
  _tfengine?: {
    startScope(name?: string): void;
    readonly backendInstance: {
      readonly gpgpu?: { readonly gl: WebGL2RenderingContext };
      readonly device?: { destroy(): void };
    };
    readonly state: { readonly numTensors: number };
  };
};

/** tfjs keeps its engine on the scope of its worker. */
async function engineWorkers(page: Page): Promise<Worker[]> {
  const found: Worker[] = [];
  for (const worker of page.workers()) {
    const has = await worker.evaluate(() => (globalThis as Scope)._tfengine !== undefined).catch(() => false);
    if (has) found.push(worker);
  }
  return found;
}

async function engineWorker(page: Page): Promise<Worker> {
  const [worker] = await engineWorkers(page);
  if (worker === undefined) throw new Error("no worker of the page has an engine");
  return worker;
}

async function participantWorker(page: Page): Promise<Worker> {
  const engines = await engineWorkers(page);
  const worker = page.workers().find((other) => !engines.includes(other));
  if (worker === undefined) throw new Error("the page has no worker");
  return worker;
}

type Loss = "context" | "device" | "end" | "memory" | "hang";

/** Steps of training until an engine is lost: after any evaluation of the first model, long before the last step. */
const STEPS_BEFORE = 200;

/**
 * Sets a trap in the page's engine: in the middle of its next training it loses what `loss` says. It is set in the worker
 * itself, since a worker that computes answers nobody outside.
 */
async function loseInTraining(page: Page, loss: Loss): Promise<void> {
  const worker = await engineWorker(page);
  await worker.evaluate(
    ({ loss, steps }) => {
      const engine = (globalThis as Scope)._tfengine;
      if (engine === undefined) throw new Error("this worker has no engine");
      const lose = {
        context: () => engine.backendInstance.gpgpu?.gl.getExtension("WEBGL_lose_context")?.loseContext(),
        device: () => engine.backendInstance.device?.destroy(),
        end: () => close(),
        // In the browser's own words. A browser that gives a worker all it asks for crashes the whole page, which no
        // page can handle.
        memory: () => {
          const refuse = (): never => {
            throw new RangeError("Array buffer allocation failed");
          };
          Object.defineProperty(globalThis, "Float32Array", { get: refuse });
        },
        hang: () => {
          for (;;);
        },
      };
      // Each step of training opens one scope.
      const startScope = engine.startScope.bind(engine);
      let left = steps;
      engine.startScope = (name) => {
        left -= 1;
        if (left === 0) lose[loss]();
        startScope(name);
      };
    },
    { loss, steps: STEPS_BEFORE },
  );
}

async function launchAndStart(page: Page, rounds: number): Promise<{ runId: string }> {
  const { runId } = await openApi(coordinator.url).launch({ task: task.slug, rounds, seed: 7 });
  await bar(page).getByRole("button", { name: "Start" }).click();
  return { runId };
}

async function expectToGoOn(page: Page, runId: string, next: RegExp): Promise<void> {
  const api = openApi(coordinator.url);
  await training(page).getByText(next).waitFor({ timeout: 60_000 });
  await until("the end of the run", 300_000, async () => (await api.run(runId)).state === "completed");
  const rounds = (await api.rounds(runId)).toSorted((left, right) => left.round - right.round);
  const committed = rounds.filter(({ phase }) => phase === "committed");
  expect(committed[0]?.survivors).toBe(OTHERS);
  expect(committed.at(-1)?.survivors).toBe(OTHERS + 1);
  // No round waited for the deadline of its training.
  for (const { openedAt, endedAt } of committed) {
    expect(Date.parse(endedAt ?? "") - Date.parse(openedAt)).toBeLessThan(TRAINING_MS);
  }
  expect(await page.getByText("In the sum", { exact: false }).count()).toBeGreaterThan(0);
}

/** Live tensors of each live engine in the page. */
async function liveTensors(page: Page): Promise<number[]> {
  const workers = await engineWorkers(page);
  return Promise.all(
    workers.map((worker) => worker.evaluate(() => (globalThis as Scope)._tfengine?.state.numTensors ?? -1)),
  );
}

describe("an engine that is taken away in the middle of a training", () => {
  test("[T1] [T2] [T3] WebGL: the page says so, leaves the round, and is in the next with WASM", async () => {
    const page = await openPage("webgl");
    await loseInTraining(page, "context");
    const { runId } = await launchAndStart(page, 3);
    await training(page)
      .getByText(/WebGL stopped at \d\d:\d\d:\d\d UTC: the browser took its graphics context away\./)
      .waitFor();
    await expectToGoOn(page, runId, /^(WASM|Processor alone), in use/);
    await bar(page).getByRole("button", { name: "Pause" }).click();
    await bar(page).getByText("Paused", { exact: true }).waitFor();
    // The lost engine's worker is gone, with its tensors.
    expect(await liveTensors(page)).toEqual([0]);
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations).toEqual([]);
    // A person may try it again.
    await page.locator("select").filter({ hasText: "timed again" }).selectOption({ label: "WebGL" });
    await training(page).getByText("WebGL, in use").waitFor({ timeout: 120_000 });
    expect(await liveTensors(page)).toEqual([0]);
  });

  test("[T1] [T2] [T3] WebGPU: a device that is destroyed", async () => {
    const page = await openPage("webgpu");
    await loseInTraining(page, "device");
    const { runId } = await launchAndStart(page, 3);
    await training(page)
      .getByText(/WebGPU stopped at .* its graphics device went away\./)
      .waitFor();
    await expectToGoOn(page, runId, /^(WASM|Processor alone), in use/);
  });

  test("[T1] [T2] its worker ends silently", async () => {
    const page = await openPage("wasm");
    await loseInTraining(page, "end");
    const { runId } = await launchAndStart(page, 3);
    await training(page)
      .getByText(/WASM stopped at .* its worker ended\./)
      .waitFor();
    await expectToGoOn(page, runId, /^Processor alone, in use/);
  });

  test("[T1] [T2] it is refused memory", async () => {
    const page = await openPage("wasm");
    await loseInTraining(page, "memory");
    const { runId } = await launchAndStart(page, 3);
    await training(page)
      .getByText(/WASM stopped at .* it ran out of memory\./)
      .waitFor();
    await expectToGoOn(page, runId, /^Processor alone, in use/);
  });

  test("[T1] [T2] its worker hangs: it is ended well before the others' deadline", async () => {
    const page = await openPage("wasm");
    await loseInTraining(page, "hang");
    const { runId } = await launchAndStart(page, 3);
    await training(page)
      .getByText(/WASM stopped at .* it stopped responding\./)
      .waitFor({ timeout: 60_000 });
    await expectToGoOn(page, runId, /^Processor alone, in use/);
  });
});

describe("the worker that takes part", () => {
  test("[T4] ends silently: the page says so, and takes part again with what it remembers", async () => {
    const page = await openPage("cpu");
    const { runId } = await launchAndStart(page, 3);
    await bar(page)
      .getByText(/pass(es)? over your .* drawings|Pass \d+ of/)
      .waitFor({ timeout: 120_000 });
    await (await participantWorker(page)).evaluate(() => close());
    await page.getByRole("heading", { name: "This page no longer takes part" }).waitFor();
    await page.getByText("The browser has stopped the worker that takes part for this page").waitFor();
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations).toEqual([]);
    await page.getByRole("button", { name: "Start again and take part" }).click();
    await training(page)
      .getByText(/, in use/)
      .waitFor({ timeout: 60_000 });
    const api = openApi(coordinator.url);
    await until("the end of the run", 300_000, async () => (await api.run(runId)).state === "completed");
    const rounds = (await api.rounds(runId)).toSorted((left, right) => left.round - right.round);
    const committed = rounds.filter(({ phase }) => phase === "committed");
    expect(committed.map(({ survivors }) => survivors).at(-1)).toBe(OTHERS + 1);
    for (const { openedAt, endedAt } of committed) {
      expect(Date.parse(endedAt ?? "") - Date.parse(openedAt)).toBeLessThan(TRAINING_MS);
    }
    await page.getByText("In the sum", { exact: false }).first().waitFor();
  });

  test("[T4] loses its storage to a newer page in another tab: it closes it and says so", async () => {
    const page = await openPage("cpu");
    const other = await page.context().newPage();
    // Whoever has not signed in is led from any other page to this one.
    await other.goto(`${coordinator.url}/sign-in`);
    const opened = await other.evaluate(
      async (name) => {
        const request = indexedDB.open(name, 999);
        return new Promise<string>((resolve) => {
          request.onsuccess = () => resolve("open");
          request.onerror = () => resolve("refused");
        });
      },
      `chorus ${new URL(coordinator.url).host}`,
    );
    expect(opened).toBe("open");
    await page.getByText("A newer version of this page was opened in another tab").waitFor();
    await page.getByText("Nothing is lost").waitFor();
  });

  test("[T4] finds its storage held by an older page: it says so, and starts when that page is gone", async () => {
    const context = await openContext(browser);
    contexts.push(context);
    const other = await context.newPage();
    // Whoever has not signed in is led from any other page to this one.
    await other.goto(`${coordinator.url}/sign-in`);
    await other.evaluate(
      async (name) => {
        const request = indexedDB.open(name, 1);
        // This page keeps the database, whoever asks for it.
        await new Promise<void>((resolve) => {
          request.onsuccess = () => resolve();
        });
        Object.assign(globalThis, { held: request.result });
      },
      `chorus ${new URL(coordinator.url).host}`,
    );
    const page = await context.newPage();
    await page.goto(`${coordinator.url}/join/${task.slug}`);
    await page.getByRole("heading", { name: "This page cannot start here yet" }).waitFor({ timeout: 60_000 });
    await page.getByText("Close the other tabs of this page, then try again.").waitFor();
    await other.close();
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("checkbox").waitFor();
  });
});
