import { chromium } from "playwright";
import { CHROMIUM_FLAGS, ensureChromium, openContext } from "../kit/browser.ts";
import { servePage } from "../kit/page-modules.ts";
import { type Bench, type BenchLine, type BenchOptions, compared } from "./line.ts";
import { measureSample, type SampleTimes } from "./sample/measure.ts";

/*
 * Profiles a table as the page that makes a task does, piece by piece, in Node and in Chromium: when the first proposal is
 * there, and when ranges are final. The baseline, measured in the same run on the same bytes, decodes the text and splits it
 * at line ends and commas. The bar for Chromium: 1 s for the first 5 MB, 8 s for 100 MB.
 */

const FULL = 100_000_000;
const SMALL = 12_000_000;
const BAR_FIRST_MS = 1_000;
const BAR_MS_PER_MB = 80;

export const bench: Bench = { name: "sample", run };

async function* run({ small = false }: BenchOptions = {}): AsyncIterable<BenchLine> {
  const byteCount = small ? SMALL : FULL;
  yield* lines("Node", byteCount, await measureSample(byteCount));
  const times = await measureInChromium(byteCount);
  yield* lines("Chromium", byteCount, times);
  for (const [name, value, bar] of [
    ["first proposal", times.firstMs, BAR_FIRST_MS],
    ["final ranges", times.wholeMs, (BAR_MS_PER_MB * byteCount) / 1e6],
  ] as const)
    yield {
      name: `sample in Chromium: ${name}, beside its bar`,
      value,
      unit: "ms",
      ...compared("bar", bar, value),
    };
}

function* lines(where: string, byteCount: number, times: SampleTimes): Iterable<BenchLine> {
  const { firstMs, wholeMs, floorFirstMs, floorMs } = times;
  const peer = "decode and split alone";
  yield {
    name: `sample in ${where}: first proposal, from 5 MB`,
    value: firstMs,
    unit: "ms",
    ...compared(peer, floorFirstMs, firstMs),
  };
  yield {
    name: `sample in ${where}: final ranges, of ${byteCount / 1e6} MB`,
    value: wholeMs,
    unit: "ms",
    ...compared(peer, floorMs, wholeMs),
  };
}

async function measureInChromium(byteCount: number): Promise<SampleTimes> {
  const browser = await chromium.launch({
    executablePath: await ensureChromium(() => {}),
    args: [...CHROMIUM_FLAGS],
  });
  try {
    const context = await openContext(browser);
    const page = await context.newPage();
    await page.goto(await servePage(context, "http://localhost:4702", "test/kit/pages/sample-page.ts"));
    await page.waitForFunction("'measureSample' in globalThis");
    return await page.evaluate(
      (count) => (globalThis as unknown as { measureSample: typeof measureSample }).measureSample(count),
      byteCount,
    );
  } finally {
    await browser.close();
  }
}
