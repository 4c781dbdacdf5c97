import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium } from "playwright";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { CHROMIUM_FLAGS, ensureChromium, openContext } from "#test/kit/browser.ts";

/* The link that the demo prints, opened in a real browser, as a person does who has just started the demo. */

const DEMO = new URL("../../coordinator/commands/demo.ts", import.meta.url).pathname;

let folder: string;
let demo: ChildProcess;
let browser: Browser;
let output = "";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "chorus-demo-link-"));
  const args = ["--port", "0", "--clients", "3", "--rounds", "2", "--data", folder];
  demo = spawn(process.execPath, [DEMO, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  demo.stdout?.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  browser = await chromium.launch({
    executablePath: await ensureChromium(console.log),
    args: [...CHROMIUM_FLAGS],
  });
  // It builds the pages first, if they have changed.
  await vi.waitUntil(() => output.includes("The run has ended."), { timeout: 500_000, interval: 200 });
});
afterAll(async () => {
  await browser?.close();
  demo.kill("SIGINT");
  if (demo.exitCode === null) await once(demo, "exit");
  rmSync(folder, { recursive: true, force: true });
});

test("[X95] one click on the printed link and a person is in; the same link a second time is refused", async () => {
  const [link = ""] = /http:\S+\/sign-in#token=chl_\S+/.exec(output) ?? [];
  const [run = ""] = /http:\S+\/runs\/\w+/.exec(output) ?? [];
  const first = await openContext(browser);
  const page = await first.newPage();
  await page.goto(link);
  await page.getByText("Signed in as", { exact: true }).waitFor();
  await page.getByRole("link", { name: /demo-admin/ }).waitFor();
  expect(new URL(page.url())).toMatchObject({ pathname: "/", hash: "" });
  await page.getByText("Digits, run 1 finished").waitFor();
  await page.goto(run);
  await page.getByRole("heading", { name: "digits, run 1" }).waitFor();
  // One more click, and everything that can be said of the last round is checked in this browser.
  const [check = ""] = /Check round 2 in your browser: (\S+)/.exec(output)?.slice(1) ?? [];
  await page.goto(check);
  await page
    .getByText(/^Nine statements about this round\. Seven were checked in this browser just now/)
    .waitFor();
  const statements = page
    .getByRole("list")
    .filter({ hasText: "The sum was opened once" })
    .getByRole("listitem");
  const marks = await statements.evaluateAll((items) =>
    items.map((item) => item.querySelector("b")?.textContent),
  );
  expect(marks).toEqual([...Array(7).fill("Checked here."), "Waiting.", "Nobody can check this."]);
  await first.close();

  const second = await openContext(browser);
  const other = await second.newPage();
  await other.goto(link);
  await other.getByText(/This link has been used or has run out\. Start the demo/).waitFor();
  expect(new URL(other.url())).toMatchObject({ pathname: "/sign-in", hash: "" });
  // Without a session a run's page leads to the door.
  await other.goto(run);
  await other.waitForURL(/\/sign-in\?to=/);
  await second.close();
});
