import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright";
import { ensureWebBuild } from "#coordinator/adapters/web-build.ts";
import { bundledTask } from "#coordinator/data/tasks.ts";
import type { Task } from "#shared/task/task.ts";
import { heldOutPath } from "#test/kit/earlier-held-out.ts";
import { CHROMIUM_FLAGS, ensureChromium, openContext } from "../kit/browser.ts";
import { openTestDevice, type TestDevice } from "../kit/devices/device.ts";
import { asAdmin } from "../kit/worlds/as-admin.ts";
import { freePort, openApi, spawnCoordinator, until } from "../kit/worlds/coordinator-process.ts";
import { type Bench, type BenchLine, type BenchOptions, compared, quantile } from "./line.ts";

/*
 * The first verification of a round in a browser that knows nothing of the log: from the click that leads to the page, and
 * from its address in an empty browser, until the page says what it has checked. The floor, in turn and in a browser as new:
 * the same answers fetched at once, and nothing done with them.
 */

const DEVICES = 4;
const WITHIN_MS = 600_000;
const BAR_MS = 1_000;
const VERIFIED = /statements? about this round\./;

export const bench: Bench = { name: "audit", run };

async function* run({ small = false }: BenchOptions = {}): AsyncIterable<BenchLine> {
  const visits = small ? 1 : 15;
  await ensureWebBuild(
    () => console.error("Building the pages ..."),
    (text) => process.stderr.write(text),
  );
  const dataDir = mkdtempSync(join(tmpdir(), "chorus-bench-audit-"));
  const task = bundledTask("digits", DEVICES, 1);
  const heldOut = `${heldOutPath(dataDir, task.slug, task.version)}.csv`;
  mkdirSync(join(heldOut, ".."), { recursive: true });
  cpSync(new URL("../../coordinator/data/digits.csv", import.meta.url), heldOut);
  const coordinator = await spawnCoordinator({ port: await freePort(), dataDir, pages: true });
  const browser = await chromium.launch({
    executablePath: await ensureChromium(() => {}),
    args: [...CHROMIUM_FLAGS],
  });
  try {
    const roundId = await committedRound(coordinator.url, task);
    const clicked: number[] = [];
    const opened: number[] = [];
    const floor: { ms: number; byteCount: number }[] = [];
    // One more, which is not counted: it warms the server.
    for (let visit = 0; visit <= visits; visit++) {
      const { tookMs, urls } = await clickTo(browser, coordinator.url, roundId);
      const fetched = await fetchAgain(browser, coordinator.url, urls);
      const open = await openAt(browser, coordinator.url, roundId);
      if (visit === 0) continue;
      clicked.push(tookMs);
      opened.push(open);
      floor.push(fetched);
    }
    const floorMs = floor.map(({ ms }) => ms);
    for (const [label, share] of [
      ["p50", 0.5],
      ["highest", 1],
    ] as const) {
      const value = quantile(clicked, share);
      const name = `click to verified, ${label}`;
      yield {
        name,
        value,
        unit: "ms",
        ...compared("the same answers fetched", quantile(floorMs, share), value),
      };
      yield { name: `${name}, bar`, value, unit: "ms", ...compared("bar", BAR_MS, value) };
    }
    yield { name: "address opened to verified, p50", value: quantile(opened, 0.5), unit: "ms" };
    const bytes = floor.map(({ byteCount }) => byteCount);
    yield { name: "answers read for it", value: quantile(bytes, 0.5) / 1e3, unit: "kB" };
  } finally {
    await browser.close();
    await coordinator.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** Two rounds by real devices. @returns The second. */
async function committedRound(url: string, task: Task): Promise<string> {
  const api = openApi(url);
  await api.createTask(task);
  const devices: TestDevice[] = [];
  try {
    for (let seed = 1; seed <= DEVICES; seed++) {
      const device = await openTestDevice(url, task, seed);
      device.enrolment.start();
      devices.push(device);
    }
    const { runId } = await api.launch({ task: task.slug, rounds: 2, seed: 1 });
    await until("two rounds", WITHIN_MS, async () => (await api.run(runId)).state === "completed");
    const round = (await api.rounds(runId)).find((one) => one.round === 2);
    if (round?.phase !== "committed") throw new Error(`round 2 ended as ${round?.phase}: ${round?.code}`);
    return round.roundId;
  } finally {
    await Promise.all(devices.map((device) => device.close()));
  }
}

/** As someone who may read the round, by a token. */
async function inNewPage<Value>(
  browser: Browser,
  url: string,
  work: (page: Page) => Promise<Value>,
): Promise<Value> {
  const context = await openContext(browser, { extraHTTPHeaders: asAdmin(url) });
  try {
    return await work(await context.newPage());
  } finally {
    await context.close();
  }
}

/** @returns What was fetched between the click and the verdict, too. */
function clickTo(browser: Browser, url: string, roundId: string) {
  return inNewPage(browser, url, async (page) => {
    await page.goto(`${url}/rounds/${roundId}`);
    const link = page.locator(`a[href="/audit/rounds/${roundId}"]`).first();
    await link.waitFor();
    // As a reader does: what the page fetches ahead is there.
    await page.waitForLoadState("networkidle");
    const urls: string[] = [];
    page.on("requestfinished", (request) => {
      if (request.method() === "GET" && /\/(log|api)\//.test(request.url())) urls.push(request.url());
    });
    const tookMs = await link.evaluate(clickUntilVerified, VERIFIED.source);
    if (urls.length === 0) throw new Error("nothing was read for the verdict");
    return { tookMs, urls };
  });
}

/** Runs in the page. */
function clickUntilVerified(link: Element, verified: string): Promise<number> {
  const pattern = new RegExp(verified);
  return new Promise((resolve) => {
    const beganMs = performance.now();
    const look = () => {
      if (pattern.test(document.querySelector("p.lead")?.textContent ?? ""))
        resolve(performance.now() - beganMs);
      else requestAnimationFrame(look);
    };
    (link as HTMLElement).click();
    look();
  });
}

/** From the beginning of the navigation, with an empty cache: scripts and styles included. */
function openAt(browser: Browser, url: string, roundId: string): Promise<number> {
  return inNewPage(browser, url, async (page) => {
    await page.goto(`${url}/audit/rounds/${roundId}`, { waitUntil: "commit" });
    const verified = await page.waitForFunction(
      (pattern) =>
        new RegExp(pattern).test(document.querySelector("p.lead")?.textContent ?? "") && performance.now(),
      VERIFIED.source,
    );
    return Number(await verified.jsonValue());
  });
}

function fetchAgain(browser: Browser, url: string, urls: readonly string[]) {
  return inNewPage(browser, url, async (page) => {
    // A page of the same origin that asks for nothing itself.
    await page.goto(`${url}/icon.svg`);
    return page.evaluate(async (all) => {
      const beganMs = performance.now();
      const answers = await Promise.all(
        all.map(async (one) => (await fetch(one, { cache: "no-store" })).arrayBuffer()),
      );
      return {
        ms: performance.now() - beganMs,
        byteCount: answers.reduce((sum, bytes) => sum + bytes.byteLength, 0),
      };
    }, urls);
  });
}
