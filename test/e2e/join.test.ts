import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import { type Browser, type BrowserContext, chromium, type Locator, type Page } from "playwright";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { CHROMIUM_FLAGS, ensureChromium, openContext } from "#test/kit/browser.ts";

/*
 * The participant's page in a real browser against the real demo: five edges as processes of their own, and a page that
 * agrees, brings data, trains, sends one masked list a round and shows what became of it.
 */

const ROOT = new URL("../..", import.meta.url).pathname;
const DIGITS = readFileSync(join(ROOT, "coordinator", "data", "digits.csv"), "utf8")
  .trim()
  .split("\n");
/** A name of this machine that is not "localhost": browsers do not trust it over plain HTTP. */
const PLAIN_HOST = `${hostname().toLowerCase()}.local`;

let folder: string;
let base: string;
let port: number;
let demo: ChildProcess;
let browser: Browser;
const contexts: BrowserContext[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "chorus-join-"));
  port = await freePort();
  base = `http://localhost:${port}`;
  const args = [
    "--clients",
    "5",
    "--rounds",
    "5000",
    "--port",
    String(port),
    "--data",
    join(folder, "state"),
  ];
  demo = spawn(process.execPath, [join(ROOT, "coordinator", "commands", "demo.ts"), ...args], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  await new Promise<void>((resolve, reject) => {
    const hear = (text: Buffer) => {
      said = (said + text.toString()).slice(-8_000);
      if (/^round +1 /m.test(said)) resolve();
    };
    demo.stdout?.on("data", hear);
    demo.stderr?.on("data", hear);
    demo.on("exit", (code) => reject(new Error(`the demo ended with ${code}:\n${said}`)));
  });
  browser = await chromium.launch({
    executablePath: await ensureChromium(console.log),
    args: [...CHROMIUM_FLAGS, `--host-resolver-rules=MAP ${PLAIN_HOST} 127.0.0.1`],
  });
  writeFileSync(
    join(folder, "mine.csv"),
    [...DIGITS.slice(0, 41), "1,2,3", DIGITS[50]?.replace(/\d$/, "x")].join("\n"),
  );
  writeFileSync(join(folder, "wrong.csv"), "age,deny\n31,no\n");
  writeFileSync(join(folder, "picture.png"), "this is no picture");
});

afterAll(async () => {
  await browser?.close();
  await stopDemo();
  rmSync(folder, { recursive: true, force: true });
});

afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
});

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, () => resolve()));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** A page and everything that a browser complains about in it: errors, refused content, failed requests. */
async function openPage(options: { width?: number; dark?: boolean; context?: BrowserContext } = {}) {
  const { width = 1280 } = options;
  const context =
    options.context ??
    (await openContext(browser, {
      viewport: { width, height: 900 },
      colorScheme: options.dark === true ? "dark" : "light",
      reducedMotion: "reduce",
      hasTouch: width < 500,
      isMobile: width < 500,
    }));
  if (options.context === undefined) contexts.push(context);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => {
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
    });
  });
  await page.goto(`${base}/join/digits`);
  await page.getByRole("heading", { name: /^Help a model read/ }).waitFor();
  return { page, context, complaints };
}

async function agree(page: Page): Promise<void> {
  await page.getByRole("checkbox", { name: /I agree/ }).check();
  await page.getByRole("button", { name: "Take part", exact: true }).click();
  await page.getByRole("heading", { name: "What you agreed to" }).waitFor();
}

async function chooseFiles(page: Page, button: string, ...names: string[]): Promise<void> {
  const [chooser] = await Promise.all([
    page.waitForEvent("filechooser"),
    part(page, "data").getByRole("button", { name: button }).click(),
  ]);
  await chooser.setFiles(names.map((name) => join(folder, name)));
}

async function addRows(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Add a CSV file" }).click();
  await chooseFiles(page, "Choose a file", "mine.csv");
  await page.getByRole("button", { name: "Add these rows" }).click();
  await page.getByText("40 drawings, stored in this browser and nowhere else.").waitFor();
}

/** The part of the page under a heading. */
const part = (page: Page, id: string): Locator => page.locator("section", { has: page.locator(`#${id}`) });
/** Pause, Start and the like stand in the line under the title, and on phones at the bottom. */
const bar = (page: Page): Locator => page.getByRole("region", { name: "How things stand" });

async function drawSeven(page: Page, pad: Locator): Promise<void> {
  await pad.scrollIntoViewIfNeeded();
  const box = await pad.boundingBox();
  if (box === null) throw new Error("the pad is not on the page");
  const at = (x: number, y: number) =>
    page.mouse.move(box.x + x * box.width, box.y + y * box.height, { steps: 6 });
  await at(0.3, 0.2);
  await page.mouse.down();
  await at(0.7, 0.2);
  await at(0.45, 0.85);
  await page.mouse.up();
}

async function expectNoAxeFindings(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(
    violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`),
  ).toEqual([]);
}

describe("before one agrees", () => {
  test("only the first part is open, and Not now stores and sends nothing", async () => {
    const { page, complaints } = await openPage();
    const posted: string[] = [];
    page.on("request", (request) => request.method() !== "GET" && posted.push(request.url()));
    expect(await page.getByRole("application").count()).toBe(0);
    expect(await page.getByRole("checkbox", { name: /I agree/ }).isChecked()).toBe(false);
    await page.getByRole("button", { name: "Take part", exact: true }).click();
    await page.getByRole("alert").filter({ hasText: "Tick the box" }).waitFor();
    await page.getByRole("button", { name: "Not now" }).click();
    await page.getByText("Nothing was stored and nothing was sent.").waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "What you agree to" }).waitFor();
    expect(posted).toEqual([]);
    expect(complaints).toEqual([]);
  });

  test("the numbers of the consent are those of the task: five edges need three, so there are two others", async () => {
    const { page } = await openPage();
    await page.getByText("until it is added to at least 2 others, and the keys to mask it").waitFor();
    await page.getByText("Demo: 5 devices. Too few to hide anyone; for trying out only.").waitFor();
    const buttons = ["Take part", "Not now"].map((name) => page.getByRole("button", { name, exact: true }));
    const [yes, no] = await Promise.all(
      buttons.map((button) =>
        button.evaluate((node) => [getComputedStyle(node).backgroundColor, node.clientWidth]),
      ),
    );
    expect(yes).toEqual(no);
  });

  test("another device over plain HTTP is told why it cannot join", async () => {
    const context = await openContext(browser);
    contexts.push(context);
    const page = await context.newPage();
    await page.goto(`http://${PLAIN_HOST}:${port}/join/digits`);
    await page.getByRole("heading", { name: "This device cannot take part over this address" }).waitFor();
    await page.getByText("--tls-cert").waitFor();
    await page.getByText("Nothing was stored and nothing was sent.").waitFor();
    await expectNoAxeFindings(page);
  });

  test("a task that does not exist is said plainly", async () => {
    const { page } = await openPage();
    await page.goto(`${base}/join/no-such-task`);
    await page.getByRole("heading", { name: "There is no such task" }).waitFor();
  });
});

describe("bringing data", () => {
  test("a drawing by pointer, one by keyboard, and none without a class", async () => {
    const { page, complaints } = await openPage();
    await agree(page);
    const pad = page.getByRole("application", { name: "Drawing pad for a drawing to train on" });
    await drawSeven(page, pad);
    await page.getByRole("button", { name: "Keep this drawing" }).click();
    await page.getByRole("alert").filter({ hasText: "Say what the drawing shows." }).waitFor();
    await page.getByRole("radio", { name: "7", exact: true }).check({ force: true });
    await page.getByRole("button", { name: "Keep this drawing" }).click();
    await page.getByText("1 drawing, stored in this browser and nowhere else.").waitFor();
    await pad.focus();
    for (const key of [
      "ArrowUp",
      "ArrowUp",
      "Space",
      ...Array.from({ length: 6 }, () => "ArrowDown"),
      "Space",
    ]) {
      await page.keyboard.press(key);
    }
    await page.getByText("Pen up, column 9, row 13.").waitFor({ state: "attached" });
    await page.getByRole("radio", { name: "1", exact: true }).check({ force: true });
    await page.getByRole("button", { name: "Keep this drawing" }).click();
    await page.getByText("2 drawings, stored in this browser and nowhere else.").waitFor();
    await page.getByRole("button", { name: "Remove a drawing" }).click();
    await expectNoAxeFindings(page);
    await page.getByRole("button", { name: "Remove this 1" }).click();
    await page.getByText("1 drawing, stored in this browser and nowhere else.").waitFor();
    expect(complaints).toEqual([]);
  });

  test("a wrong file is refused before it is added, bad rows are named, a picture that is none is said", async () => {
    const { page, complaints } = await openPage();
    await agree(page);
    await chooseFiles(page, "Use a picture file", "picture.png");
    await page.getByRole("alert").filter({ hasText: "PNG or JPEG" }).waitFor();
    await page.getByRole("button", { name: "Add a CSV file" }).click();
    await chooseFiles(page, "Choose a file", "wrong.csv");
    await page.getByRole("alert").filter({ hasText: "Nothing was added." }).waitFor();
    expect(await page.getByRole("button", { name: "Add these rows" }).count()).toBe(0);
    await chooseFiles(page, "Choose another file", "mine.csv");
    await page.getByText("40 rows can be used, 2 cannot.").waitFor();
    await expectNoAxeFindings(page);
    await page.getByRole("button", { name: "Add these rows" }).click();
    await page
      .getByText(
        /40 rows read, 2 left out\. Row 41 has 3 columns where 65 are needed\. Row 42 is labelled “x”/,
      )
      .waitFor();
    await page.reload();
    await page.getByText("40 drawings, stored in this browser and nowhere else.").waitFor();
    expect(complaints).toEqual([]);
  });
});

/** What left this device in its newest round, by part, and the sum of it. */
async function bytesThatLeft(page: Page): Promise<number[]> {
  const cells = await part(page, "left").locator("tbody td.num").allTextContents();
  return cells.map((cell) => Number(cell.replaceAll(",", "")));
}

/** Pauses or resumes the demo's run, as a script does. */
async function actOnRun(act: "pause" | "resume", until: string): Promise<void> {
  const { items } = (await (await fetch(`${base}/api/v1/runs`)).json()) as { items: { runId: string }[] };
  const url = `${base}/api/v1/runs/${items[0]?.runId}`;
  const headers = { "content-type": "application/json" };
  expect((await fetch(`${url}/${act}`, { method: "POST", headers, body: "{}" })).ok).toBe(true);
  const state = async () => ((await (await fetch(url)).json()) as { state: string }).state;
  await expect.poll(state).toBe(until);
}

/** Rounds follow one another at once: only a pause of the run leaves a page between two of them. */
async function pauseBetweenRounds(page: Page): Promise<void> {
  await actOnRun("pause", "paused");
  const isWhole = async () => {
    const counts = await bytesThatLeft(page);
    return counts.length === 5 && counts.every((count) => count > 0);
  };
  await expect.poll(isWhole).toBe(true);
  await bar(page).getByRole("button", { name: "Pause" }).click();
  await bar(page).getByText("Paused", { exact: true }).waitFor();
  await actOnRun("resume", "running");
}

describe("taking part", () => {
  test("trains, sends one masked list, is in the sum, and shows every byte that left", async () => {
    const { page, context, complaints } = await openPage();
    await agree(page);
    await addRows(page);
    await bar(page).getByRole("button", { name: "Start" }).click();
    const went = part(page, "went");
    await went
      .getByText(/^You were one of \d voices\. The sum became version \d+, which is right for/)
      .waitFor();
    await pauseBetweenRounds(page);
    await went
      .getByText("Your masked list is in this sum: its fingerprint leads to the published root.")
      .waitFor();
    // [A7] And it looked the sum up as everyone sees it.
    await went.getByText("The round's own page names the same root as you were told").waitFor();
    await went.getByText("This coordinator keeps no public log.").waitFor();

    const left = part(page, "left");
    const counts = await bytesThatLeft(page);
    const total = counts.pop() ?? 0;
    expect(counts).toHaveLength(4);
    expect(counts.every((count) => count > 0)).toBe(true);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(total);
    await left.getByText(`${total.toLocaleString("en-US")} bytes, in four parts.`).waitFor();
    await left.getByText("Every value is as likely as any other.").waitFor();

    const receipt = await download(page, "Download the receipt");
    const { maskedList, bytes } = JSON.parse(receipt.toString("utf8")) as {
      maskedList: { sha256: string };
      bytes: { maskedListByteCount: number };
    };
    const archive = await download(page, "Download exactly these bytes");
    // The masked list is the entry of the tar whose digest is on the receipt.
    const entries = tarEntries(archive);
    const list = entries.find(
      (entry) => createHash("sha256").update(entry).digest("hex") === maskedList.sha256,
    );
    expect(list?.length).toBeGreaterThan(4 * 2_410);
    expect(list?.length).toBeLessThanOrEqual(bytes.maskedListByteCount);
    await expectNoAxeFindings(page);
    // Drawings are redrawn at a new width, and none holds the page wide.
    await page.setViewportSize({ width: 320, height: 800 });
    await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);

    const second = await openPage({ context });
    await bar(second.page).getByRole("button", { name: "Start" }).click();
    await bar(second.page).getByText("Another tab of this browser takes part").waitFor();
    expect([...complaints, ...second.complaints]).toEqual([]);
  });

  test("the model answers offline, and everything can be taken away again", async () => {
    const { page, context } = await openPage();
    await agree(page);
    await addRows(page);
    await bar(page).getByRole("button", { name: "Start" }).click();
    await part(page, "went")
      .getByText(/^You were one of/)
      .waitFor();
    await bar(page).getByRole("button", { name: "Pause" }).click();
    await context.setOffline(true);
    const use = part(page, "use");
    await drawSeven(page, use.getByRole("application"));
    await use.getByText("It says 7, with").waitFor();
    expect(await use.getByRole("listitem").count()).toBe(10);
    await context.setOffline(false);
    await page.getByRole("button", { name: "Delete my data…" }).click();
    await page.getByText("This cannot be undone.").waitFor();
    await page.getByRole("button", { name: "Delete all of it" }).click();
    await page.getByRole("heading", { name: "What you agree to" }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "What you agree to" }).waitFor();
    await agree(page);
    await page.getByText("No drawings yet.").waitFor();
    await part(page, "left").getByText("Nothing has left.").waitFor();
  });
});

describe("on a phone", () => {
  for (const width of [320, 375]) {
    for (const dark of [false, true]) {
      test(`${width} px, ${dark ? "dark" : "light"}: nothing scrolls sideways, controls are tall enough, axe finds nothing`, async () => {
        const { page, complaints } = await openPage({ width, dark });
        await expectNoAxeFindings(page);
        await agree(page);
        await addRows(page);
        const dock = page.getByRole("region", { name: "Pause and leave" });
        await dock.getByRole("button", { name: "Start" }).click();
        await part(page, "went")
          .getByText(/^You were one of/)
          .waitFor();
        const sizes = await page.evaluate(() => ({
          wide: document.documentElement.scrollWidth - innerWidth,
          low: [...document.querySelectorAll("main button.btn, main select, main summary")]
            .filter((node) => node.getClientRects().length > 0)
            .flatMap((node) => (node.getBoundingClientRect().height < 44 ? [node.textContent] : [])),
        }));
        expect(sizes).toEqual({ wide: 0, low: [] });
        await expectNoAxeFindings(page);
        expect(complaints).toEqual([]);
      });
    }
  }
});

describe("when the coordinator goes away", () => {
  test("the page says since when, and what that means", async () => {
    const { page } = await openPage();
    await agree(page);
    await addRows(page);
    await bar(page).getByRole("button", { name: "Start" }).click();
    await bar(page).getByRole("button", { name: "Pause" }).waitFor();
    await stopDemo();
    await bar(page)
      .getByText(/^No connection since \d\d:\d\d:\d\d UTC$/)
      .waitFor();
    await bar(page).getByText("Training goes on here; nothing is sent. Figures date from then.").waitFor();
  });
});

async function stopDemo(): Promise<void> {
  if (demo === undefined || demo.exitCode !== null) return;
  demo.kill("SIGINT");
  await once(demo, "exit");
}

async function download(page: Page, button: string): Promise<Buffer> {
  const event = page.waitForEvent("download");
  await page.getByRole("button", { name: button }).click();
  return readFileSync(await (await event).path());
}

/** The files of a tar, by its own headers. Source: POSIX ustar, 512-byte blocks, size in octal at byte 124. */
function tarEntries(bytes: Buffer): Buffer[] {
  const entries: Buffer[] = [];
  for (let offset = 0; offset + 512 <= bytes.length && bytes[offset] !== 0; ) {
    const size = Number.parseInt(bytes.toString("ascii", offset + 124, offset + 135), 8);
    entries.push(bytes.subarray(offset + 512, offset + 512 + size));
    offset += 512 + Math.ceil(size / 512) * 512;
  }
  return entries;
}
