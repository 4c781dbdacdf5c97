import { parquetReadObjects } from "hyparquet";
import { beforeAll, describe, expect, test } from "vitest";
import { RunSearchDesk } from "#coordinator/core/desks/run-search.ts";
import { ALL_READABLE, type Readable } from "#coordinator/core/ports/store.ts";
import type { RunView } from "#shared/protocol/api.ts";
import { memoryDatabase } from "#test/kit/fakes/memory-database.ts";
import { memoryStore } from "#test/kit/fakes/memory-store.ts";
import { type Planted, plant } from "#test/kit/store-contract/own-search.ts";
import { runViewOf } from "#test/kit/web-views.ts";

const store = memoryStore(memoryDatabase(), async () => {});
const RATES = [0.1, 0.02, 0.5];
const PLANTED = RATES.map(
  (rate, index): Planted => ({
    runId: String(index).padStart(32, "0"),
    rate,
    accuracy: index === 2 ? null : 0.9 - index / 10,
    set: "a".repeat(64),
  }),
);
let living: RunView | null = null;
const desk = new RunSearchDesk(store, (runId) => (living?.runId === runId ? living : null));

beforeAll(async () => {
  for (const [index, one] of PLANTED.entries())
    await plant(store, { task: "digits", number: index, createdAt: index }, one);
});

const search = async (filter: string, order = "", page: { limit?: number; cursor?: string } = {}) => {
  const found = await desk.search(ALL_READABLE, { filter, order }, { limit: 10, ...page });
  if (!found.ok) return found.error.message;
  const { items, next, foundCount, allCount } = found.value;
  const rates = items.map(({ params }) => params.find(({ key }) => key === "training.rate")?.value);
  return { rates, next, counts: [foundCount, allCount] };
};

describe("[L15] a search for runs", () => {
  test("answers pages with their counts", async () => {
    expect(await search("", "params.training.rate", { limit: 2 })).toEqual({
      rates: ["0.02", "0.1"],
      next: "o2",
      counts: [3, 3],
    });
    expect(await search("", "params.training.rate", { limit: 2, cursor: "o2" })).toEqual({
      rates: ["0.5"],
      next: null,
      counts: [3, 3],
    });
    expect(await search("metrics.accuracy > 0.85", "metrics.accuracy DESC")).toEqual({
      rates: ["0.1"],
      next: null,
      counts: [1, 3],
    });
  });

  test("says what is wrong, and what was probably meant", async () => {
    expect(await search("metrics.acuracy > 0.9")).toBe(
      "There is no measure ‘acuracy’. Did you mean accuracy?",
    );
    expect(await search("params.training.rat = '1'")).toBe(
      "There is no param ‘training.rat’. Did you mean training.rate?",
    );
    expect(await search("taks = 'digits'")).toContain("Did you mean task?");
    expect(await search("metrics.accuracy >")).toContain("is compared with a number. (character 19)");
    expect(await search("", "metrics.accuracy SIDEWAYS")).toContain("Expected ASC, DESC or the end.");
    expect(await search("", Array(9).fill("run").join(","))).toBe("An order has at most 8 entries.");
    expect(await search("", "", { cursor: "x" })).toContain("comes from no search");
    for (const odd of ["__proto__ = 'x'", "metrics.__proto__ > 1", "params.constructor = 'x'", "(", "'"])
      expect(await search(odd), odd).toBeTypeOf("string");
  });

  test("shows a run that goes on as it is now", async () => {
    living = runViewOf({ runId: PLANTED[0]?.runId ?? "", roundsCommitted: 77 });
    const found = await desk.search(ALL_READABLE, { filter: "run = 0", order: "" }, { limit: 1 });
    living = null;
    expect(found.ok && found.value.items[0]?.run.roundsCommitted).toBe(77);
  });

  test("a filter that finds nothing lists no names if its key is known", async () => {
    let listed = 0;
    const counting = Object.assign({}, store, {
      listRunNames: (readable: Readable) => {
        listed += 1;
        return store.listRunNames(readable);
      },
    });
    const asked = (filter: string) =>
      new RunSearchDesk(counting, () => null).search(ALL_READABLE, { filter, order: "" }, { limit: 10 });
    expect(await asked("metrics.accuracy > 2")).toMatchObject({ ok: true });
    expect(listed).toBe(0);
    expect(await asked("metrics.acuracy > 2")).toMatchObject({ ok: false });
    expect(listed).toBe(1);
  });

  test("counts what is found only if the page does not say it", async () => {
    const own = memoryStore(memoryDatabase(), async () => {});
    for (let number = 0; number < 5; number++)
      await plant(
        own,
        { task: number < 3 ? "digits" : "income", number, createdAt: number },
        { runId: String(number).padStart(32, "0"), rate: 1, accuracy: null },
      );
    const counted: number[] = [];
    const counting = Object.assign({}, own, {
      countOwnRuns: async (query: Parameters<typeof own.countOwnRuns>[0]) => {
        counted.push(query.conditions.length);
        return own.countOwnRuns(query);
      },
    });
    const counts = async (filter: string, limit: number, cursor?: string) => {
      counted.length = 0;
      const page = { limit, ...(cursor !== undefined && { cursor }) };
      const made = await new RunSearchDesk(counting, () => null).search(
        ALL_READABLE,
        { filter, order: "" },
        page,
      );
      if (!made.ok) throw new Error(made.error.message);
      return [made.value.foundCount, made.value.allCount, made.value.next, counted.join(" ")];
    };
    const digits = "task = 'digits'";
    expect(await counts("", 2)).toEqual([5, 5, "o2", "0"]);
    expect(await counts(digits, 3)).toEqual([3, 5, null, "0"]);
    expect(await counts(digits, 2)).toEqual([3, 5, "o2", "0 1"]);
    expect(await counts(digits, 2, "o2")).toEqual([3, 5, null, "0"]);
    // Beyond the end a page says nothing.
    expect(await counts(digits, 2, "o4")).toEqual([3, 5, null, "0 1"]);
    expect(await counts("task = 'other'", 2)).toEqual([0, 5, null, "0"]);
  });

  test("a table has each run once, even if one is launched while the table is made", async () => {
    const own = memoryStore(memoryDatabase(), async () => {});
    const launch = (number: number) =>
      plant(
        own,
        { task: "digits", number, createdAt: number },
        { runId: String(number).padStart(32, "0"), rate: 1, accuracy: null },
      );
    for (let number = 0; number < 250; number++) await launch(number);
    let nextNumber = 250;
    const busy = Object.assign({}, own, {
      readOwnRuns: async (runIds: readonly string[]) => {
        await launch(nextNumber++);
        return own.readOwnRuns(runIds);
      },
    });
    const made = await new RunSearchDesk(busy, () => null).file(
      ALL_READABLE,
      { filter: "", order: "" },
      "csv",
    );
    if (!made.ok) throw new Error(made.error.message);
    const [, ...lines] = new TextDecoder().decode(made.value.bytes).trim().split("\n");
    const numbers = lines.map((line) => Number(line.split(",")[2]));
    expect(numbers).toEqual(Array.from({ length: 250 }, (_, index) => 249 - index));
    expect(nextNumber).toBe(252);
  });

  test("gives a table, as CSV and Parquet", async () => {
    const file = async (format: "csv" | "parquet", filter = "") => {
      const made = await desk.file(ALL_READABLE, { filter, order: "started" }, format);
      if (!made.ok) throw new Error(made.error.message);
      return made.value;
    };
    const csv = new TextDecoder()
      .decode((await file("csv")).bytes)
      .trim()
      .split("\n");
    expect(csv).toHaveLength(4);
    expect(csv[0]).toMatch(/^task,task_version,run,run_id,state.*params\.training\.rate,metrics\.accuracy/);
    const parquet = await file("parquet", "run < 2");
    const { buffer, byteOffset, byteLength } = parquet.bytes;
    const rows = await parquetReadObjects({
      file: buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer,
    });
    expect(rows.map((row) => [row["run"], row["params.training.rate"], row["metrics.accuracy"]])).toEqual([
      [0, "0.1", 0.9],
      [1, "0.02", 0.8],
    ]);
    expect(await desk.file(ALL_READABLE, { filter: "(", order: "" }, "csv")).toMatchObject({ ok: false });
  });
});
