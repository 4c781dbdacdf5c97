import { type Browser, type BrowserContext, chromium, type Page } from "playwright";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { taskSchema } from "#shared/task/task.ts";
import { CHROMIUM_FLAGS, ensureChromium, openContext } from "../kit/browser.ts";
import { CELLS_CASES } from "../kit/cells-contract.ts";
import { servePage } from "../kit/page-modules.ts";
import type { PageLine, PageOrder } from "../kit/pages/participant-page.ts";
import { until } from "../kit/worlds/coordinator-process.ts";
import { contradictions, HEARD, isGuarded, SENDS, WRITES } from "../kit/worlds/lives.ts";
import {
  openProcessFederation,
  type ProcessFederation,
  pictureTask,
} from "../kit/worlds/process-federation.ts";

/*
 * What a browser remembers about rounds, in a real Chromium with its real IndexedDB: the suite for every store, and
 * pages that are reloaded between any two messages and around each write. PROTOCOL.md section 6.
 */

const STABLE = 10;
const PAGES = 8;
/**
 * So long that nothing should wait for a deadline: a page that does not come back would delay its round noticeably.
 */
const PHASE_MS = 240_000;
const POINTS = [
  ...WRITES.flatMap((kind) => [`before ${kind}`, `after ${kind}`]),
  ...SENDS.flatMap((type) => [`send ${type}`, `sent ${type}`]),
  ...HEARD.map((type) => `hear ${type}`),
];

let browser: Browser;
const contexts: BrowserContext[] = [];

beforeAll(async () => {
  const executablePath = await ensureChromium(console.log);
  // The test itself serves the page, so Chromium does not consider it local.
  const args = [...CHROMIUM_FLAGS, "--disable-features=LocalNetworkAccessChecks"];
  browser = await chromium.launch({ executablePath, args });
});
afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
});
afterAll(async () => {
  await browser?.close();
});

async function newContext(): Promise<BrowserContext> {
  const context = await openContext(browser);
  contexts.push(context);
  return context;
}

describe("the browser's store", () => {
  type CellsPage = typeof globalThis & {
    runCellsCases(): Promise<readonly (readonly [string, string | null])[]>;
    raceOfStores(): Promise<number>;
  };

  async function openCellsPage(): Promise<Page> {
    const context = await newContext();
    const url = await servePage(context, "http://localhost:4700", "test/kit/pages/cells-page.ts");
    const page = await context.newPage();
    await page.goto(url);
    await page.waitForFunction(() => "raceOfStores" in globalThis);
    return page;
  }

  test("[S10] does all that a device's memory must do, in IndexedDB", async () => {
    const page = await openCellsPage();
    const verdicts = await page.evaluate(() => (globalThis as CellsPage).runCellsCases());
    expect(verdicts).toEqual(CELLS_CASES.map(({ name }) => [name, null]));
  });

  test("[S10] gives one cell to one of twenty connections", async () => {
    const page = await openCellsPage();
    expect(await page.evaluate(() => (globalThis as CellsPage).raceOfStores())).toBe(1);
  });
});

/** One browser profile through all its page loads. */
class Visitor {
  readonly ledger: (PageLine | { readonly at: "life" })[] = [];
  readonly points: readonly string[];
  readonly #page: Page;
  readonly #url: string;

  private constructor(page: Page, url: string, points: readonly string[]) {
    this.#page = page;
    this.#url = url;
    this.points = points;
  }

  static async open(federation: ProcessFederation, points: readonly string[]): Promise<Visitor> {
    const context = await newContext();
    const url = await servePage(context, federation.url, "test/kit/pages/participant-page.ts");
    const page = await context.newPage();
    const visitor = new Visitor(page, url, points);
    await page.exposeFunction("tellTest", (line: PageLine) => void visitor.ledger.push(line));
    return visitor;
  }

  /** Loads or reloads the page and takes part. @returns the code of a refusal. */
  async visit(order: PageOrder): Promise<string | null> {
    await this.#page.goto(this.#url);
    await this.#page.waitForFunction(() => "takePart" in globalThis);
    this.ledger.push({ at: "life" });
    const code = await takePart(this.#page, order);
    if (code !== "LOCKED") return code;
    await untilUnlocked(this.#page);
    return null;
  }

  get context(): BrowserContext {
    return this.#page.context();
  }

  get url(): string {
    return this.#url;
  }

  has(test: (line: PageLine | { readonly at: "life" }) => boolean, what: string): Promise<unknown> {
    return until(what, 120_000, async () => this.ledger.some(test));
  }
}

type ParticipantPage = typeof globalThis & {
  takePart(order: PageOrder): Promise<string | null>;
  startAgain(): Promise<string | null>;
};

function takePart(page: Page, order: PageOrder): Promise<string | null> {
  return page.evaluate((wanted) => (globalThis as ParticipantPage).takePart(wanted), order);
}

/** The lock of a page that has just closed may outlive it by a moment. */
async function untilUnlocked(page: Page): Promise<void> {
  const code = () => page.evaluate(() => (globalThis as ParticipantPage).startAgain());
  await until("the lock", 60_000, async () => (await code()) === null);
}

describe("a page", () => {
  let federation: ProcessFederation;
  const task = taskFor(STABLE + PAGES);

  /** Many pages may leave at once, so the others must be enough by themselves: t is 10 of 18. */
  function taskFor(count: number) {
    const { aggregation, ...plain } = pictureTask(count, 2);
    const deadlines = Object.fromEntries(
      Object.keys(aggregation.deadlines).map((phase) => [phase, PHASE_MS]),
    );
    const changed = { ...aggregation, securityModel: "honest-but-curious", deadlines };
    return taskSchema.parse({ ...plain, aggregation: changed });
  }

  beforeAll(async () => {
    federation = await openProcessFederation(task, [STABLE]);
    federation.devices[0]?.send({ type: "start", held: false });
  });
  afterAll(async () => {
    await federation?.close();
  });

  const orderOf = (endAt: string | null, spentRunId: string | null): PageOrder => ({
    slug: task.slug,
    joinToken: federation.joinToken,
    endAt,
    spentRunId,
  });

  async function round(seed: number): Promise<{ runId: string; end: () => Promise<unknown> }> {
    const { runId } = await federation.api.launch({ task: task.slug, rounds: 1, seed });
    const over = async () => (await federation.api.run(runId)).state === "completed";
    return { runId, end: () => until("the end of the run", 240_000, over) };
  }

  test("[S10] that is reloaded at any message or write never contradicts itself, and takes part again", async () => {
    const visitors = await Promise.all(
      Array.from({ length: PAGES }, (_, index) =>
        Visitor.open(
          federation,
          POINTS.filter((_point, at) => at % PAGES === index),
        ),
      ),
    );
    let spent: string | null = null;
    for (let turn = 0; turn < Math.ceil(POINTS.length / PAGES); turn++) {
      const before: string | null = spent;
      const starts = visitors.map((visitor) => visitor.visit(orderOf(visitor.points[turn] ?? null, before)));
      expect(await Promise.all(starts)).toEqual(visitors.map(() => null));
      const { runId, end } = await round(turn + 1);
      spent = runId;
      await Promise.all(
        visitors.map(async (visitor) => {
          const point = visitor.points[turn];
          if (point === undefined) return;
          await visitor.has((line) => line.at === "died" && line.point === point, `the end at ${point}`);
          // Return at once, while the round goes on: the page must not answer what it is told about that round.
          expect(await visitor.visit(orderOf(null, runId))).toBeNull();
        }),
      );
      await end();
      expect((await federation.api.rounds(runId))[0]).toMatchObject({ phase: "committed", attempt: 1 });
    }
    // Nobody has lost more than one round.
    const last = await round(99);
    await last.end();
    expect((await federation.api.rounds(last.runId))[0]?.survivors).toBe(STABLE + PAGES);

    const died = visitors.flatMap(({ ledger }) =>
      ledger.flatMap((line) => (line.at === "died" ? [line.point] : [])),
    );
    expect(died.sort()).toEqual([...POINTS].sort());
    for (const visitor of visitors) {
      await visitor.has((line) => line.at === "outcome" && line.runId === last.runId, "its outcome");
      expect(unguarded(visitor)).toEqual([]);
      expect(contradictions(visitor.ledger.filter(isOfLives))).toEqual([]);
    }
  });

  /** Messages that were sent before their write could be read, and the number of messages that have one. */
  function unguarded({ ledger }: Visitor): string[] {
    const found: string[] = [];
    let checked = 0;
    let invite: Extract<PageLine, { at: "invite" }> | null = null;
    for (const line of ledger) {
      if (line.at === "invite") invite = line;
      if (line.at !== "send" || invite === null) continue;
      const guarded = isGuarded(line, invite, task.slug, (key) => line.cells[key]);
      if (guarded !== null) checked += 1;
      if (guarded === false) found.push(`${line.type} of ${line.of}`);
    }
    expect(checked).toBeGreaterThan(4);
    return found;
  }

  function isOfLives(line: Visitor["ledger"][number]): line is Exclude<typeof line, { at: "outcome" }> {
    return line.at !== "outcome";
  }

  test("[S10] beside another that takes part is told LOCKED, and takes over when that one is gone", async () => {
    const visitor = await Visitor.open(federation, []);
    expect(await visitor.visit(orderOf(null, null))).toBeNull();
    const second = await visitor.context.newPage();
    await second.exposeFunction("tellTest", () => {});
    await second.goto(visitor.url);
    await second.waitForFunction(() => "takePart" in globalThis);
    expect(await takePart(second, orderOf(null, null))).toBe("LOCKED");
    for (const page of visitor.context.pages()) if (page !== second) await page.close();
    await untilUnlocked(second);
  });
});
