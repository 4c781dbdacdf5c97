import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { unixMsOf } from "#shared/tracking/dates.ts";
import { OWN_RUNS, orderEntries, stored, withinSets } from "#shared/tracking/own-runs.ts";
import { parseFilter } from "#shared/tracking/search-text.ts";

describe("[L15] dates in a filter", () => {
  test("are those of the calendar, in UTC", () => {
    const day = fc.date({ min: new Date("0400-01-01"), max: new Date("9999-12-31"), noInvalidDate: true });
    fc.assert(
      fc.property(day, (date) => {
        const iso = date.toISOString();
        expect(unixMsOf(iso.slice(0, 10))).toBe(Date.parse(iso.slice(0, 10)));
        expect(unixMsOf(iso.slice(0, 16))).toBe(Date.parse(`${iso.slice(0, 16)}Z`));
        expect(unixMsOf(iso.slice(0, 19))).toBe(Date.parse(`${iso.slice(0, 19)}Z`));
      }),
    );
  });

  test("that the calendar does not have are none", () => {
    const odd = [
      "",
      "2026",
      "2026-02-29",
      "2026-13-01",
      "2026-04-31",
      "2026-01-01T24:00",
      "__proto__",
      "1900-02-29",
    ];
    for (const text of odd) expect(unixMsOf(text), text).toBeNull();
    expect(unixMsOf("2000-02-29")).toBe(Date.UTC(2000, 1, 29));
  });

  test("stand beside numbers, and what is neither is refused", () => {
    const value = (filter: string) => {
      const parsed = parseFilter(filter, OWN_RUNS);
      return parsed.ok ? parsed.value[0]?.value : parsed.error.sentence;
    };
    expect(value("started > '2026-06-14'")).toBe(Date.UTC(2026, 5, 14));
    expect(value("ended <= 17")).toBe(17);
    expect(value("created > 1")).toBe(1);
    expect(value("started > 'soon'")).toBe(`"started" is compared with a date such as '2026-06-14'.`);
    expect(value("started > now")).toBe(`"started" is compared with a date such as '2026-06-14'.`);
    expect(value("started IN ('2026-06-14')")).toBe('"started" takes =, !=, >, >=, <, <=.');
    expect(value("run = 'x'")).toBe('"run" is compared with a number.');
  });
});

test("[L15] [V12] an order has its entries apart; figures stay within their rows; a strategy is a param", () => {
  expect(orderEntries("metrics.accuracy DESC, started")).toEqual(["metrics.accuracy DESC", "started"]);
  expect(orderEntries('params."a, b" ASC,run')).toEqual(['params."a, b" ASC', "run"]);
  expect(orderEntries("")).toEqual([]);
  const figure = { entity: "metric", key: "accuracy", isAscending: false } as const;
  expect(withinSets([figure]).map(({ key }) => key)).toEqual(["task", "measured_on", "accuracy"]);
  const rate = { entity: "param", key: "rate", isAscending: true } as const;
  expect(withinSets([rate])).toEqual([rate]);
  expect(stored({ ...rate, entity: "attribute", key: "strategy" })).toMatchObject({ key: "strategy.kind" });
});
