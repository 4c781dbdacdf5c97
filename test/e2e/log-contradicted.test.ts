import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { parseLogEvidence } from "#shared/secagg/log-evidence.ts";
import { CHROMIUM_FLAGS, ensureChromium, openContext } from "../kit/browser.ts";
import { openTestDevice, type TestDevice } from "../kit/devices/device.ts";
import {
  type CoordinatorProcess,
  openApi,
  spawnCoordinator,
  until,
} from "../kit/worlds/coordinator-process.ts";

/*
 * A coordinator whose whole data folder is set back, log and keys included: it goes on as if nothing had been, and its log
 * has another past for whoever saw it before. Devices on their first visit cannot know.
 */

const root = new URL("../..", import.meta.url).pathname;
const PORT = 4_655;
const scratch = mkdtempSync(join(tmpdir(), "chorus-log-contradicted-"));
const data = join(scratch, "data");
const before = join(scratch, "before");
const csv = join(scratch, "rows.csv");
const task = bundledTask("digits", 3, 1);
let coordinator: CoordinatorProcess;
let browser: Browser;
const devices: TestDevice[] = [];

async function restart(): Promise<void> {
  coordinator = await spawnCoordinator({ port: PORT, dataDir: data, pages: true });
}

/** Two devices on their first visit. */
async function newcomers(seed: number): Promise<void> {
  for (const device of devices.splice(0)) await device.close();
  for (const index of [0, 1]) {
    const device = await openTestDevice(coordinator.url, task, seed + index);
    devices.push(device);
    device.enrolment.start();
  }
}

beforeAll(async () => {
  const rows = readFileSync(join(root, "coordinator/data/digits.csv"), "utf8").trim().split("\n");
  writeFileSync(csv, rows.slice(0, 61).join("\n"));
  await restart();
  browser = await chromium.launch({
    executablePath: await ensureChromium(console.log),
    args: [...CHROMIUM_FLAGS],
  });
});

afterAll(async () => {
  for (const device of devices) await device.close();
  await browser?.close();
  await coordinator?.kill();
  rmSync(scratch, { recursive: true, force: true });
});

test("[A40] [A43] a page sends nothing to a coordinator that was set back, says why, and gives the evidence as a file", async () => {
  await openApi(coordinator.url).createTask(task);
  await coordinator.stop();
  cpSync(data, before, { recursive: true });
  await restart();
  const api = openApi(coordinator.url);
  const context = await openContext(browser, { acceptDownloads: true });
  const page = await context.newPage();
  await page.goto(`${coordinator.url}/join/${task.slug}`);
  await page.getByRole("checkbox").check();
  await page.getByRole("button", { name: "Take part" }).click();
  await page.getByRole("button", { name: "Add a CSV file" }).click();
  await page.locator('input[type="file"][accept*="csv"]').first().setInputFiles(csv);
  await page.getByRole("button", { name: /[Aa]dd [\d,]+ row/ }).click();
  await page.getByText(/60 rows read/).waitFor();
  const { runId } = await api.launch({ task: task.slug, rounds: 2, seed: 3 });
  await newcomers(1);
  await page.getByRole("button", { name: "Start" }).first().click();
  await until("two rounds", 120_000, async () => (await api.run(runId)).state === "completed");
  expect(await page.getByRole("heading", { name: "Log contradicted" }).count()).toBe(0);

  await coordinator.stop();
  rmSync(data, { recursive: true });
  cpSync(before, data, { recursive: true });
  await restart();
  const again = await openApi(coordinator.url).launch({ task: task.slug, rounds: 1, seed: 4 });
  await newcomers(11);
  await page.getByRole("heading", { name: "Log contradicted" }).waitFor({ timeout: 120_000 });
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download the evidence" }).click(),
  ]);
  const evidence = parseLogEvidence(readFileSync(await download.path(), "utf8"));
  expect(evidence.ok && evidence.value.finding).toMatch(/The log was (rolled back|split)/);
  expect(await page.getByText("Nothing was sent.").count()).toBeGreaterThan(0);
  // Without the page there are too few for a sum.
  expect(
    (await openApi(coordinator.url).rounds(again.runId)).every(({ phase }) => phase !== "committed"),
  ).toBe(true);
}, 300_000);
