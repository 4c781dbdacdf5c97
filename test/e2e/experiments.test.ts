import type { ChildProcess } from "node:child_process";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CHROMIUM_FLAGS, ensureChromium, openContext } from "#test/kit/browser.ts";
import { axeFindings, buildPages, openPage, overflowOf, startFakeApi } from "#test/kit/worlds/web-pages.ts";

/* Runs and versions side by side, in a real browser over made-up figures and the real search. */

let browser: Browser;
let base: string;
let server: ChildProcess;

beforeAll(async () => {
  await buildPages();
  ({ base, child: server } = await startFakeApi("--at", "52"));
  browser = await chromium.launch({
    executablePath: await ensureChromium(console.log),
    args: [...CHROMIUM_FLAGS],
  });
});

afterAll(async () => {
  await browser?.close();
  server?.kill();
});

async function open(path: string): Promise<{ context: BrowserContext; page: Page }> {
  const context = await openContext(browser);
  const { page } = await openPage(context, base + path);
  return { context, page };
}

const runsTable = (page: Page) => page.getByRole("table", { name: "Runs", exact: true });
const addressOf = (page: Page, name: string) => new URL(page.url()).searchParams.get(name);

test("[V12] a filter stands in the address, and one that is wrong says what was probably meant", async () => {
  const { context, page } = await open("/experiments");
  await runsTable(page).waitFor();
  const rows = () => runsTable(page).getByRole("row").count();
  const all = await rows();
  const filter = page.getByLabel("Filter", { exact: true });
  await filter.fill("task = 'digits'");
  await filter.press("Enter");
  await expect.poll(rows).toBeLessThan(all);
  const found = await rows();
  expect(addressOf(page, "filter")).toBe("task = 'digits'");
  await filter.fill("metrics.acuracy > 0.9");
  await filter.press("Enter");
  await page.getByText("There is no measure ‘acuracy’. Did you mean accuracy?").waitFor();
  expect(await rows()).toBe(found);
  await filter.fill("task = 'digits'");
  await filter.press("Enter");
  await page.getByText("There is no measure").waitFor({ state: "hidden" });
  await page.reload();
  await expect.poll(rows).toBe(found);
  await context.close();
});

test("[V12] [V13] columns of any param, an order, and a view with a name that shows them again", async () => {
  const { context, page } = await open("/experiments?filter=task%20%3D%20'digits'");
  await runsTable(page).waitFor();
  await page.getByText(/^Columns, \d+ of \d+$/).click();
  await page.getByRole("checkbox", { name: "training.optimizer.kind", exact: true }).check();
  await runsTable(page).getByRole("columnheader", { name: "training.optimizer.kind" }).waitFor();
  await page.getByLabel("Order by").selectOption("figure");
  await runsTable(page).getByRole("columnheader", { name: "Newest figure ↓" }).waitFor();
  await page.getByText(/^Save as…/).click();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("Give the view a name.").waitFor();
  await page.getByLabel("Name of this view").fill("clip");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("Saved as ‘clip’.").waitFor();
  expect(await axeFindings(page)).toEqual([]);
  await page.goto(`${base}/experiments`);
  await page.getByText("Save as… (1 saved)").click();
  await page.getByRole("link", { name: "clip", exact: true }).click();
  await runsTable(page).getByRole("columnheader", { name: "training.optimizer.kind" }).waitFor();
  expect(addressOf(page, "sort")).toBe("-figure");
  expect(addressOf(page, "filter")).toBe("task = 'digits'");
  await page.getByText(/^Download \d+ runs?…$/).click();
  const href = await page.getByRole("link", { name: /filter finds, Parquet$/ }).getAttribute("href");
  expect(href).toContain("/api/v1/experiments/files/parquet?filter=task");
  await context.close();
});

test("[V12] [V14] ticked runs share a chart, and a scatter says what it leaves out", async () => {
  const { context, page } = await open("/experiments?filter=task%20%3D%20'digits'");
  await runsTable(page).waitFor();
  const boxes = runsTable(page).getByRole("checkbox");
  const count = Math.min(3, await boxes.count());
  for (let index = 0; index < count; index++) await boxes.nth(index).check();
  await page.getByRole("heading", { name: count === 2 ? "Two runs" : "Ticked runs" }).waitFor();
  expect(addressOf(page, "chosen")?.split(",")).toHaveLength(count);
  await page.getByRole("heading", { name: "One against one" }).scrollIntoViewIfNeeded();
  await page.getByRole("combobox", { name: /^Task/ }).selectOption("digits");
  await page
    .getByText(/left out|against/)
    .first()
    .waitFor();
  await page.setViewportSize({ width: 375, height: 800 });
  await expect.poll(() => overflowOf(page)).toBeLessThanOrEqual(0);
  expect(await axeFindings(page)).toEqual([]);
  await context.close();
});

test("[V14] the runs of the scatter are fetched once it is in sight", async () => {
  const context = await openContext(browser, { viewport: { width: 1280, height: 300 } });
  let fetched = 0;
  // A page of the table is shorter.
  context.on("request", (request) => {
    if (/\/experiments\?.*limit=100&/.test(request.url())) fetched += 1;
  });
  const { page } = await openPage(context, `${base}/experiments`);
  await runsTable(page).waitFor();
  const heading = page.getByRole("heading", { name: "One against one" });
  expect((await heading.boundingBox())?.y).toBeGreaterThan(700);
  await page.waitForLoadState("networkidle");
  expect(fetched).toBe(0);
  await heading.scrollIntoViewIfNeeded();
  await expect.poll(() => fetched).toBeGreaterThan(0);
  await page.getByRole("combobox", { name: /^Task/ }).waitFor();
  await context.close();
});

test("[V15] [V16] a model's page compares two versions, shows gates as they were, and leads to what a version is from", async () => {
  const { context, page } = await open("/models/digits");
  await page.getByRole("heading", { name: "Gates" }).waitFor();
  await page.getByRole("heading", { name: /^Not promoted, / }).waitFor();
  await page.getByRole("table", { name: /^Gates of version \d+, as they were/ }).waitFor();
  const versions = page.getByLabel("Version", { exact: true });
  const last = await versions.locator("option").last().getAttribute("value");
  await versions.selectOption(last ?? "");
  expect(addressOf(page, "gates")).toBe(last);
  await page.getByRole("button", { name: "Compare", exact: true }).click();
  expect(addressOf(page, "compare")).toMatch(/^\d+-\d+$/);
  const lineage = page.getByRole("navigation", { name: "Lineage" });
  expect(
    await lineage
      .getByRole("link", { name: /^run \d+$/ })
      .first()
      .getAttribute("href"),
  ).toMatch(/^\/runs\//);
  expect(
    await lineage
      .getByRole("link", { name: /^its data/ })
      .first()
      .getAttribute("href"),
  ).toBe("/tasks/digits#card");
  expect(await axeFindings(page)).toEqual([]);
  await context.close();
});

test("[V16] the first page leads to the files of a model with one click", async () => {
  const { context, page } = await open("/");
  await page.getByRole("button", { name: "Files of the model of digits" }).click();
  const onnx = page.getByRole("link", { name: "ONNX", exact: true });
  expect(await onnx.getAttribute("href")).toMatch(/^\/api\/v1\/tasks\/digits\/models\/\d+\/exports\/onnx$/);
  expect(await axeFindings(page)).toEqual([]);
  await context.close();
});
