import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import { parseTar } from "nanotar";
import { type Browser, type BrowserContext, chromium, type Locator, type Page } from "playwright";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { primitives } from "#shared/node/system.ts";
import { WIRE_VERSION } from "#shared/protocol/wire-version.ts";
import { parseVerifierKey } from "#shared/tlog/note.ts";
import { verifyInputReceipt } from "#shared/transcript/input-receipt.ts";
import { CHROMIUM_FLAGS, ensureChromium, openContext } from "#test/kit/browser.ts";
import { makePng } from "#test/kit/files/png.ts";
import { makeZip } from "#test/kit/files/zip.ts";
import { useToken } from "#test/kit/worlds/as-admin.ts";
import { freePort, openApi } from "#test/kit/worlds/coordinator-process.ts";

/*
 * The participant's page in a real browser against the real demo: five edges in their own processes, and a page that
 * agrees, adds data, trains, sends one masked list per round and shows the outcome.
 */

const ROOT = new URL("../..", import.meta.url).pathname;
const DIGITS = readFileSync(join(ROOT, "coordinator", "data", "digits.csv"), "utf8")
  .trim()
  .split("\n");
/** A name of this machine other than "localhost": browsers do not trust it over plain HTTP. */
const PLAIN_HOST = `${hostname().toLowerCase()}.local`;

/** The task's setting, which is no part of what people agree to. */
const INVITATION = "Lend a model your handwriting, and keep it";

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
      const token = /CHORUS_TOKEN=(cht_\S+)/.exec(said)?.[1];
      if (token !== undefined) useToken(base, token);
      if (/^round +1 /m.test(said)) resolve();
    };
    demo.stdout?.on("data", hear);
    demo.stderr?.on("data", hear);
    demo.on("exit", (code) => reject(new Error(`the demo ended with ${code}:\n${said}`)));
  });
  await ask("/tasks/digits/settings", { changes: { invitation: INVITATION } });
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
  writePictures();
});

/** Pictures of three kinds in an archive, two in a folder, and what is no picture beside them. */
function writePictures(): void {
  const values = Array.from({ length: 256 }, (_, at) => (at % 16 > 6 && at % 16 < 9 ? 0 : 255));
  const png = makePng({ width: 16, height: 16, depth: 8, colourType: 0, values });
  const made = (name: string) => readFileSync(new URL(`../vectors/data/pictures/${name}`, import.meta.url));
  const items = [
    { path: "digits/1/a.png", data: png },
    { path: "digits/2/a.jpg", data: made("exif-6.jpg") },
    { path: "digits/3/a.webp", data: made("lossless.webp") },
    { path: "digits/cats/a.png", data: png },
  ];
  writeFileSync(join(folder, "set.zip"), makeZip(items));
  writeFileSync(join(folder, "wrong.zip"), makeZip(items).subarray(0, 300));
  mkdirSync(join(folder, "set", "3"), { recursive: true });
  for (const name of ["a.png", "b.png"]) writeFileSync(join(folder, "set", "3", name), png);
  writeFileSync(join(folder, "set", "3", "notes.txt"), "hello");
}

afterAll(async () => {
  await browser?.close();
  await stopDemo();
  rmSync(folder, { recursive: true, force: true });
});

afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
});

/** Asks the demo's API like a script of its admin. */
const ask = <T>(path: string, body?: object): Promise<T> => openApi(base).ask<T>(path, body);

/** Opens a page and collects everything that the browser complains about: errors, refused content, failed requests. */
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
    if (message.type() === "error") complaints.push(`${message.text()} ${message.location().url}`);
  });
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => {
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
    });
  });
  await page.goto(`${base}/join/digits`);
  await page.getByRole("heading", { name: INVITATION, exact: true }).waitFor();
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
  await page.getByRole("button", { name: /[Aa]dd [\d,]+ row/ }).click();
  await page.getByText("40 drawings, stored in this browser and nowhere else.").waitFor();
}

/** The part of the page under a heading. */
const part = (page: Page, id: string): Locator => page.locator("section", { has: page.locator(`#${id}`) });
/** The line under the title has Pause, Start and the like; on phones they are at the bottom. */
const bar = (page: Page): Locator => page.getByRole("region", { name: "Current state" });

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

  test("the numbers of the consent follow from the task: five edges need three, so there are two others", async () => {
    const { page } = await openPage();
    await page.getByText("The list means nothing until it is added to at least 2 others.").waitFor();
    await page.getByText("A sum may be of 3 devices: too few to hide anyone; for trying out only.").waitFor();
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
    await page.getByText("--tls").waitFor();
    await page.getByText("Nothing was stored and nothing was sent.").waitFor();
    await expectNoAxeFindings(page);
  });

  test("[W14] a page of another version than its coordinator says so, and takes no part", async () => {
    const context = await openContext(browser);
    contexts.push(context);
    await context.route("**/api/v1/status", async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: { ...(await response.json()), wire: WIRE_VERSION + 1 } });
    });
    const page = await context.newPage();
    await page.goto(`${base}/join/digits`);
    const title = "This page and the coordinator are of different versions";
    await page.getByRole("heading", { name: title }).waitFor();
    await page.getByText("This device is older than its coordinator").waitFor();
    await expectNoAxeFindings(page);
  });

  test("a task that does not exist is said plainly", async () => {
    const { page } = await openPage();
    await page.goto(`${base}/join/no-such-task`);
    await page.getByRole("heading", { name: "There is no such task" }).waitFor();
  });
});

describe("a task by invitation", () => {
  test("[X67] [W24] its link lets a page join once, leaves the address, and is kept; without it the page says so", async () => {
    await ask("/tasks/digits/settings", { changes: { joining: "invitation" } });
    try {
      const wanted = { projectId: "default", task: "digits" };
      const { url, token } = await ask<{ readonly url: string; readonly token: string }>(
        "/join-tokens",
        wanted,
      );
      const { hash } = new URL(url);
      expect(hash).toBe(`#token=${token}`);
      const context = await openContext(browser);
      contexts.push(context);
      const page = await context.newPage();
      await page.goto(`${base}/join/digits`);
      await page.getByRole("heading", { name: "This task is by invitation" }).waitFor();
      await page.getByText("Open the link that you were given").waitFor();
      await page.getByText("Nothing was stored and nothing was sent.").waitFor();
      await expectNoAxeFindings(page);

      await page.goto("about:blank");
      await page.goto(`${base}/join/digits${hash}`);
      await page.getByRole("heading", { name: INVITATION, exact: true }).waitFor();
      await expect.poll(() => page.url()).toBe(`${base}/join/digits`);
      await page.reload();
      await expectLearnt(page);
      await agree(page);
      const other = await context.newPage();
      await other.goto(`${base}/join/digits/learnt`);
      await other.getByText("Every number here follows").waitFor();
      await other.close();
      await addRows(page);
      const refused: string[] = [];
      page.on("response", (response) => {
        if (response.url().includes("/api/") && response.status() >= 400) refused.push(response.url());
      });
      const read = page.waitForResponse(
        (response) => response.url().endsWith("/api/v1/tasks/digits") && response.ok(),
      );
      await bar(page).getByRole("button", { name: "Start" }).click();
      await bar(page).getByRole("button", { name: "Pause" }).waitFor();
      // While it waits, the page reads the task with what its device was given.
      await read;
      expect(refused).toEqual([]);
      // The device has enrolled, so that the token has no use left.
      await expect
        .poll(async () => {
          const { items } = await ask<{
            readonly items: readonly { readonly task: string | null; readonly used: number }[];
          }>("/join-tokens");
          return items.find(({ task }) => task === "digits")?.used;
        })
        .toBe(1);
    } finally {
      await ask("/tasks/digits/settings", { changes: { joining: "public" } });
    }
  });
});

/** What could be learnt is shown in another tab before anyone agrees, with the token of this tab's link. */
async function expectLearnt(page: Page): Promise<void> {
  const [learnt] = await Promise.all([
    page.waitForEvent("popup"),
    page.getByRole("link", { name: /What the coordinator could learn/ }).click(),
  ]);
  await learnt.getByText("Every number here follows").waitFor();
  await learnt.close();
}

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

  test("[D46] a folder of pictures, or a zip of them, is added with what was left out", async () => {
    const { page, complaints } = await openPage();
    await agree(page);
    await page.getByRole("button", { name: "Add picture files" }).click();
    await page.getByText("In it a folder for each class, called 0, 1, 2, 3 and so on, 10 in all").waitFor();
    await expectNoAxeFindings(page);
    await chooseFiles(page, "Choose a zip archive or IDX files", "set.zip");
    await page.getByText("3 drawings, stored in this browser and nowhere else.").waitFor();
    await page
      .getByText(/The folder “digits\/cats” is named after no class, so its 1 file was left out/)
      .waitFor();
    await page.getByRole("button", { name: "Add picture files" }).click();
    await chooseFiles(page, "Choose a folder", "set");
    await page.getByText("5 drawings, stored in this browser and nowhere else.").waitFor();
    // A document that a folder holds beside its pictures.
    await page.getByText(/“set\/3\/notes.txt” is no picture; PNG, JPEG and WebP are read/).waitFor();
    await page.getByRole("button", { name: "Add picture files" }).click();
    await chooseFiles(page, "Choose a zip archive or IDX files", "wrong.zip");
    await page.getByRole("alert").filter({ hasText: "is a zip archive that is cut short" }).waitFor();
    expect(await page.getByRole("button", { name: "Choose a folder" }).isEnabled()).toBe(true);
    expect(complaints).toEqual([]);
  });

  test("a wrong file is refused before it is added, bad rows are named, and a file that is not a picture is reported", async () => {
    const { page, complaints } = await openPage();
    await agree(page);
    await chooseFiles(page, "Use a picture file", "picture.png");
    await page.getByRole("alert").filter({ hasText: "is no picture; PNG, JPEG and WebP are read" }).waitFor();
    await page.getByRole("button", { name: "Add a CSV file" }).click();
    await chooseFiles(page, "Choose a file", "wrong.csv");
    await page.getByRole("alert").filter({ hasText: "Nothing was added." }).waitFor();
    expect(await page.getByRole("button", { name: /[Aa]dd [\d,]+ row/ }).count()).toBe(0);
    await chooseFiles(page, "Choose another file", "mine.csv");
    await page.getByText("42 rows read, 40 taken, 2 left out").first().waitFor();
    await expectNoAxeFindings(page);
    await page.getByRole("button", { name: /[Aa]dd [\d,]+ row/ }).click();
    await page
      .getByText(
        /42 rows read, 40 taken, 2 left out\. Row 41 has 3 columns where 65 are needed\. Row 42 is labelled “x”/,
      )
      .waitFor();
    await page.reload();
    await page.getByText("40 drawings, stored in this browser and nowhere else.").waitFor();
    expect(complaints).toEqual([]);
  });
});

/** What left this device in its newest round, by part, and the total. */
async function bytesThatLeft(page: Page): Promise<number[]> {
  const cells = await part(page, "left").locator("tbody td.num").allTextContents();
  return cells.map((cell) => Number(cell.replaceAll(",", "")));
}

/** Pauses or resumes the demo's run, like a script. */
async function actOnRun(act: "pause" | "resume", until: string): Promise<void> {
  const { items } = await ask<{ readonly items: readonly { readonly runId: string }[] }>("/runs");
  const run = `/runs/${items[0]?.runId}`;
  await ask(`${run}/${act}`, {});
  const state = async () => (await ask<{ readonly state: string }>(run)).state;
  await expect.poll(state).toBe(until);
}

/** Rounds follow each other at once: only a pause of the run leaves a page between two of them. */
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
      .getByText(
        /^You were one of \d voices\. The sum became (?:version|the model of round) \d+, which is right for/,
      )
      .waitFor();
    await pauseBetweenRounds(page);
    await went
      .getByText("Your masked list is in this sum: its fingerprint leads to the published root.")
      .waitFor();
    // [A7] It looked up the sum as everyone sees it.
    await went.getByText("The round's own page shows the same root that this device was told").waitFor();
    expect(await went.getByText("This coordinator keeps no public log.").count()).toBe(0);

    const left = part(page, "left");
    const counts = await bytesThatLeft(page);
    const total = counts.pop() ?? 0;
    expect(counts).toHaveLength(4);
    expect(counts.every((count) => count > 0)).toBe(true);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(total);
    await left.getByText(`${total.toLocaleString("en-US")} bytes, in four parts.`).waitFor();
    await left.getByText("Every value is as likely as any other.").waitFor();

    // [A72] The receipt leads to the coordinator's public log, and is checked without it.
    const proof = await download(page, "Download the receipt");
    const command = (await went.locator("code", { hasText: "npm run log -- verify" }).textContent()) ?? "";
    const key = await parseVerifierKey(primitives, command.split("--key ")[1] ?? "");
    if (!key.ok) throw new Error(key.error.sentence);
    const held = await verifyInputReceipt(primitives, proof.toString("utf8"), key.value);
    expect(held).toMatchObject({ ok: true, value: { origin: key.value.name } });
    const receipt = await download(page, "What this device noted (JSON)");
    const { maskedList, bytes } = JSON.parse(receipt.toString("utf8")) as {
      maskedList: { sha256: string; root: string };
      bytes: { maskedListByteCount: number };
    };
    if (held.ok) expect(held.value.inputRoot).toBe(maskedList.root);
    if (process.env["SHOTS"]) await went.screenshot({ path: `/tmp/govern-shots/went.png` });
    const archive = await download(page, "Download exactly these bytes");
    // The masked list is the entry of the tar whose digest is on the receipt.
    const list = parseTar(Uint8Array.from(archive))
      .map(({ data }) => data ?? new Uint8Array(0))
      .find((entry) => createHash("sha256").update(entry).digest("hex") === maskedList.sha256);
    expect(list?.length).toBeGreaterThan(4 * 2_410);
    expect(list?.length).toBeLessThanOrEqual(bytes.maskedListByteCount);
    await expectNoAxeFindings(page);
    // Drawings are redrawn at a new width, and none makes the page too wide.
    await page.setViewportSize({ width: 320, height: 800 });
    await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);

    const second = await openPage({ context });
    await bar(second.page).getByRole("button", { name: "Start" }).click();
    await bar(second.page).getByText("Another tab of this browser takes part").waitFor();
    expect([...complaints, ...second.complaints]).toEqual([]);
  });

  test("the model answers offline, and everything can be deleted again", async () => {
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

describe("without a network", () => {
  test("[W21] the page says so at once, and goes on once the browser is online", async () => {
    const { page, context } = await openPage();
    await agree(page);
    await addRows(page);
    await bar(page).getByRole("button", { name: "Start" }).click();
    await part(page, "went")
      .getByText(/^You were one of/)
      .waitFor();
    const lost = bar(page).getByText(/^No connection since \d\d:\d\d:\d\d UTC$/);
    expect(await lost.count()).toBe(0);
    // The page listens before the network goes, or it would miss the event. The handle holds a promise.
    const noticed = await page.evaluateHandle(() => ({
      ms: new Promise<number>((resolve) => {
        addEventListener("offline", () => {
          const beganMs = performance.now();
          const look = () =>
            document.body.innerText.includes("No connection since")
              ? resolve(performance.now() - beganMs)
              : requestAnimationFrame(look);
          look();
        });
      }),
    }));
    await context.setOffline(true);
    expect(await noticed.evaluate(({ ms }) => ms)).toBeLessThan(1_000);
    await context.setOffline(false);
    await lost.waitFor({ state: "detached" });
    // It takes part again, without anyone's help.
    await bar(page).getByRole("button", { name: "Pause" }).waitFor();
    const rounds = await part(page, "went").innerText();
    await expect.poll(() => part(page, "went").innerText()).not.toBe(rounds);
  });
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
    await bar(page)
      .getByText(/Figures date from then\.$/)
      .waitFor();
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
