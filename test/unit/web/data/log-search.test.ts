import { expect, test } from "vitest";
import type { FoundEntry } from "#web/data/log-messages.ts";
import { type FindPage, LogSearch } from "#web/data/log-search.ts";

const entry = (index: number): FoundEntry => ({
  view: { index, kind: "run.pauseAsked", at: 1, actor: null, place: null },
  entry: null,
  check: "waiting",
});

/** Of a log in which every `every`-th entry fits; a page looks at 1,000 entries at most. */
function logOf(size: number, every: number) {
  const asked: (readonly [string | null, number])[] = [];
  const find: FindPage = async (_filter, cursor, limit) => {
    asked.push([cursor, limit]);
    const items: FoundEntry[] = [];
    let at = cursor === null ? size : Number(cursor);
    const until = Math.max(0, at - 1_000);
    while (at > until && items.length < limit) {
      at--;
      if (at % every === 0) items.push(entry(at));
    }
    return { items, next: at === 0 ? null : String(at), size };
  };
  return { find, asked };
}

test("[A112] a search rests once enough is found and goes on from there, to the very first entry", async () => {
  const { find } = logOf(12_204, 100);
  const search = new LogSearch(find, { kind: "run.pauseAsked" });
  const first = await search.find(50);
  expect([first.state, first.items.length >= 50, first.lookedAt >= 5_000]).toEqual(["paused", true, true]);
  const whole = await search.find(Number.POSITIVE_INFINITY);
  expect([whole.state, whole.lookedAt, whole.size]).toEqual(["ended", 12_204, 12_204]);
  expect(whole.items.map(({ view }) => view.index)).toEqual(
    Array.from({ length: 123 }, (_, at) => 12_200 - 100 * at),
  );
});

test("[A112] a search that finds little says how far it is, and can be stopped and go on", async () => {
  const { find, asked } = logOf(9_000, 10_000);
  const search = new LogSearch(find, {});
  const seen: string[] = [];
  search.subscribe(() => {
    const { state, lookedAt } = search.view();
    seen.push(`${state} ${lookedAt}`);
    if (lookedAt === 3_000 && state === "searching" && asked.length === 3 && !seen.includes("stopped 3000"))
      search.stop();
  });
  expect(await search.find(50)).toMatchObject({ state: "stopped", lookedAt: 3_000, items: [] });
  expect(asked).toHaveLength(3);
  expect(await search.find(50)).toMatchObject({ state: "ended", lookedAt: 9_000 });
  expect(seen.filter((line) => line.startsWith("stopped"))).toEqual(["stopped 3000"]);
  expect(asked.map(([cursor]) => cursor).slice(0, 4)).toEqual([null, "8000", "7000", "6000"]);
});

test("[A112] a page that fails keeps what was found, and the next try goes on", async () => {
  const { find } = logOf(3_000, 500);
  let fails = true;
  const search = new LogSearch(async (filter, cursor, limit) => {
    if (cursor === "1000" && fails) throw new Error("The coordinator does not answer.");
    return find(filter, cursor, limit);
  }, {});
  const failed = await search.find(50);
  expect([failed.state, failed.error?.message, failed.items.length]).toEqual([
    "failed",
    "The coordinator does not answer.",
    4,
  ]);
  fails = false;
  expect(await search.find(50)).toMatchObject({ state: "ended", error: null });
  expect(search.view().items).toHaveLength(6);
});
