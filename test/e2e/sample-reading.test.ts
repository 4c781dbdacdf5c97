import { type Browser, chromium, type Page } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CHROMIUM_FLAGS, ensureChromium, openContext } from "#test/kit/browser.ts";
import { longestTaskMs } from "#test/kit/main-thread.ts";
import { buildPages, type FakeApi, openPage, startFakeApi } from "#test/kit/worlds/web-pages.ts";

/* A large sample is read in a worker: the workshop's page stays free for whoever types. */

const BLOCKED_MS = 50;
const ROWS = 400_000;

let api: FakeApi;
let browser: Browser;

beforeAll(async () => {
  await buildPages();
  api = await startFakeApi();
  browser = await chromium.launch({
    executablePath: await ensureChromium(console.log),
    args: [...CHROMIUM_FLAGS],
  });
});
afterAll(async () => {
  await browser?.close();
  api?.child.kill("SIGKILL");
});

const tableInput = (page: Page) => page.locator('input[type="file"][accept*=".csv"]').first();

/** 20 MB, made by the browser: Playwright would otherwise send it to the page in one long task. */
async function makeLargeTable(page: Page): Promise<void> {
  await page.evaluate((rows) => {
    const header = "age,stays,hba1c,smoker,admission,sex,ward,returned\n";
    const block: string[] = [];
    for (let row = 0; row < 1_000; row++) {
      const back = (row * 7_919) % 13 < 4 ? "yes" : "no";
      block.push(
        `${20 + (row % 70)},${row % 9},${(4 + (row % 90) / 10).toFixed(2)},${["no", "former", "yes"][row % 3]},planned admission,female,ward ${row % 12},${back}\n`,
      );
    }
    const text = block.join("");
    const file = new File([header, ...Array.from({ length: rows / 1_000 }, () => text)], "large.csv");
    const chosen = new DataTransfer();
    chosen.items.add(file);
    const input = document.querySelector<HTMLInputElement>('input[type="file"][accept*=".csv"]');
    if (input === null) throw new Error("the page has no input for a table");
    input.files = chosen.files;
  }, ROWS);
}

test(`[K1] while 20 MB are read, no task on the page's main thread takes over ${BLOCKED_MS} ms`, async () => {
  const context = await openContext(browser);
  const { page } = await openPage(context, `${api.base}/tasks/new`);
  await page.getByText("Bring a sample of what people have").waitFor();
  await makeLargeTable(page);
  const longest = await longestTaskMs(browser, page, async () => {
    await tableInput(page).dispatchEvent("change");
    await page.getByText("Ranges are final", { exact: false }).waitFor();
    await page.getByText("400,000 rows read").waitFor();
  });
  expect(longest).toBeLessThan(BLOCKED_MS);
  // On a loaded machine it may have the processor for a tenth of that.
  const planted = await longestTaskMs(browser, page, () =>
    page.evaluate(() => {
      const until = performance.now() + 1_000;
      while (performance.now() < until);
    }),
  );
  expect(planted).toBeGreaterThan(BLOCKED_MS);
  await context.close();
});
