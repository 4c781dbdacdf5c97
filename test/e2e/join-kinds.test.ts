import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Locator, type Page } from "playwright";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type BundledTask, bundledTask } from "#coordinator/data/tasks.ts";
import { CHROMIUM_FLAGS, ensureChromium, openContext } from "#test/kit/browser.ts";
import { makePng } from "#test/kit/files/png.ts";
import { openRecordingProxy, type RecordingProxy } from "#test/kit/recording-proxy.ts";
import {
  type CoordinatorProcess,
  freePort,
  openApi,
  spawnCoordinator,
  until,
} from "#test/kit/worlds/coordinator-process.ts";
import { axeFindings, buildPages, openPage, overflowOf } from "#test/kit/worlds/web-pages.ts";

/*
 * Each new kind of task in a real page beside two edges, to a committed round. All that the page sends is recorded: the
 * table of one of them has other names than the task's, and nothing of it may leave.
 */

const root = new URL("../..", import.meta.url).pathname;
const EDGES = 2;
const scratch = mkdtempSync(join(tmpdir(), "chorus-kinds-"));
let coordinator: CoordinatorProcess;
let proxy: RecordingProxy;
let browser: Browser;
const edges: ChildProcess[] = [];
const contexts: BrowserContext[] = [];

beforeAll(async () => {
  await buildPages();
  coordinator = await spawnCoordinator({
    port: await freePort(),
    dataDir: join(scratch, "data"),
    pages: true,
  });
  proxy = await openRecordingProxy(coordinator.url);
  browser = await chromium.launch({
    executablePath: await ensureChromium(console.log),
    args: [...CHROMIUM_FLAGS],
  });
});
afterEach(async () => {
  for (const edge of edges.splice(0)) edge.kill("SIGKILL");
  for (const context of contexts.splice(0)) await context.close();
});
afterAll(async () => {
  await browser?.close();
  await proxy?.close();
  await coordinator?.kill();
  rmSync(scratch, { recursive: true, force: true });
});

const part = (page: Page, id: string): Locator => page.locator("section", { has: page.locator(`#${id}`) });

/** Every `EDGES + 1`th row of a bundled table, from row `index`. */
function shareOf(kind: BundledTask, index: number, rowsMax = 120): string[] {
  const [header = "", ...rows] = readFileSync(join(root, "coordinator/data", `${kind}.csv`), "utf8")
    .trim()
    .split("\n");
  return [header, ...rows.filter((_, row) => row % (EDGES + 1) === index).slice(0, rowsMax)];
}

/** The task for three devices. */
async function publish(kind: BundledTask): Promise<void> {
  await openApi(coordinator.url).createTask(bundledTask(kind, EDGES + 1, 1));
}

function startEdge(kind: BundledTask, index: number, data: string, ...more: string[]): void {
  const args = [join(root, "client/commands/edge.ts"), "--coordinator", coordinator.url, "--task", kind];
  args.push("--data", data, "--state", join(scratch, `${kind}-${index}`), "--backend", "cpu", ...more);
  edges.push(spawn(process.execPath, args, { cwd: root, stdio: "ignore" }));
}

/** Opens the join page of a task through the proxy, and agrees. */
async function agree(kind: BundledTask): Promise<Page> {
  const context = await openContext(browser, {
    viewport: { width: 1_280, height: 900 },
    reducedMotion: "reduce",
  });
  contexts.push(context);
  const { page } = await openPage(context, `${proxy.url}/join/${kind}`);
  await page.getByRole("checkbox", { name: /I agree/ }).check();
  await page.getByRole("button", { name: "Take part", exact: true }).click();
  await page.getByRole("heading", { name: "What you agreed to" }).waitFor();
  return page;
}

const chooseTable = (page: Page, path: string) =>
  page.locator('input[type="file"][accept*="csv"]').first().setInputFiles(path);
const addRows = (page: Page) => page.getByRole("button", { name: /[Aa]dd [\d,]+ row/ }).click();

/** Launches one round and waits until this page's list is in the sum. */
async function takePart(page: Page, kind: BundledTask): Promise<void> {
  await page.getByRole("button", { name: "Start" }).first().click();
  await openApi(coordinator.url).launch({ task: kind, rounds: 1 });
  await part(page, "went")
    .getByText(/^You were one of 3/)
    .waitFor();
  await until("the committed round", 120_000, async () => {
    const { items } = await openApi(coordinator.url).ask<{
      items: { task: { slug: string } | string; roundsCommitted: number }[];
    }>("/runs");
    return items.some((run) => JSON.stringify(run.task).includes(kind) && run.roundsCommitted === 1);
  });
}

async function withEdges(kind: BundledTask): Promise<void> {
  await publish(kind);
  for (let index = 1; index <= EDGES; index++) {
    const path = join(scratch, `${kind}-${index}.csv`);
    writeFileSync(path, `${shareOf(kind, index).join("\n")}\n`);
    startEdge(kind, index, path);
  }
}

describe("a number: cps1998", () => {
  /** Names and words of the person's table. They stand in no bundled file. */
  const CANARIES = ["Lebensalter-7Q", "Heimat-7Q", "canary-west", "canary-ward", "Notiz-7Q"];

  /** The table as a person has it: other names and words, decimal commas, a column of its own. */
  function ownTable(): string {
    const [, ...rows] = shareOf("cps1998", 0);
    const lines = rows.map((row) => {
      const [earnings = "", gender, age, region, education] = row.split(",");
      const place = region === "West" ? "canary-west" : region;
      return [earnings.replace(".", ","), gender, age, place, education, "canary-ward"].join(";");
    });
    return `hourly earnings;gender;Lebensalter-7Q;Heimat-7Q;education;Notiz-7Q\n${lines.join("\n")}\n`;
  }

  test("[F8] is mapped on the page, the downloaded mapping serves an edge, and nothing of the table leaves", async () => {
    const kind = "cps1998";
    await publish(kind);
    const own = join(scratch, "own.csv");
    writeFileSync(own, ownTable());
    const page = await agree(kind);
    await chooseTable(page, own);
    await page.getByText(/of your columns needs? a look/).waitFor();
    await page.getByLabel("Your column for age").selectOption({ label: "Lebensalter-7Q" });
    await page.getByLabel("Your column for region").selectOption({ label: "Heimat-7Q" });
    await page.getByLabel(/“canary-west”/).selectOption("West");
    await page.getByRole("heading", { name: "Your file fits" }).waitFor();
    expect(await axeFindings(page)).toEqual([]);
    for (const width of [320, 375]) {
      await page.setViewportSize({ width, height: 800 });
      await expect.poll(() => overflowOf(page)).toBeLessThanOrEqual(0);
      await page.getByRole("region", { name: "Add the rows" }).getByText("120 of 120 rows").waitFor();
    }
    await page.setViewportSize({ width: 1_280, height: 900 });
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Download these choices" }).click(),
    ]);
    expect(download.suggestedFilename()).toBe("mapping-cps1998.json");
    const mapping = join(scratch, "mapping.json");
    await download.saveAs(mapping);
    await addRows(page);
    await page.getByText("120 people, stored in this browser and nowhere else.").waitFor();

    startEdge(kind, 1, own, "--mapping", mapping);
    const plain = join(scratch, "plain.csv");
    writeFileSync(plain, `${shareOf(kind, 2).join("\n")}\n`);
    startEdge(kind, 2, plain);
    await takePart(page, kind);
    await part(page, "training")
      .getByText(
        /the round's model was off by [\d.]+\sdollars an hour on average, yours after training by [\d.]+\./,
      )
      .waitFor();
    const use = part(page, "use");
    await use.getByRole("button", { name: "Ask about this person" }).click();
    await use.getByText(/^It says [\d.]+\sdollars an hour\.$/).waitFor();
    // The file that was remembered is read without a question.
    await page.getByRole("button", { name: "Add a CSV file" }).click();
    await chooseTable(page, own);
    await page.getByText("It was read as you said then.").waitFor();

    const file = readFileSync(own);
    const cell = Buffer.from(ownTable().split("\n")[3] ?? "");
    expect(cell.length).toBeGreaterThan(20);
    const sought = [...CANARIES, cell.toString()].flatMap((text) => [
      text,
      Buffer.from(text).toString("base64").slice(0, -4),
    ]);
    const found = () => sought.filter((text) => proxy.recorded().includes(text));
    for (const text of [...CANARIES, cell]) expect(file.includes(text), String(text)).toBe(true);
    expect(proxy.recorded().includes(kind)).toBe(true);
    expect(found()).toEqual([]);
    // Control: what a page sends in a request, and in a frame of a socket, would be found.
    await page.evaluate(
      async ([inRequest, inFrame]) => {
        await fetch(`/api/v1/tasks?note=${inRequest}`);
        await new Promise<void>((resolve) => {
          const socket = new WebSocket(
            `${location.origin.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`,
          );
          socket.onopen = () => {
            socket.send(`4${inFrame}`);
            setTimeout(resolve, 500);
          };
          socket.onerror = () => resolve();
        });
      },
      CANARIES.slice(2, 4) as [string, string],
    );
    await expect.poll(found).toEqual(["canary-west", "canary-ward"]);
  });
});

test("two classes with one output: tumours", async () => {
  await withEdges("tumours");
  const page = await agree("tumours");
  const path = join(scratch, "tumours-0.csv");
  writeFileSync(path, `${shareOf("tumours", 0).join("\n")}\n`);
  await chooseTable(page, path);
  await addRows(page);
  await takePart(page, "tumours");
  await part(page, "training")
    .getByText(/that you keep back, the round's model was right for \d+, yours after training for \d+\./)
    .waitFor();
  const use = part(page, "use");
  await use.getByRole("button", { name: /^Ask about this/ }).click();
  await use.getByText(/^It says (benign|malignant), with [<>]?\s?\d+\s% confidence\.$/).waitFor();
  expect(await use.getByRole("listitem").count()).toBe(2);
});

test("a series: pen-digits", async () => {
  await withEdges("pen-digits");
  const page = await agree("pen-digits");
  const [header = "", first = "", ...rows] = shareOf("pen-digits", 0);
  const path = join(scratch, "pen-digits-0.csv");
  writeFileSync(path, `${[header, ...rows].join("\n")}\n`);
  await chooseTable(page, path);
  await addRows(page);
  await takePart(page, "pen-digits");
  const use = part(page, "use");
  // A line of a table without its label.
  await use.getByLabel("Numbers to paste").fill(first.split(",").slice(0, -1).join(","));
  await use.getByRole("img", { name: /^Across: from 13 to/ }).waitFor();
  await use.getByRole("button", { name: "Ask about this stroke" }).click();
  await use.getByText(/^It says \d, with/).waitFor();
  await use.getByLabel("Numbers to paste").fill("1 2 3");
  await use.getByRole("button", { name: "Ask about this stroke" }).click();
  await use.getByText("The series has 16 numbers, 2 for each of 8 steps; here are 3.").waitFor();
  expect(await axeFindings(page)).toEqual([]);
});

test("colour pictures: emoji, drawn in colour", async () => {
  await withEdges("emoji");
  const page = await agree("emoji");
  // A pad draws grey ink, so such a task has none.
  expect(await page.getByRole("application").count()).toBe(0);
  const path = join(scratch, "emoji-0.csv");
  writeFileSync(path, `${shareOf("emoji", 0).join("\n")}\n`);
  await page.getByRole("button", { name: "Add a CSV file" }).click();
  await chooseTable(page, path);
  await addRows(page);
  await takePart(page, "emoji");
  const use = part(page, "use");
  const red = makePng({
    ...{ width: 24, height: 24, depth: 8, colourType: 2 },
    values: Array.from({ length: 24 * 24 * 3 }, (_, at) => (at % 3 === 0 ? 220 : 30)),
  });
  await use
    .locator('input[type="file"]')
    .setInputFiles({ name: "red.png", mimeType: "image/png", buffer: Buffer.from(red) });
  await use.getByText(/^It says \S.*, with/).waitFor();
  await expect
    .poll(() =>
      use.getByRole("img", { name: /as the model sees it/ }).evaluate((canvas) => {
        const context = (canvas as HTMLCanvasElement).getContext("2d");
        return [...(context?.getImageData(4, 4, 1, 1).data ?? [])];
      }),
    )
    .toEqual([220, 30, 30, 255]);
});

test("[W22] an archived task is told at once: to a page that waits, and to one that opens", async () => {
  const page = await agree("tumours");
  const path = join(scratch, "tumours-0.csv");
  await chooseTable(page, path);
  await addRows(page);
  await page.getByRole("button", { name: "Start" }).first().click();
  await page
    .getByText(/Waiting for the next run/)
    .first()
    .waitFor();
  await openApi(coordinator.url).ask("/tasks/tumours/archive", {});
  const bar = page.getByRole("region", { name: "Current state" });
  await bar.getByText("This task is archived").waitFor();
  expect(await page.getByRole("button", { name: "Start" }).count()).toBe(0);
  const { page: newcomer } = await openPage(page.context(), `${proxy.url}/join/tumours`);
  await newcomer.getByText("This task is archived").first().waitFor();
  const stranger = await openContext(browser);
  contexts.push(stranger);
  const { page: opened } = await openPage(stranger, `${proxy.url}/join/tumours`);
  await opened.getByText("This task is archived").first().waitFor();
  expect(await opened.getByRole("checkbox").count()).toBe(0);
});

test("[W22] after site data were cleared, nothing is said to be stored", async () => {
  const page = await agree("pen-digits");
  await chooseTable(page, join(scratch, "pen-digits-0.csv"));
  await addRows(page);
  const stored = page.getByText(/strokes, stored in this browser and nowhere else/);
  await stored.waitFor();
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Storage.clearDataForOrigin", {
    origin: new URL(proxy.url).origin,
    storageTypes: "all",
  });
  await page.getByRole("heading", { name: "This page no longer takes part" }).waitFor();
  await page.getByText(/may be gone from this browser/).waitFor();
  expect(await stored.count()).toBe(0);
  expect(await page.getByText(/(is|are) stored in this browser/).count()).toBe(0);
  await page.getByRole("button", { name: "Start again" }).click();
  await page.getByRole("heading", { name: "What you agree to" }).waitFor();
  await page.getByText("You have not agreed to anything yet").first().waitFor();
  expect(await stored.count()).toBe(0);
});
