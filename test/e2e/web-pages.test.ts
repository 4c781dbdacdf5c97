import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunView, runViewSchema } from "#shared/protocol/api.ts";
import { CHROMIUM_FLAGS, ensureChromium, openContext } from "#test/kit/browser.ts";

/*
 * The dashboard's pages in a real browser, served as the coordinator serves them, over made-up figures. What they show
 * of a real federation is tested with the real coordinator.
 */

let browser: Browser;
let base: string;
let server: ChildProcess;
let runs: RunView[];

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, () => resolve()));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function startApi(port: number, ...flags: string[]): Promise<ChildProcess> {
  const child = spawn(
    process.execPath,
    [join("test", "kit", "fake-api.ts"), "--port", String(port), ...flags],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on("data", (text: Buffer) => text.includes("http://localhost") && resolve());
    child.on("exit", (code) => reject(new Error(`the stand-in API ended with ${code}`)));
  });
  return child;
}

beforeAll(async () => {
  const built = spawnSync(join("node_modules", ".bin", "next"), ["build", "web"], { encoding: "utf8" });
  expect(built.status, built.stdout + built.stderr).toBe(0);
  const port = await freePort();
  base = `http://localhost:${port}`;
  server = await startApi(port, "--at", "52");
  const body = (await (await fetch(`${base}/api/v1/runs`)).json()) as { items: unknown[] };
  runs = body.items.map((run) => runViewSchema.parse(run));
  browser = await chromium.launch({
    executablePath: await ensureChromium(console.log),
    args: [...CHROMIUM_FLAGS],
  });
});

afterAll(async () => {
  await browser?.close();
  server?.kill();
});

const run = (task: string, number: number): RunView => {
  const found = runs.find((candidate) => candidate.task === task && candidate.number === number);
  if (found === undefined) throw new Error(`no run ${number} of ${task}`);
  return found;
};

const PAGES = {
  home: () => "/",
  "a large live run": () => `/runs/${run("hmda", 7).runId}`,
  "a run of eight": () => `/runs/${run("digits", 3).runId}`,
  "a run that waits": () => `/runs/${run("hmda", 9).runId}`,
  "a run in the queue": () => `/runs/${run("hmda", 10).runId}`,
  "an opened round": () => `/rounds/${run("digits", 3).currentRound?.roundId}`,
  "a round in groups": () => `/rounds/${run("hmda", 7).currentRound?.roundId}`,
  "a given-up round": () => `/rounds/${run("digits", 1).currentRound?.roundId}`,
  "what could be learnt": () => "/join/digits/learnt",
  "no page": () => "/nowhere",
} as const;

/** Opens a page and collects what the browser complains of, refusals of the content security policy included. */
async function open(context: BrowserContext, path: string): Promise<{ page: Page; complaints: string[] }> {
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    const missing = path === PAGES["no page"]() && message.text().includes("404");
    if (message.type() === "error" && !missing) complaints.push(message.text());
  });
  await page.goto(base + path);
  await page.getByRole("heading", { level: 1 }).waitFor();
  const whole = /SQLite database|Every number here follows|There is no page/;
  await page.getByText(whole).first().waitFor();
  return { page, complaints };
}

describe.each(Object.entries(PAGES))("%s", (_name, path) => {
  test.each([
    { width: 1440, colorScheme: "light" },
    { width: 375, colorScheme: "dark" },
  ] as const)("at $width px, $colorScheme: axe finds nothing, the policy refuses nothing", async (mode) => {
    const { width, colorScheme } = mode;
    const context = await openContext(browser, { viewport: { width, height: 900 }, colorScheme });
    const { page, complaints } = await open(context, path());
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ""}`)).toEqual([]);
    expect(complaints).toEqual([]);
    await context.close();
  });
  test("nothing scrolls sideways, down to 320 px", async () => {
    const context = await openContext(browser, { reducedMotion: "reduce" });
    const { page } = await open(context, path());
    for (const width of [320, 375, 768, 1025]) {
      await page.setViewportSize({ width, height: 900 });
      const over = () => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      await expect.poll(over).toBeLessThanOrEqual(0);
    }
    await context.close();
  });
});

test("axe does find a planted fault, and the policy does refuse a planted style", async () => {
  const context = await openContext(browser);
  const { page, complaints } = await open(context, "/");
  await page.evaluate(() => {
    document.body.insertAdjacentHTML("beforeend", '<img src="data:," style="color:red">');
  });
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id }) => id)).toContain("image-alt");
  await expect.poll(() => complaints.join()).toContain("Content Security Policy");
  await context.close();
});

test("arrow keys read a chart and the score", async () => {
  const context = await openContext(browser);
  const { page } = await open(context, PAGES["a run of eight"]());
  const chart = page.getByRole("group", { name: "Accuracy; arrow keys read the values" });
  await chart.focus();
  await page.keyboard.press("ArrowRight");
  await page.getByText("Round 0: held-out accuracy 0.100").waitFor();
  await page.keyboard.press("End");
  await page.getByText(/^Round 7: held-out accuracy/).waitFor();
  await page.getByRole("group", { name: /^Score of the round/ }).focus();
  await page.keyboard.press("End");
  await page.getByText(/^At 9\ss: 8 devices joined/).waitFor();
  await page.keyboard.press("Escape");
  await page.getByText(/^At 9\ss/).waitFor({ state: "detached" });
  await context.close();
});

test("a chart gives its figures as a table, a CSV and an SVG that needs no style sheet", async () => {
  const context = await openContext(browser);
  const { page } = await open(context, PAGES["a run of eight"]());
  await page.getByRole("button", { name: "Table of accuracy" }).click();
  const rows = page.getByRole("group", { name: "Accuracy as a table" }).getByRole("row");
  expect(await rows.count()).toBe(run("digits", 3).history.length + 1);
  const text = async (name: string) => {
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name }).click(),
    ]);
    const stream = await download.createReadStream();
    let all = "";
    for await (const chunk of stream) all += String(chunk);
    return all;
  };
  const csv = (await text("CSV of accuracy")).trim().split("\r\n");
  expect(csv[0]).toContain("held-out accuracy");
  expect(Number(csv[1]?.split(",")[1])).toBeCloseTo(
    run("digits", 3).history[0]?.accuracy.value ?? Number.NaN,
    12,
  );
  const svg = await text("SVG of accuracy");
  expect(/var\(|class=|lab\(|oklch\(/.test(svg)).toBe(false);
  expect(/stroke="#[0-9a-f]{6}"/.test(svg)).toBe(true);
  await context.close();
});

test("the launch form names what is wrong, keeps what was typed, and goes to the run", async () => {
  const context = await openContext(browser);
  const { page } = await open(context, "/");
  const rounds = page.getByLabel("Rounds", { exact: true });
  await rounds.fill("0");
  await page.getByRole("button", { name: "Launch run" }).click();
  await page.getByText("A whole number from 1 to 100,000.").waitFor();
  expect(await rounds.evaluate((input) => input === document.activeElement)).toBe(true);
  expect(await rounds.getAttribute("aria-invalid")).toBe("true");
  await rounds.fill("12");
  await page.getByRole("button", { name: "Launch run" }).click();
  await page.waitForURL(/\/runs\/[0-9a-f]{32}$/);
  await context.close();
});

test("stopping asks once more, and Escape lets the run go on", async () => {
  const context = await openContext(browser);
  const { page } = await open(context, PAGES["a large live run"]());
  const posts: string[] = [];
  page.on("request", (request) => {
    if (request.method() === "POST") posts.push(new URL(request.url()).pathname);
  });
  await page.getByRole("button", { name: "Stop run…" }).click();
  await page.getByRole("dialog", { name: "Stop hmda, run 7?" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  expect(posts).toEqual([]);
  await page.getByRole("button", { name: "Stop run…" }).click();
  await page.getByRole("button", { name: "Stop the run" }).click();
  await page.getByText("The run stops as soon as its round allows.").waitFor();
  expect(posts).toEqual([`/api/v1/runs/${run("hmda", 7).runId}/stop`]);
  await context.close();
});

test("figures change without a reload; without a connection they stay, dated, and controls say why they are off", async () => {
  const port = await freePort();
  const live = await startApi(port);
  const context = await openContext(browser);
  const page = await context.newPage();
  await page.goto(`http://localhost:${port}/runs/${run("hmda", 7).runId}`);
  const score = page.getByRole("img", { name: /^Round 15 after/ });
  await score.waitFor();
  const first = await score.getAttribute("aria-label");
  await expect.poll(() => score.getAttribute("aria-label")).not.toBe(first);
  live.kill();
  await page.getByText(/^No connection since \d\d:\d\d:\d\d UTC\. Figures date from then\./).waitFor();
  expect(await page.getByRole("button", { name: "Pause after this round" }).isDisabled()).toBe(true);
  await page.getByText("these need the coordinator").waitFor();
  await score.waitFor();
  await context.close();
});

test("without any run the first page says what to do", async () => {
  const port = await freePort();
  const empty = await startApi(port, "--empty");
  const context = await openContext(browser);
  const page = await context.newPage();
  await page.goto(`http://localhost:${port}/`);
  await page.getByText("No runs yet. Launch one, or try the digits demo: about a minute.").waitFor();
  await context.close();
  empty.kill();
});

test("[R25] a run that waits says so on both pages, with its invitation and the places that are missing", async () => {
  const context = await openContext(browser);
  for (const path of ["/", PAGES["a run that waits"]()]) {
    const { page } = await open(context, path);
    await page.getByText("Waiting for devices: 12 are here, a round needs 16.").first().waitFor();
    await page.getByText("14 of 40 rounds committed").first().waitFor();
    await page.getByText(/^waits until/).waitFor();
    await page
      .getByText(/as soon as four more are ready\. Until then nothing is asked of anyone\./)
      .waitFor();
    expect(await page.locator(".ghost").count()).toBeGreaterThan(3);
    await page.close();
  }
  const { page } = await open(context, PAGES["a run in the queue"]());
  await page.getByText("Stands in the queue behind run 9, which waits for devices.").first().waitFor();
  await context.close();
});
