import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { CHROMIUM_FLAGS, ensureChromium, openContext } from "#test/kit/browser.ts";
import {
  type CoordinatorProcess,
  freePort,
  openApi,
  spawnCoordinator,
} from "#test/kit/worlds/coordinator-process.ts";
import { buildPages, openPage } from "#test/kit/worlds/web-pages.ts";

/* A participant's page in browsers that have no room, or lend no storage. The limits are Chromium's own. */

const SLUG = "tumours";
const TABLE = new URL("../../coordinator/data/tumours.csv", import.meta.url).pathname;
const scratch = mkdtempSync(join(tmpdir(), "chorus-storage-"));
let coordinator: CoordinatorProcess;
let executablePath: string;
let browser: Browser;

beforeAll(async () => {
  await buildPages();
  coordinator = await spawnCoordinator({
    port: await freePort(),
    dataDir: join(scratch, "data"),
    pages: true,
  });
  await openApi(coordinator.url).createTask(bundledTask(SLUG, 3, 1));
  executablePath = await ensureChromium(console.log);
  browser = await chromium.launch({ executablePath, args: [...CHROMIUM_FLAGS] });
});
afterAll(async () => {
  await browser?.close();
  await coordinator?.kill();
  rmSync(scratch, { recursive: true, force: true });
});

/** The bundled rows again and again: more than the room that the test leaves. */
function largeTable(): string {
  const path = join(scratch, "large.csv");
  const [header = "", ...rows] = readFileSync(TABLE, "utf8").trim().split("\n");
  writeFileSync(path, [header, ...Array.from({ length: 60 }, () => rows).flat(), ""].join("\n"));
  return path;
}

async function agree(page: Page): Promise<void> {
  await page.getByRole("checkbox", { name: /I agree/ }).check();
  await page.getByRole("button", { name: "Take part", exact: true }).click();
}

const chooseTable = (page: Page, path: string) =>
  page.locator('input[type="file"][accept*="csv"]').first().setInputFiles(path);
const addButton = (page: Page) => page.getByRole("button", { name: /[Aa]dd [\d,]+ row/ });
const stored = (page: Page) => page.getByText(/, stored in this browser and nowhere else\.$/);

describe("[W22] rows that are added", () => {
  test("to a browser without room are refused with a sentence; with room, the same click adds them", async () => {
    const context = await openContext(browser);
    const { page } = await openPage(context, `${coordinator.url}/join/${SLUG}`);
    const devtools = await context.newCDPSession(page);
    const { origin } = new URL(coordinator.url);
    await devtools.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 1_000_000 });
    await agree(page);
    await page.getByRole("heading", { name: "What you agreed to" }).waitFor();
    await chooseTable(page, largeTable());
    await addButton(page).click();
    await page
      .getByText(/This browser has no room left/)
      .first()
      .waitFor();
    expect(await stored(page).count()).toBe(0);
    await devtools.send("Storage.overrideQuotaForOrigin", { origin });
    await addButton(page).click();
    await stored(page).waitFor();
    expect(await page.getByText(/no room left/).count()).toBe(0);
    await context.close();
  });
});

/** Makes the database as the page before the ledger left it, with one agreement. Returns once it is closed. */
const makeEarlierDatabase = (page: Page, host: string, consent: object) =>
  page.evaluate(
    ({ name, row }) =>
      new Promise<void>((resolve, reject) => {
        // Dexie multiplies its versions by ten.
        const request = indexedDB.open(name, 20);
        request.onerror = () => reject(request.error);
        request.onupgradeneeded = () => {
          const stores = { keys: "id", cells: "key", consents: "slug", models: "slug", mappings: "slug" };
          for (const [store, keyPath] of Object.entries(stores))
            request.result.createObjectStore(store, { keyPath });
          const blocks = request.result.createObjectStore("blocks", { keyPath: "id", autoIncrement: true });
          blocks.createIndex("slug", "slug");
          const kept = request.result.createObjectStore("contributions", { keyPath: "id" });
          kept.createIndex("[slug+at]", ["slug", "at"]);
          request.transaction?.objectStore("consents").add(row);
        };
        request.onsuccess = () => {
          request.result.close();
          resolve();
        };
      }),
    { name: `chorus ${host}`, row: consent },
  );

async function savedText(page: Page, button: string): Promise<string> {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: button }).click(),
  ]);
  const path = join(scratch, `${Math.random()}`);
  await download.saveAs(path);
  return readFileSync(path, "utf8");
}

describe("the consent ledger of a page", () => {
  const ledger = (page: Page) => page.getByText("Agreements on this device");

  test("[A70] keeps the words that were on the page, and the withdrawal, and gives both as a receipt", async () => {
    const context = await openContext(browser);
    const { page, complaints } = await openPage(context, `${coordinator.url}/join/${SLUG}`);
    const shown = (await page.locator("section", { has: page.locator("#agreed") }).textContent()) ?? "";
    expect(await ledger(page).count()).toBe(0);
    await agree(page);
    await page.getByRole("button", { name: "Withdraw and leave" }).click();
    await page.getByRole("checkbox", { name: /I agree/ }).waitFor();
    await page.reload();
    await ledger(page).click();
    expect(await page.getByText(/^(Agreed to|Withdrew from) version 1, /).count()).toBe(2);
    const { acts } = JSON.parse(await savedText(page, "Consent receipt (JSON)"));
    expect(acts).toMatchObject([
      { act: "agreed", coordinator: coordinator.url, task: SLUG, version: 1 },
      { act: "withdrawn", coordinator: coordinator.url, task: SLUG, version: 1, words: null },
    ]);
    // Each line that was kept was on the page.
    const lines = acts[0].words.split("\n").filter((line: string) => line !== "");
    expect(lines.length).toBeGreaterThan(10);
    const plain = (text: string) => text.replace(/\s+/g, " ");
    for (const line of lines) expect(plain(shown)).toContain(plain(line.replace(/^- /, "")));
    expect(await savedText(page, "The same as text")).toContain(acts[0].words);
    expect(complaints).toEqual([]);
    await context.close();
  });

  test("[A70] has the agreement of a page from before it, without words", async () => {
    const context = await openContext(browser);
    const first = await context.newPage();
    await first.goto(`${coordinator.url}/api/v1/status`);
    const { task, taskHash } = await openApi(coordinator.url).task(SLUG);
    const keys = {
      projectId: "default",
      codeVersion: "0",
      issuerKey: "ab".repeat(32),
      logKey: "0".repeat(64),
    };
    const agreedAt = Date.UTC(2026, 0, 2, 3, 4);
    const consent = { slug: SLUG, version: 1, taskHash, agreedAt, task, authority: keys };
    await makeEarlierDatabase(first, new URL(coordinator.url).host, consent);
    const { page } = await openPage(context, `${coordinator.url}/join/${SLUG}`);
    await ledger(page).click();
    await page.getByText("Agreed to version 1, 2 January 2026, 03:04 UTC").waitFor();
    const { acts } = JSON.parse(await savedText(page, "Consent receipt (JSON)"));
    expect(acts).toMatchObject([
      { act: "agreed", at: "2026-01-02T03:04:00.000Z", taskHash, words: null, authority: keys },
    ]);
    await context.close();
  });
});

test("[W22] a browser that lends no storage is told so, and what to do", async () => {
  const profile = join(scratch, "profile");
  mkdirSync(join(profile, "Default"), { recursive: true });
  // As someone has it who blocks all site data.
  writeFileSync(
    join(profile, "Default", "Preferences"),
    JSON.stringify({ profile: { default_content_setting_values: { cookies: 2 } } }),
  );
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    args: [...CHROMIUM_FLAGS],
  });
  context.setDefaultTimeout(120_000);
  const { page, complaints } = await openPage(context, `${coordinator.url}/join/${SLUG}`);
  await page
    .getByText(/This browser gives this page no storage \(.*\)\. Allow it, or use another window\./)
    .first()
    .waitFor();
  expect(complaints).toEqual([]);
  await context.close();
});
