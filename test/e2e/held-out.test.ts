import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import { listSchema, runViewSchema, taskViewSchema } from "#shared/protocol/api.ts";
import { CHROMIUM_FLAGS, ensureChromium, openContext } from "../kit/browser.ts";
import {
  type CoordinatorProcess,
  freePort,
  spawnCoordinator,
  until,
} from "../kit/worlds/coordinator-process.ts";
import { signUp } from "../kit/worlds/sign-up.ts";
import { axeFindings, buildPages, openPage } from "../kit/worlds/web-pages.ts";

/* What people do on the page of a task: give it held-out rows, replace them, and archive it. Everything is real. */

const root = new URL("../..", import.meta.url).pathname;
const SLUG = "readmission";
const HEADER = "age,stays,days,hba1c,admitted,sex,returned";
const CARD = [
  ["Source", "regional registry, discharges of 2025"],
  ["Licence", "for this project only"],
  ["On what ground it may be used", "ethics board, decision 2026-118"],
  ["When it was collected", "January to December 2025"],
] as const;

const scratch = mkdtempSync(join(tmpdir(), "chorus-held-out-page-"));
let coordinator: CoordinatorProcess;
let browser: Browser;
let page: Page;
let complaints: readonly string[];

/** @returns The file's path. */
function table(name: string, labels: readonly string[]): string {
  const path = join(scratch, name);
  const rows = labels.map((label, row) => `${20 + (row % 70)},1,5,,planned,female,${label}`);
  writeFileSync(path, [HEADER, ...rows, ""].join("\n"));
  return path;
}

beforeAll(async () => {
  await buildPages();
  coordinator = await spawnCoordinator({
    port: await freePort(),
    dataDir: join(scratch, "data"),
    pages: true,
    claimed: false,
  });
  browser = await chromium.launch({
    executablePath: await ensureChromium(console.log),
    args: [...CHROMIUM_FLAGS],
  });
  const context = await openContext(browser);
  await signUp(context, coordinator);
  const opened = await openPage(context, `${coordinator.url}/tasks`);
  page = opened.page;
  complaints = opened.complaints;
  await ask("/tasks", JSON.parse(readFileSync(join(root, "examples/tasks/readmission.json"), "utf8")));
});
afterAll(async () => {
  await browser?.close();
  await coordinator?.kill();
  rmSync(scratch, { recursive: true, force: true });
});

/** Asks the API as the page does, with the session of its browser. Posts if there is a body. */
async function ask(path: string, body?: unknown): Promise<unknown> {
  const answer = await page.evaluate(
    async ([to, text]) => {
      const sent = { method: "POST", headers: { "content-type": "application/json" }, body: text };
      const response = await fetch(to, text === null ? {} : sent);
      return { isOk: response.ok, text: await response.text() };
    },
    [`/api/v1${path}`, body === undefined ? null : JSON.stringify(body)] as const,
  );
  if (!answer.isOk) throw new Error(`${path}: ${answer.text}`);
  return JSON.parse(answer.text);
}

const section = (id: string) => page.locator(`section:has(#${id}), section#${id}`).first();

/** Chooses a file, fills in its card, and sends it. */
async function send(path: string): Promise<void> {
  await section("held-out").locator('input[type="file"]').setInputFiles(path);
  for (const [label, text] of CARD) await page.getByLabel(label, { exact: true }).fill(text);
  await page.getByRole("button", { name: "Upload and check" }).click();
}

/** Every sentence about the upload, as it changes. */
async function watchStatus(): Promise<() => Promise<readonly string[]>> {
  await page.evaluate(() => {
    const seen: string[] = [];
    Object.assign(window, { seen });
    new MutationObserver(() => {
      const text = document.querySelector("section:has(#held-out) [role=status] p")?.textContent;
      if (text != null && seen.at(-1) !== text) seen.push(text);
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  return () => page.evaluate(() => (window as unknown as { seen: string[] }).seen);
}

test("[E20] [E21] rows are sent with progress, refused with their rows, replaced, and shown with their card", async () => {
  await page.goto(`${coordinator.url}/tasks/${SLUG}`);
  await page.getByText("There are no held-out rows.", { exact: false }).waitFor();
  await page.getByRole("button", { name: "Upload held-out data…" }).click();
  await send(table("wrong.csv", ["yes", "no", "maybe"]));
  await page.getByText(/^1 of 3 rows do not fit the task\..*Nothing was stored\.$/).waitFor();
  await page.getByText(/^Row 3 is labelled “maybe”/).waitFor();
  await page.getByText("There are no held-out rows.", { exact: false }).waitFor();

  // Large enough for several parts.
  const seen = await watchStatus();
  await send(
    table(
      "first.csv",
      Array.from({ length: 190_000 }, (_, row) => (row % 4 === 0 ? "yes" : "no")),
    ),
  );
  await page.getByText("190,000 rows judge this task’s models.", { exact: false }).waitFor();
  const sentences = await seen();
  expect(sentences.some((text) => /^[\d.,]+\s(?:kB|MB) of [\d.]+\sMB sent\./.test(text))).toBe(true);
  expect(sentences.some((text) => /are there; [\d,]+ rows? checked/.test(text))).toBe(true);
  for (const [, text] of CARD) await section("held-out").getByText(text, { exact: true }).waitFor();
  await section("held-out").getByText("One in 4 is “yes”.", { exact: false }).waitFor();
  expect(await axeFindings(page)).toEqual([]);
  const first = taskViewSchema.parse(await ask(`/tasks/${SLUG}`)).heldOut?.hash;

  await page.getByRole("button", { name: "Replace…" }).click();
  await send(table("second.csv", ["yes", "no", "no"]));
  await page.getByText("3 rows judge this task’s models.", { exact: false }).waitFor();
  const second = taskViewSchema.parse(await ask(`/tasks/${SLUG}`)).heldOut;
  expect(second).toMatchObject({ rowCount: 3, setBy: "ada" });
  expect(second?.hash).not.toBe(first);
  await page.getByText(/^ada set other held-out rows for readmission: .*, 3 rows, in place of /).waitFor();
  expect(complaints).toEqual([]);
});

test("[A20] archiving shows what the log will say, ends the run, cancels the queued one, and takes the task off the list", async () => {
  for (const rounds of [3, 5]) await ask("/runs", { task: SLUG, rounds });
  await page.goto(`${coordinator.url}/tasks/${SLUG}`);
  const archive = section("archive");
  await archive.getByText(/^“ada archived readmission/).waitFor();
  await page.getByRole("button", { name: `Archive ${SLUG}…` }).click();
  await page.getByRole("button", { name: "Leave it open" }).click();
  await page.getByRole("button", { name: `Archive ${SLUG}…` }).click();
  await page.getByRole("button", { name: `Archive ${SLUG} now` }).click();
  await archive.getByText("This task is archived. A new version takes it up again.").waitFor();
  const runs = await until("both runs to end", 60_000, async () => {
    const { items } = listSchema(runViewSchema).parse(await ask("/runs"));
    return items.every(({ endedAt }) => endedAt !== null) ? items : null;
  });
  expect(runs.map(({ roundsCommitted }) => roundsCommitted)).toEqual([0, 0]);
  await page.goto(`${coordinator.url}/tasks`);
  await page.getByText("archived", { exact: false }).first().waitFor();
  expect(await page.getByRole("link", { name: "Readmission within 30 days" }).count()).toBe(0);
  await page.getByLabel("Show archived tasks too").check();
  await page.getByRole("link", { name: "Readmission within 30 days" }).waitFor();
  expect(await axeFindings(page)).toEqual([]);
  expect(complaints).toEqual([]);
});
