import type { ChildProcess } from "node:child_process";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runViewSchema } from "#shared/protocol/api.ts";
import { CHROMIUM_FLAGS, ensureChromium, openContext } from "#test/kit/browser.ts";
import { buildPages, startFakeApi } from "#test/kit/worlds/web-pages.ts";

/* The dashboard while its figures are on their way, and its long lists. */

let browser: Browser;
let base: string;
let server: ChildProcess;
const ids = new Map<string, { runId: string; roundId: string | undefined }>();

beforeAll(async () => {
  await buildPages();
  ({ base, child: server } = await startFakeApi("--gallery"));
  const body = (await (await fetch(`${base}/api/v1/runs`)).json()) as { items: unknown[] };
  for (const run of body.items.map((item) => runViewSchema.parse(item))) {
    const name = `${run.state} ${run.currentRound?.joined ?? 0}`;
    ids.set(name, { runId: run.runId, roundId: run.currentRound?.roundId });
    if (run.roundsPlanned === 120) ids.set("long", { runId: run.runId, roundId: run.currentRound?.roundId });
  }
  browser = await chromium.launch({
    executablePath: await ensureChromium(console.log),
    args: [...CHROMIUM_FLAGS],
  });
});

afterAll(async () => {
  await browser?.close();
  server?.kill();
});

const SLOW_MS = 400;

/** A page whose every answer comes late, each a little later than the one before. */
async function openSlowly(context: BrowserContext, path: string): Promise<Page> {
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
  await page.goto(base + path);
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.waitForLoadState("networkidle");
  return page;
}

const shiftOf = (page: Page): Promise<number> =>
  page.evaluate(() => (window as unknown as { shifts: number[] }).shifts.reduce((sum, one) => sum + one, 0));

const PAGES = {
  home: () => "/",
  "a live run": () => `/runs/${ids.get("running 24")?.runId}`,
  "a run that is over": () => `/runs/${ids.get("completed 8")?.runId}`,
  "a round": () => `/rounds/${ids.get("completed 8")?.roundId}`,
} as const;

describe.each(Object.entries(PAGES))("[V6] %s over slow data", (_name, path) => {
  test.each([1440, 375])("at %i px holds its layout", async (width) => {
    const context = await openContext(browser, { viewport: { width, height: 900 }, reducedMotion: "reduce" });
    const page = await openSlowly(context, path());
    expect(await shiftOf(page)).toBeLessThanOrEqual(0.05);
    await context.close();
  });
});

test("[V6] the measure sees a page that moves", async () => {
  const context = await openContext(browser, { viewport: { width: 1440, height: 900 } });
  const page = await openSlowly(context, "/");
  const before = await shiftOf(page);
  await page.evaluate(() => document.querySelector("main")?.style.setProperty("padding-top", "300px"));
  await expect.poll(() => shiftOf(page)).toBeGreaterThan(before + 0.05);
  await context.close();
});

describe("[V5] a long list", () => {
  test("shows more than one answer of the coordinator holds, and its address keeps that", async () => {
    const context = await openContext(browser);
    const page = await context.newPage();
    await page.goto(`${base}/runs/${ids.get("long")?.runId}`);
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
});
