import { type Browser, chromium, type Page } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RunView } from "#shared/protocol/api.ts";
import { CHROMIUM_FLAGS, ensureChromium, openContext } from "#test/kit/browser.ts";
import { axeFindings, buildPages, type FakeApi, startFakeApi } from "#test/kit/worlds/web-pages.ts";

/*
 * Acts about tasks and runs, as k7f2 sees them before acting: the sentence that the log will keep, and a question before
 * what cannot be taken back.
 */

let browser: Browser;
let api: FakeApi;

beforeAll(async () => {
  await buildPages();
  api = await startFakeApi("--at", "52");
  browser = await chromium.launch({
    executablePath: await ensureChromium(console.log),
    args: [...CHROMIUM_FLAGS],
  });
});

afterAll(async () => {
  await browser?.close();
  api?.child.kill();
});

/** A page at `path`, and what it has asked the coordinator to change. */
async function open(
  path: string,
): Promise<{ readonly page: Page; readonly changes: string[]; close(): Promise<void> }> {
  const context = await openContext(browser);
  const page = await context.newPage();
  const changes: string[] = [];
  page.on("request", (request) => {
    const { pathname } = new URL(request.url());
    const isAct =
      !["GET", "HEAD"].includes(request.method()) &&
      pathname.startsWith("/api/v1/") &&
      !pathname.endsWith("/ticket");
    if (isAct) changes.push(`${request.method()} ${pathname}`);
  });
  await page.goto(api.base + path);
  await page.getByRole("heading", { level: 1 }).waitFor();
  return { page, changes, close: () => context.close() };
}

async function runOf(task: string, state: string): Promise<RunView> {
  const { items } = (await (await fetch(`${api.base}/api/v1/runs`)).json()) as { items: RunView[] };
  const found = items.find((one) => one.task === task && one.state === state);
  if (found === undefined) throw new Error(`no ${state} run of ${task}`);
  return found;
}

describe("[X91] before someone acts", () => {
  test("who may join is asked about: one click on a choice changes nothing", async () => {
    const { page, changes, close } = await open("/tasks/hmda");
    const section = page.getByRole("region", { name: "Who may join" });
    await section.getByRole("radio", { name: /^By invitation/ }).check();
    await section.getByText("“k7f2 closed hmda to all but those invited.”").waitFor();
    await section.getByText(/^Devices that are connected stay until/).waitFor();
    expect(await axeFindings(page)).toEqual([]);
    expect(changes).toEqual([]);
    await section.getByRole("button", { name: "Leave as it is" }).click();
    expect(await section.getByRole("radio", { name: /^Anyone/ }).isChecked()).toBe(true);
    await section.getByRole("radio", { name: /^By invitation/ }).check();
    await section.getByRole("button", { name: "Close it to others" }).click();
    await expect.poll(() => changes).toEqual(["POST /api/v1/tasks/hmda/settings"]);
    await close();
  });

  test("deleting held-out rows is asked about", async () => {
    const { page, changes, close } = await open("/tasks/hmda");
    const section = page.getByRole("region", { name: "Held-out set" });
    await section.getByRole("button", { name: "Go without…" }).click();
    await section
      .getByText(/^“k7f2 took the held-out rows .+ from hmda\. Devices alone judge its models\.”$/)
      .waitFor();
    await section.getByText(/^The rows are deleted from this coordinator\./).waitFor();
    expect(changes).toEqual([]);
    await section.getByRole("button", { name: "Delete these rows" }).click();
    await expect.poll(() => changes).toEqual(["POST /api/v1/tasks/hmda/held-out/remove"]);
    await close();
  });

  test("a launch, a pause, a resumption and a stop stand beside the sentence that the log will keep", async () => {
    const home = await open("/?task=hmda#launch");
    await home.page.getByText("The log will keep: “Run 11 was launched by k7f2.”").waitFor();
    await home.close();
    const live = await open(`/runs/${(await runOf("hmda", "running")).runId}`);
    await live.page
      .getByText("The log will keep: “k7f2 asked for a pause after the current round.”")
      .waitFor();
    await live.page.getByRole("button", { name: "Stop run…" }).click();
    await live.page.getByRole("dialog").getByText("“k7f2 stopped the run.”").waitFor();
    expect(live.changes).toEqual([]);
    await live.close();
    const paused = await open(`/runs/${(await runOf("fashion-mnist", "paused")).runId}`);
    await paused.page.getByText("The log will keep: “k7f2 resumed the run.”").waitFor();
    await paused.close();
  });

  test("publishing a version stands beside the sentence that the log will keep", async () => {
    const { page, close } = await open("/tasks/new?from=hmda");
    await page.getByText(/^“k7f2 published version \d+ of hmda\.”$/).waitFor();
    await close();
  });
});
