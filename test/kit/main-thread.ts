import type { Browser, Page } from "playwright";
import { z } from "zod";

/* How long a page's main thread is busy at a time. */

/** Of Chromium's trace format: a complete event has its thread's processor time in microseconds. */
const traceSchema = z.object({
  traceEvents: z.array(
    z.object({
      name: z.string(),
      ph: z.string(),
      pid: z.number(),
      tid: z.number(),
      tdur: z.number().optional(),
      args: z.looseObject({ name: z.unknown(), data: z.unknown() }).partial().optional(),
    }),
  ),
});

/**
 * Milliseconds of processor time of the longest task on the page's main thread while `act` runs. Processor time, because on a
 * loaded machine any task may take long to run.
 */
export async function longestTaskMs(
  browser: Browser,
  page: Page,
  act: () => Promise<unknown>,
): Promise<number> {
  await browser.startTracing(page, { categories: ["toplevel", "__metadata"] });
  await act();
  // A task that still runs when the tracing ends has no time.
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 100)));
  const { traceEvents } = traceSchema.parse(JSON.parse((await browser.stopTracing()).toString()));
  const threads = traceEvents.filter(({ ph, name }) => ph === "M" && name === "thread_name");
  const mains = threads.filter(({ args }) => args?.name === "CrRendererMain");
  const tasks = traceEvents.filter(
    ({ ph, pid, tid }) => ph === "X" && mains.some((main) => main.pid === pid && main.tid === tid),
  );
  return Math.max(...tasks.map(({ tdur = 0 }) => tdur / 1_000));
}
