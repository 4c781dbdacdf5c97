import { readFile } from "node:fs/promises";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseBundle } from "#shared/audit/bundle.ts";
import { present } from "#shared/kernel/assert.ts";
import { CHROMIUM_FLAGS, ensureChromium, openContext } from "#test/kit/browser.ts";
import { MemoryLog } from "#test/kit/tlog.ts";
import { type AuditWorld, openAuditWorld } from "#test/kit/worlds/audit-world.ts";
import { axeFindings, buildPages, openPage, overflowOf } from "#test/kit/worlds/web-pages.ts";

/* A round verified in a real browser, and coordinators that serve another log than the one that was signed or seen. */

let browser: Browser;
let world: AuditWorld;

beforeAll(async () => {
  await buildPages();
  world = await openAuditWorld();
  browser = await chromium.launch({
    executablePath: await ensureChromium(console.log),
    args: [...CHROMIUM_FLAGS],
  });
});

afterAll(async () => {
  await browser?.close();
  await world?.close();
});

const address = () => `${world.shell.url}/audit/rounds/${world.round.roundId}`;

async function openAudit(context: BrowserContext): Promise<Page> {
  await world.attach(context);
  const { page } = await openPage(context, address(), (complaint) => complaint.includes("404"));
  return page;
}

/** The word at each statement's mark, in order. */
async function marksOf(page: Page): Promise<readonly (string | undefined)[]> {
  const items = page.locator(".audit-says > li");
  await items.first().waitFor();
  return items.evaluateAll((all) => all.map((item) => item.querySelector("b")?.textContent ?? undefined));
}

test("[A60] [A64] a round is verified in the browser, and the path leads to the signed root", async () => {
  world.serve(world.log);
  const context = await openContext(browser);
  const page = await openAudit(context);
  await page.getByText(/^Nine statements about this round\. Seven were checked in this browser/).waitFor();
  expect(await marksOf(page)).toEqual([
    ...Array<string>(7).fill("Checked here."),
    "Waiting.",
    "Nobody can check this.",
  ]);
  await page.getByText("the same, signature valid").waitFor();
  const launched = page.locator(".audit-says > li").first();
  await launched.getByRole("button", { name: /^Show\s+entry/ }).click();
  await launched.getByText("Shown beside").waitFor();
  await page.getByRole("button", { name: "As a table" }).click();
  await page.getByText('"kind":"run.launched"').waitFor();
  // The second look goes on from what the first has seen.
  await page.getByRole("button", { name: "Check again" }).click();
  await page.getByText(/were seen here before, and they are unchanged/).waitFor();
  await context.close();
});

test("[A65] the exported file is a whole bundle", async () => {
  world.serve(world.log);
  const context = await openContext(browser);
  const page = await openAudit(context);
  const saved = page.waitForEvent("download");
  await page.getByRole("button", { name: "Export for checking offline" }).click();
  const file = await saved;
  expect(file.suggestedFilename()).toBe(`${world.round.task}-run1-round2.bundle`);
  expect(parseBundle(JSON.parse(await readFile(await file.path(), "utf8"))).ok).toBe(true);
  await context.close();
});

describe("[A63] a coordinator is contradicted that serves", () => {
  const LIES: readonly (readonly [string, RegExp, () => Promise<MemoryLog> | MemoryLog])[] = [
    ["a changed entry", /is not what the log's signed root commits to/, () => flipped("tile/entries/")],
    ["another root", /is not what the log's signed root commits to/, () => flipped("tile/0/")],
    [
      "a log that was rolled back",
      /The log was rolled back\. Keep the file/,
      async () => {
        const cut = new MemoryLog(world.primitives);
        await cut.addBytes(...world.log.leaves.slice(0, 4));
        return cut;
      },
    ],
  ];
  test.for(LIES)("%s", async ([, words, lie]) => {
    world.serve(world.log);
    const context = await openContext(browser);
    const page = await openAudit(context);
    await page.getByText(/^Nine statements/).waitFor();
    world.serve(await lie());
    await page.getByRole("button", { name: "Check again" }).click();
    await page.getByRole("alert").getByText(words).waitFor();
    expect((await marksOf(page)).at(-2)).toBe("Contradicted.");
    const saved = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download both checkpoints" }).click();
    const evidence = JSON.parse(await readFile(await (await saved).path(), "utf8"));
    expect([evidence.before.size, typeof evidence.now.note]).toEqual([world.log.leaves.length, "string"]);
    await context.close();
  });
});

test.each([
  { width: 1440, colorScheme: "light" },
  { width: 375, colorScheme: "dark" },
] as const)(
  "at $width px, $colorScheme: axe finds nothing and nothing scrolls sideways",
  async ({ width, colorScheme }) => {
    world.serve(world.log);
    const context = await openContext(browser, { viewport: { width, height: 900 }, colorScheme });
    const page = await openAudit(context);
    await page.getByText("the same, signature valid").waitFor();
    expect(await axeFindings(page)).toEqual([]);
    expect(await overflowOf(page)).toBeLessThanOrEqual(0);
    await page.goto(`${world.shell.url}/audit`);
    await page.getByText(/^The log has \d+ entries/).waitFor();
    await page.getByText(/entries\. Times are UTC/).waitFor();
    expect(await axeFindings(page)).toEqual([]);
    expect(await overflowOf(page)).toBeLessThanOrEqual(0);
    await context.close();
  },
);

function flipped(prefix: string): MemoryLog {
  const changed = world.log.fork();
  const path = present(
    [...changed.files.keys()].findLast((name) => name.startsWith(prefix)),
    prefix,
  );
  const bytes = present(changed.files.get(path), path).slice();
  bytes[40] = present(bytes[40], "a byte") ^ 1;
  changed.files.set(path, bytes);
  return changed;
}
