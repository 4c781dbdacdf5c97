import type { ChildProcess } from "node:child_process";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunView, runViewSchema } from "#shared/protocol/api.ts";
import { CHROMIUM_FLAGS, ensureChromium, openContext } from "#test/kit/browser.ts";
import { runId } from "#test/kit/worlds/fake-rounds.ts";
import { buildPages, startFakeApi } from "#test/kit/worlds/web-pages.ts";

/* The dashboard while its figures are on their way, and its long lists. */

let browser: Browser;
let base: string;
/** Of a coordinator on which no run goes on. */
let restBase: string;
const servers: ChildProcess[] = [];
let runs: readonly RunView[];

async function serve(cast: string): Promise<string> {
  const { base: at, child } = await startFakeApi("--cast", cast);
  servers.push(child);
  return at;
}

/** @param name  As the fake federation calls it. */
function run(name: string): RunView {
  const found = runs.find((one) => one.runId === runId(name));
  if (found === undefined) throw new Error(`no run ${name}`);
  return found;
}

beforeAll(async () => {
  await buildPages();
  base = await serve("gallery");
  restBase = await serve("over");
  const body = (await (await fetch(`${base}/api/v1/runs`)).json()) as { items: unknown[] };
  runs = body.items.map((item) => runViewSchema.parse(item));
  browser = await chromium.launch({
    executablePath: await ensureChromium(console.log),
    args: [...CHROMIUM_FLAGS],
  });
});

afterAll(async () => {
  await browser?.close();
  for (const server of servers) server.kill();
});

const SLOW_MS = 400;

/** A page whose every answer comes late, each a little later than the one before. */
async function openSlowly(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage();
  let count = 0;
  await page.route("**/api/v1/**", async (route) => {
    count += 1;
    await new Promise((resolve) => setTimeout(resolve, SLOW_MS + 60 * count));
    await route.continue();
  });
  await page.addInitScript(() => {
    const shifts: number[] = [];
    Object.assign(window, { shifts });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) shifts.push((entry as unknown as { value: number }).value);
    }).observe({ type: "layout-shift", buffered: true });
  });
  await page.goto(url);
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.waitForLoadState("networkidle");
  return page;
}

const shiftOf = (page: Page): Promise<number> =>
  page.evaluate(() => (window as unknown as { shifts: number[] }).shifts.reduce((sum, one) => sum + one, 0));

const PAGES = {
  home: () => `${base}/`,
  "home at rest": () => `${restBase}/`,
  "a launch of one task": () => `${base}/?task=hmda#launch`,
  "a live run": () => `${base}/runs/${runId("early 24")}`,
  "a run that is over": () => `${base}/runs/${runId("opened 8")}`,
  "a run that someone stopped": () => `${base}/runs/${runId("stopped 8")}`,
  "a round": () => `${base}/rounds/${run("opened 8").currentRound?.roundId}`,
  "a round that someone stopped": () => `${base}/rounds/${run("stopped 8").currentRound?.roundId}`,
} as const;

describe.each(Object.entries(PAGES))("[V6] %s over slow data", (_name, url) => {
  test.each([1440, 375])("at %i px holds its layout", async (width) => {
    const context = await openContext(browser, { viewport: { width, height: 900 }, reducedMotion: "reduce" });
    const page = await openSlowly(context, url());
    expect(await shiftOf(page)).toBeLessThanOrEqual(0.05);
    await context.close();
  });
});

test("[V6] the measure sees a page that moves", async () => {
  const context = await openContext(browser, { viewport: { width: 1440, height: 900 } });
  const page = await openSlowly(context, `${base}/`);
  const before = await shiftOf(page);
  await page.evaluate(() => document.querySelector("main")?.style.setProperty("padding-top", "300px"));
  await expect.poll(() => shiftOf(page)).toBeGreaterThan(before + 0.05);
  await context.close();
});

describe("[V5] a long list", () => {
  test("shows more than one answer of the coordinator holds, and its address keeps that", async () => {
    const context = await openContext(browser);
    const page = await context.newPage();
    await page.goto(`${base}/runs/${runId("long")}`);
    const section = page.getByRole("region", { name: "What happened" });
    await section.getByText("12 of more than 50").waitFor();
    expect(await section.getByRole("listitem").count()).toBe(12);
    await section.getByRole("button", { name: "Show more" }).click();
    await expect.poll(() => section.getByRole("listitem").count()).toBe(62);
    expect(new URL(page.url()).searchParams.get("events")).toBe("62");
    await page.reload();
    await expect.poll(() => section.getByRole("listitem").count()).toBe(62);
    const first = page.getByRole("region", { name: "Rounds", exact: true });
    await first.getByText("8 of 108").waitFor();
    await first.getByRole("button", { name: "Show more" }).click();
    await first.getByText("58 of 108").waitFor();
    await first.getByRole("button", { name: "Show more" }).click();
    await first.getByText("of 108").waitFor({ state: "detached" });
    await context.close();
  });

  test("[V5] of runs is whole on the first page and on a task's, and a run that goes on is never too old", async () => {
    const at = await serve("many");
    const context = await openContext(browser);
    const page = await context.newPage();
    await page.goto(`${at}/`);
    // It is the 61st of the coordinator's list.
    await page.getByRole("region", { name: "Going on now" }).getByText("hmda, run 7").waitFor();
    const ended = page.getByRole("region", { name: "Ended" });
    await ended.getByText("8 of more than 50").waitFor();
    await ended.getByRole("button", { name: "Show more" }).click();
    await ended.getByText("58 of").waitFor();
    await ended.getByRole("button", { name: "Show more" }).click();
    await ended.getByRole("button", { name: "Show more" }).waitFor({ state: "detached" });
    expect(await ended.getByRole("link").count()).toBe(61);
    expect(await ended.getByText("hmda, run 7").count()).toBe(0);
    await page.goto(`${at}/tasks/hmda`);
    await page.getByRole("region", { name: "Runs" }).getByText("run 7").waitFor();
    await context.close();
  });
});
