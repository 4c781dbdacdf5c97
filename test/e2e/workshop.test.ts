import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CHROMIUM_FLAGS, ensureChromium, openContext } from "../kit/browser.ts";
import { openRecordingProxy, type RecordingProxy } from "../kit/recording-proxy.ts";
import {
  type CoordinatorProcess,
  freePort,
  spawnCoordinator,
  until,
} from "../kit/worlds/coordinator-process.ts";
import { signUp } from "../kit/worlds/sign-up.ts";
import { axeFindings, buildPages, openPage, overflowOf } from "../kit/worlds/web-pages.ts";

/*
 * What a researcher does: from a CSV on the desk to the first committed round, with three edges and a page, and no file
 * placed by hand. Everything is real. All that the researcher's browser sends is recorded, and must hold nothing of the
 * sample.
 */

const root = new URL("../..", import.meta.url).pathname;
const EDGES = 3;
const SLUG = "readmission";
/** Stand in cells of the sample, and in no proposal. */
const CANARIES = ["CANARY-7Q", "canary note of a ward", "Canary Person", "61.7731"];

const scratch = mkdtempSync(join(tmpdir(), "chorus-workshop-"));
let coordinator: CoordinatorProcess;
let browser: Browser;
let proxy: RecordingProxy;
const edges: ChildProcess[] = [];

const HEADER = "patient_ref,age_years,prior_stays,hba1c,smoker,admission,sex,name,note,readmitted_30d";

/** Rows in which older patients with earlier stays come back more often. */
function rowsFrom(seed: number, count: number): string {
  let state = seed;
  const random = () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
  const lines = Array.from({ length: count }, (_, index) => {
    const age = 20 + Math.floor(random() * 75);
    const stays = Math.floor(random() ** 3 * 12);
    const hba1c = random() < 0.18 ? "" : (4.5 + random() * 9).toFixed(1);
    const smoker = ["no", "former", "yes"][Math.floor(random() * 3)];
    const admission = random() < 0.003 ? "transfer" : random() < 0.4 ? "planned" : "emergency";
    const back = age / 100 + stays / 8 + (random() - 0.5) * 0.5 > 1 ? "yes" : "no";
    const person = `${["Ada", "Emmy", "Mary"][index % 3]} ${["Lovelace", "Noether", "Shelley"][(index >> 2) % 3]}${"abcdefghij".slice(0, 1 + (index % 10))}`;
    const note = `went home after ${index} days and felt well again`;
    return `P${seed}${100_000 + index},${age},${stays},${hba1c},${smoker},${admission},${index % 2 === 0 ? "f" : "m"},${person},${note},${back}`;
  });
  return `${HEADER}\n${lines.join("\n")}\n`;
}

beforeAll(async () => {
  await buildPages();
  const canary = `${CANARIES[0]},61.7731,3,7.1,no,planned,f,${CANARIES[2]} Of The Ward,${CANARIES[1]},no\n`;
  writeFileSync(join(scratch, "sample.csv"), rowsFrom(7, 1_200) + canary);
  for (let index = 0; index <= EDGES; index++) {
    writeFileSync(join(scratch, `own-${index}.csv`), rowsFrom(100 + index, 120));
  }
  coordinator = await spawnCoordinator({
    port: await freePort(),
    dataDir: join(scratch, "data"),
    pages: true,
    claimed: false,
  });
  proxy = await openRecordingProxy(coordinator.url);
  browser = await chromium.launch({
    executablePath: await ensureChromium(console.log),
    args: [...CHROMIUM_FLAGS],
  });
});

afterAll(async () => {
  await browser?.close();
  for (const edge of edges) edge.kill("SIGKILL");
  await proxy?.close();
  await coordinator?.kill();
  rmSync(scratch, { recursive: true, force: true });
});

const part = (page: Page, number: number) =>
  page.locator("section.sec").filter({ has: page.locator(`#part-${number}`) });

test("[K4] [K6] [K7] [K8] from a CSV to the first committed round, and nothing of the sample leaves the browser", async () => {
  const context = await openContext(browser);
  await signUp(context, coordinator);
  const { page, complaints } = await openPage(context, `${proxy.url}/tasks/new`);
  await makeTask(page);
  expect(await axeFindings(page)).toEqual([]);
  for (const width of [320, 375, 1025]) {
    await page.setViewportSize({ width, height: 900 });
    await expect.poll(() => overflowOf(page)).toBeLessThanOrEqual(0);
  }
  await page.setViewportSize({ width: 1280, height: 900 });
  await keepsDraft(page);
  await tryModel(page);
  await page.getByRole("button", { name: "Publish version 1" }).click();
  await page.waitForURL(`${proxy.url}/tasks/${SLUG}`);
  await page.getByText("The first.").waitFor();
  await page.getByText("judged on devices alone").first().waitFor();
  expect(await axeFindings(page)).toEqual([]);
  expectNothingOfTheSample();
  expect(complaints).toEqual([]);

  await page.getByRole("link", { name: "Launch a run…" }).first().click();
  await page.getByLabel("Rounds").fill("1");
  await page
    .getByRole("button", { name: /Launch/ })
    .last()
    .click();
  await page.waitForURL(/\/runs\//);
  for (let index = 1; index <= EDGES; index++) edges.push(startEdge(index));
  await takePart(await openContext(browser));
  await until(
    "the first committed round",
    300_000,
    async () => (await runsOf(page))[0]?.roundsCommitted === 1,
  );
  await page.goto(`${proxy.url}/tasks/${SLUG}`);
  await page.getByText("run 1", { exact: true }).first().waitFor();
  expectNothingOfTheSample();
});

async function makeTask(page: Page): Promise<void> {
  await page.getByText("Bring a sample of what people have").waitFor();
  await page.locator('input[type="file"][accept*=".csv"]').first().setInputFiles(join(scratch, "sample.csv"));
  await part(page, 1).getByText("1,201 rows read").waitFor();
  await part(page, 1).getByText("Ranges are final", { exact: false }).waitFor();
  const columns = part(page, 2);
  // One patient is aged 61.7731, so ages are numbers, in a range of round ones.
  await columns.getByText("20 to 100 years").waitFor();
  for (const left of ["patient_ref", "name", "note"]) {
    await columns.getByRole("button", { name: `Ask for ${left} anyway` }).waitFor();
  }
  await columns.getByText("“transfer”", { exact: false }).waitFor();
  await columns.getByText("Three rows as the model takes them").waitFor();
  // It is off, and says what is missing when it is pressed.
  await page.getByRole("button", { name: /^Publish/ }).click({ force: true });
  await page.getByText("Say in a sentence why this is asked for", { exact: false }).first().waitFor();
  await page.getByRole("button", { name: "Edit sex" }).click();
  await page
    .getByLabel("Why it is asked for, in a sentence")
    .fill("To check that the model serves all alike.");
  await page.getByRole("button", { name: "Close sex" }).click();
  const fill = (label: string | RegExp, text: string) => page.getByLabel(label).fill(text);
  await fill(/Purpose, one sentence/, "foresee who comes back to hospital within 30 days");
  await fill("What a row is, one and many", "record, records");
  await fill("Intended use", "Choosing whom to call in the first week. A nurse decides.");
  await fill("Not for", "Deciding on discharge, insurance or payment.");
  await fill("Who answers questions", "readmissions@clinics.example");
  await fill("Address", SLUG);
  await fill("Never fewer than", "9");
  await page.getByText("More than the 4 wanted", { exact: false }).waitFor();
  await fill("Never fewer than", "3");
  // Software engines on a busy machine.
  for (const label of ["Join, seconds", "Train, seconds", "Agree on keys, seconds", "Send, seconds"])
    await fill(label, "240");
  await part(page, 8).getByText("Help a model foresee who comes back", { exact: false }).waitFor();
  await page.getByText("Nothing is missing.").first().waitFor();
}

/** After a reload the draft is there and the sample is not. */
async function keepsDraft(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Save draft" }).click();
  const stored = await page.evaluate(() => JSON.stringify({ ...localStorage }));
  for (const canary of CANARIES) expect(stored).not.toContain(canary);
  await page.reload();
  await page.getByRole("button", { name: `Go on with ${SLUG}` }).click();
  await page.getByText("The sample is not here any more", { exact: false }).waitFor();
  expect(await page.getByLabel("Not for").inputValue()).toBe("Deciding on discharge, insurance or payment.");
  await page.locator('input[type="file"][accept*=".csv"]').first().setInputFiles(join(scratch, "sample.csv"));
  await part(page, 1).getByText("1,201 rows read").waitFor();
  await page.getByText("Nothing is missing.").first().waitFor();
}

async function tryModel(page: Page): Promise<void> {
  const trial = part(page, 4);
  await trial.getByRole("button", { name: "Try it" }).click();
  await trial.getByText(/It finds \d+ of the \d+ records that are “yes”/).waitFor();
  await trial
    .getByRole("button", { name: /Stop|Try again/ })
    .first()
    .click();
  await part(page, 5).getByText("In the trial none was longer than", { exact: false }).waitFor();
}

function startEdge(index: number): ChildProcess {
  const args = [join(root, "client/commands/edge.ts"), "--coordinator", coordinator.url, "--task", SLUG];
  args.push(
    "--data",
    join(scratch, `own-${index}.csv`),
    "--state",
    join(scratch, `edge-${index}`),
    "--backend",
    "cpu",
  );
  return spawn(process.execPath, args, { cwd: root, stdio: "ignore" });
}

/** Gives consent and data like a person. */
async function takePart(context: BrowserContext): Promise<void> {
  const page = await context.newPage();
  await page.goto(`${coordinator.url}/join/${SLUG}`);
  await page.getByText("Deciding on discharge, insurance or payment", { exact: false }).first().waitFor();
  await page.getByRole("checkbox").check();
  await page.getByRole("button", { name: "Take part" }).click();
  await page.locator('input[type="file"][accept*="csv"]').first().setInputFiles(join(scratch, "own-0.csv"));
  await page.getByRole("button", { name: /[Aa]dd [\d,]+ row/ }).click();
  await page.getByRole("button", { name: "Start" }).first().click();
}

async function runsOf(page: Page): Promise<{ readonly roundsCommitted: number }[]> {
  return page.evaluate(async () => (await (await fetch("/api/v1/runs")).json()).items);
}

function expectNothingOfTheSample(): void {
  const recorded = proxy.recorded();
  const file = readFileSync(join(scratch, "sample.csv"));
  // What was recorded is real, and the canaries would be found.
  expect(recorded.includes(SLUG)).toBe(true);
  for (const canary of CANARIES) {
    expect(file.includes(canary), canary).toBe(true);
    expect(recorded.includes(canary), canary).toBe(false);
  }
  expect(recorded.includes(file.subarray(HEADER.length + 1, HEADER.length + 60))).toBe(false);
}
