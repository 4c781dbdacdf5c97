import type { ChildProcess } from "node:child_process";
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunView, runViewSchema } from "#shared/protocol/api.ts";
import { CHROMIUM_FLAGS, ensureChromium, openContext } from "#test/kit/browser.ts";
import { openShell } from "#test/kit/worlds/shell.ts";
import { axeFindings, buildPages, openPage, overflowOf, startFakeApi } from "#test/kit/worlds/web-pages.ts";

/*
 * The dashboard's pages in a real browser, served as by the coordinator, with made-up figures. Tests with the real
 * coordinator cover what they show of a real federation.
 */

let browser: Browser;
let base: string;
let server: ChildProcess;
let runs: RunView[];

beforeAll(async () => {
  await buildPages();
  ({ base, child: server } = await startFakeApi("--at", "52"));
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
  tasks: () => "/tasks",
  "a task": () => "/tasks/hmda",
  "a new task": () => "/tasks/new",
  "a new version": () => "/tasks/new?from=hmda",
  "what could be learnt": () => "/join/digits/learnt",
  models: () => "/models",
  "a task's models": () => "/models/digits",
  experiments: () => "/experiments",
  admin: () => "/admin",
  devices: () => "/devices",
  "one's account": () => "/account",
  "the API": () => "/api",
  "sign-in": () => "/sign-in",
  "no page": () => "/nowhere",
} as const;

/** Opens a page and waits until it shows everything. */
async function open(context: BrowserContext, path: string): Promise<{ page: Page; complaints: string[] }> {
  const isMissing = (complaint: string) => path === PAGES["no page"]() && complaint.includes("404");
  const opened = await openPage(context, base + path, isMissing);
  const whole = /SQLite database|Every number here follows|There is no page|No account\?/;
  await opened.page.getByText(whole).first().waitFor();
  return opened;
}

describe.each(Object.entries(PAGES))("%s", (_name, path) => {
  test.each([
    { width: 1440, colorScheme: "light" },
    { width: 375, colorScheme: "dark" },
  ] as const)("at $width px, $colorScheme: axe finds nothing, the policy refuses nothing", async (mode) => {
    const { width, colorScheme } = mode;
    const context = await openContext(browser, { viewport: { width, height: 900 }, colorScheme });
    const { page, complaints } = await open(context, path());
    expect(await axeFindings(page)).toEqual([]);
    expect(complaints).toEqual([]);
    await context.close();
  });
  test("nothing scrolls sideways, down to 320 px", async () => {
    const context = await openContext(browser, { reducedMotion: "reduce" });
    const { page } = await open(context, path());
    for (const width of [320, 375, 768, 1025]) {
      await page.setViewportSize({ width, height: 900 });
      await expect.poll(() => overflowOf(page)).toBeLessThanOrEqual(0);
    }
    await context.close();
  });
});

test("[W17] a page of a named site uses the API, and the browser keeps every answer from a page of another", async () => {
  const site = createHttpServer((_, response) =>
    response.setHeader("content-type", "text/html").end("<h1>Embeds</h1>"),
  );
  await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", () => resolve()));
  const port = (site.address() as AddressInfo).port;
  // To a browser these are two sites.
  const [named, other] = [`http://localhost:${port}`, `http://127.0.0.1:${port}`];
  const shell = await openShell({ allowedOrigins: [named] });
  const context = await openContext(browser);
  const use = async (origin: string) => {
    const page = await context.newPage();
    await page.goto(origin);
    return page.evaluate(async (api: string) => {
      const ask = (path: string, init?: RequestInit) =>
        fetch(`${api}${path}`, init).then(
          ({ status }) => status,
          () => "blocked",
        );
      const slot = {
        "chorus-slot": "x",
        "content-range": "bytes 0-0/1",
        "content-type": "application/octet-stream",
      };
      return [
        await ask("/status"),
        await ask("/tasks/digits/settings", {
          method: "POST",
          body: "{",
          headers: { "content-type": "application/json" },
        }),
        await ask(`/uploads/${"0".repeat(64)}/1`, { method: "PUT", body: "x", headers: slot }),
        await ask("/nothing"),
        await ask("/status", { credentials: "include" }),
      ];
    }, `${shell.url}/api/v1`);
  };
  try {
    const [status, ...rest] = await use(named);
    expect(status).toBe(200);
    expect(
      rest.slice(0, -1).every((answer) => typeof answer === "number" && answer >= 400 && answer < 500),
    ).toBe(true);
    expect(rest.at(-1)).toBe("blocked");
    expect(await use(other)).toEqual(Array.from({ length: 5 }, () => "blocked"));
    expect(shell.core.writes).toEqual([]);
  } finally {
    await context.close();
    await shell.close();
    await new Promise((resolve) => site.close(resolve));
  }
});

test("axe finds a planted fault, and the policy refuses a planted style", async () => {
  const context = await openContext(browser);
  const { page, complaints } = await open(context, "/");
  await page.evaluate(() => {
    document.body.insertAdjacentHTML("beforeend", '<img src="data:," style="color:red">');
  });
  expect((await axeFindings(page)).join()).toContain("image-alt");
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
    run("digits", 3).history[0]?.measures["accuracy"]?.value ?? Number.NaN,
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

test("[V10] the address begins a launch with a task, and says if there is none of that name", async () => {
  const context = await openContext(browser);
  const { page } = await open(context, "/?task=hmda#launch");
  const task = page.getByLabel("Task", { exact: true });
  expect(await task.inputValue()).toBe("hmda");
  const title = page.getByRole("heading", { name: "Launch a run" });
  expect(await title.evaluate((heading) => heading === document.activeElement)).toBe(true);
  await task.selectOption("digits");
  expect(await task.inputValue()).toBe("digits");
  const { page: other } = await open(context, "/?task=gone#launch");
  await other.getByText("There is no task gone that could be launched.").waitFor();
  await context.close();
});

test("[V8] whoever stopped a run is named on each page that shows it, and in its picture", async () => {
  const { base: at, child } = await startFakeApi("--cast", "over");
  const context = await openContext(browser, { viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  await page.goto(`${at}/`);
  await page.getByRole("heading", { name: "digits, run 4, its last round" }).waitFor();
  const picture = page.getByRole("img", { name: /not opened, k7f2 ended it\.$/ });
  await picture.first().getByText("k7f2 ended it").waitFor();
  await page.getByRole("region", { name: "Ended" }).getByText("k7f2 stopped it").waitFor();
  await page.getByRole("link", { name: "digits, run 4" }).first().click();
  await page.getByText("The run ended, 3 of 15 rounds committed. k7f2 stopped it.").first().waitFor();
  await page.getByRole("link", { name: "Round 4, its counts and its proofs" }).click();
  await page.getByText("Round 4 was given up: k7f2 stopped the run.").first().waitFor();
  await picture.getByText("k7f2 ended it").waitFor();
  await context.close();
  child.kill();
});

test("[V11] the newest candidate is compared with the version in use, and the verdict is about it", async () => {
  const context = await openContext(browser);
  const { page } = await open(context, "/models/hmda");
  const asked: string[] = [];
  await page.route(/\/comparisons\?/, (route) => {
    asked.push(new URL(route.request().url()).search);
    return route.fulfill({ json: { comparable: false, reason: "The columns differ." } });
  });
  const chosen = (label: string) => page.getByLabel(label, { exact: true }).inputValue();
  const [judged, inUse] = [await chosen("This one"), await chosen("Against")];
  expect(Number(judged)).toBeGreaterThan(Number(inUse));
  await page.getByRole("button", { name: "Compare" }).click();
  await page.getByText("Not comparable. The columns differ.").waitFor();
  expect(asked).toEqual([`?a=${inUse}&b=${judged}`]);
  await context.close();
});

test("[V11] [G2] a promotion stands beside the sentence that the log will keep, and names the champion it replaces", async () => {
  const context = await openContext(browser);
  // The reference by which scripts load a model leads to its page, too.
  const { page } = await open(context, "/models/digits@champion");
  const sent: unknown[] = [];
  await page.route(/\/promotions$/, (route) => {
    sent.push(route.request().postDataJSON());
    const message = "Version 3 is the champion by now. Look again.";
    return route.fulfill({ status: 409, json: { error: { code: "CONFLICT", message, retry: "never" } } });
  });
  const table = page.getByRole("table", { name: "Versions" });
  const champion = Number(
    await table
      .getByRole("row", { name: /@champion, in use/ })
      .locator("b")
      .textContent(),
  );
  await table
    .getByRole("button", { name: /^Promote…/ })
    .first()
    .click();
  await page
    .getByText(
      new RegExp(`k7f2 promoted version \\d+ of digits: it is in use, in place of version ${champion}`),
    )
    .waitFor();
  expect(await axeFindings(page)).toEqual([]);
  await page.getByRole("button", { name: /^Promote version \d+$/ }).click();
  await page.getByText("Version 3 is the champion by now. Look again.").waitFor();
  expect(sent).toEqual([{ act: "promote", version: expect.any(Number), expected: champion }]);
  await context.close();
});

test("stopping asks once more, and Escape lets the run go on", async () => {
  const context = await openContext(browser);
  const { page } = await open(context, PAGES["a large live run"]());
  const posts: string[] = [];
  page.on("request", (request) => {
    const { pathname } = new URL(request.url());
    // The page asks for a new ticket whenever its connection to live figures is made.
    if (request.method() === "POST" && pathname !== "/api/v1/session/ticket") posts.push(pathname);
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

test("figures change without a reload; without a connection they stay, with their time, and controls say why they are off", async () => {
  const { base: at, child: live } = await startFakeApi();
  const context = await openContext(browser);
  const page = await context.newPage();
  await page.goto(`${at}/runs/${run("hmda", 7).runId}`);
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

test("without runs the first page says what to do", async () => {
  const { base: at, child: empty } = await startFakeApi("--cast", "none");
  const context = await openContext(browser);
  const page = await context.newPage();
  await page.goto(`${at}/`);
  await page.getByText("No runs yet. Launch one, or try the digits demo: about a minute.").first().waitFor();
  await context.close();
  empty.kill();
});

test("[R25] a run that waits says so on both pages, with its invitation and the missing places", async () => {
  const context = await openContext(browser);
  for (const path of ["/", PAGES["a run that waits"]()]) {
    const { page } = await open(context, path);
    await page.getByText("Waiting for devices: 12 are here, a round needs 16.").first().waitFor();
    await page.getByText("14 of 40 rounds committed").first().waitFor();
    await page.getByText(/^waits until/).waitFor();
    await page
      .getByText(/as soon as four more are ready\. Until then no device is asked for anything\./)
      .waitFor();
    expect(await page.locator(".ghost").count()).toBeGreaterThan(3);
    await page.close();
  }
  const { page } = await open(context, PAGES["a run in the queue"]());
  await page.getByText("Queued behind run 9, which waits for devices.").first().waitFor();
  await context.close();
});
