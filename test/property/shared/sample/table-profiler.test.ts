import fc from "fast-check";
import { expect, test } from "vitest";
import { DecimalEvidence, plainNumber } from "#shared/data/match/numbers.ts";
import { isMissingWord } from "#shared/data/match/words-match.ts";
import { EXACT_VALUES_MAX } from "#shared/sample/distinct-values.ts";
import { type NumberReading, readNumber } from "#shared/sample/number-text.ts";
import { buffersOf, packTable, unpackTable } from "#shared/sample/packed-table.ts";
import { proposeTable } from "#shared/sample/propose-table.ts";
import { FEW_ROWS, roundedOutward } from "#shared/sample/range.ts";
import { TableProfiler } from "#shared/sample/table-profiler.ts";

const cell = fc.oneof(
  fc.constantFrom(
    "",
    " ",
    "NA",
    "n/a",
    "null",
    "?",
    "-",
    "nan",
    "yes",
    "no",
    "__proto__",
    "constructor",
    "toString",
  ),
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e12, max: 1e12 }).map(String),
  fc.integer({ min: 0, max: 999 }).map((value) => `${value / 10}`.replace(".", ",")),
  fc
    .tuple(
      fc.integer({ min: 1, max: 999 }),
      fc.constantFrom(",", ".", " "),
      fc.integer({ min: 100, max: 999 }),
    )
    .map(([thousands, mark, rest]) => `${thousands}${mark}${rest}`),
  fc.constantFrom(
    "12 %",
    "$ 4",
    "\u22123",
    "1.234,5",
    "1,234.5",
    "0,125",
    "0.125",
    ".",
    "--",
    "#ref!",
    "1e5",
  ),
  fc.string({ maxLength: 12 }),
);

/** The plain way: keeps everything, and reads it afterwards by the rules of pages and edges. */
function naive(cells: readonly string[]) {
  const place = { range: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] } as const;
  const evidence = new DecimalEvidence(place);
  const texts = cells.map((text) => text.trim());
  const readAs = (text: string, mark: "point" | "comma") => {
    const value = Number(plainNumber(text, mark, place)?.text ?? Number.NaN);
    return Number.isFinite(value) ? [value] : [];
  };
  const isNumber = (text: string) => readAs(text, "point").length + readAs(text, "comma").length > 0;
  const present = texts.filter((text) => text !== "" && (isNumber(text) || !isMissingWord(text)));
  for (const text of present) if (isNumber(text)) evidence.see(text);
  const mark = evidence.mark ?? "point";
  const numbers = present.flatMap((text) => readAs(text, mark));
  return { missing: cells.length - present.length, present, numbers, mark, isOpen: evidence.isOpen };
}

test("[K1] [F6] a profile reads numbers and words for nothing as devices do, and finds the same extremes and values", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell), { maxLength: 200 }), (rows) => {
      const profiler = new TableProfiler(["a", "__proto__"]);
      for (const row of rows) profiler.add(row);
      const { columns, rows: count } = profiler.profile();
      expect(count).toBe(rows.length);
      for (const at of [0, 1] as const) {
        const column = columns[at];
        const wanted = naive(rows.map((row) => row[at]));
        expect(column?.missing).toBe(wanted.missing);
        expect(column?.present).toBe(wanted.present.length);
        expect(column?.numbers.otherExtremes !== null).toBe(wanted.isOpen);
        if (wanted.isOpen) continue;
        expect(column?.numbers.mark).toBe(wanted.mark);
        expect(column?.numbers.count).toBe(wanted.numbers.length);
        expect([...(column?.numbers.spread ?? [])]).toEqual(wanted.numbers);
        const { extremes } = column?.numbers ?? {};
        if (wanted.numbers.length === 0) expect(extremes).toBeNull();
        else {
          const least = Math.min(...wanted.numbers);
          const greatest = Math.max(...wanted.numbers);
          expect(extremes?.least).toBe(least);
          expect(extremes?.greatest).toBe(greatest);
          expect(extremes?.leastRows).toBe(wanted.numbers.filter((value) => value === least).length);
          expect(extremes?.greatestRows).toBe(wanted.numbers.filter((value) => value === greatest).length);
          expect(extremes?.isWhole).toBe(wanted.numbers.every(Number.isInteger));
        }
        const values = new Map<string, number>();
        for (const text of wanted.present) values.set(text, (values.get(text) ?? 0) + 1);
        expect(column?.distinct.values).toEqual([...values]);
      }
    }),
  );
});

test("[K1] a decimal number is the double that Number reads", () => {
  const reading: NumberReading = { value: 0, form: "none" };
  fc.assert(
    fc.property(
      fc.oneof(
        fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
        fc
          .tuple(fc.bigInt({ min: 0n, max: 10n ** 18n }), fc.nat(20))
          .map(([whole, decimals]) => `${whole}.${"0".repeat(decimals)}7`),
      ),
      (text) => {
        readNumber(text, reading);
        expect(reading.form).not.toBe("none");
        expect(reading.value).toBe(Number(text));
      },
    ),
  );
  for (const text of ["0x1f", "Infinity", "1 2", "e5", "1e", "--1", "1.2.3", "1,2,3", ".", "", "1e999"]) {
    readNumber(text, reading);
    expect(reading.form, text).toBe("none");
  }
});

test("[K1] the number of different values is exact up to the bound and within 25 % above it", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20_000 }), fc.integer({ min: 1, max: 3 }), (different, times) => {
      const profiler = new TableProfiler(["a"]);
      for (let index = 0; index < different * times; index++) profiler.add([`value ${index % different}`]);
      const { distinct } = profiler.profile().columns[0] as { distinct: { count: number; isExact: boolean } };
      expect(distinct.isExact).toBe(different <= EXACT_VALUES_MAX);
      if (distinct.isExact) expect(distinct.count).toBe(different);
      // Four standard errors of 6 %.
      else expect(Math.abs(distinct.count - different)).toBeLessThan(0.25 * different);
    }),
    { numRuns: 40 },
  );
});

test("[K2] a range holds all values, and no limit is the value of fewer than five rows unless it is 0, 1 or 100", () => {
  const value = fc.oneof(
    fc.integer({ min: -100_000, max: 100_000 }),
    fc.double({ min: -1e6, max: 1e6, noNaN: true }),
    fc.integer({ min: 0, max: 1_000 }).map((tenths) => tenths / 10),
  );
  fc.assert(
    fc.property(
      value,
      value,
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 9 }),
      (a, b, leastRows, greatestRows) => {
        const [least, greatest] = a < b ? [a, b] : [b, a];
        const isWhole = Number.isInteger(least) && Number.isInteger(greatest);
        const [from, to] = roundedOutward({ least, greatest, leastRows, greatestRows, isWhole });
        expect(from).toBeLessThan(to);
        expect(from).toBeLessThanOrEqual(least);
        expect(to).toBeGreaterThanOrEqual(greatest);
        if (leastRows < FEW_ROWS && ![0, 1, 100].includes(from)) expect(from).toBeLessThan(least);
        if (greatestRows < FEW_ROWS && ![0, 1, 100].includes(to)) expect(to).toBeGreaterThan(greatest);
        if (least >= 0) expect(from).toBeGreaterThanOrEqual(0);
        // Round numbers: never more than twice as wide as what they hold needs, apart from a narrow or single value.
        if (greatest - least > 2) expect(to - from).toBeLessThanOrEqual(2 * (greatest - least));
      },
    ),
  );
});

test("[K1] a profile and its proposal arrive as they were sent, whatever is in the cells", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell, cell), { maxLength: 60 }), (rows) => {
      const profiler = new TableProfiler(["a", "__proto__", "class"]);
      for (const row of rows) profiler.add(row);
      const profile = profiler.profile();
      const proposal = proposeTable(profile);
      const packed = packTable(profile, proposal);
      const arrived = unpackTable(structuredClone(packed, { transfer: buffersOf(packed) }));
      expect(arrived.proposal).toEqual(proposal);
      expect(arrived.profile.columns.length).toBe(3);
      for (const [
        at,
        { name, missing, present, numbers, distinct, forms, charactersMean },
      ] of profile.columns.entries()) {
        const column = arrived.profile.columns[at];
        expect(column?.name).toBe(name);
        expect([column?.missing, column?.present, column?.charactersMean]).toEqual([
          missing,
          present,
          charactersMean,
        ]);
        expect(column?.numbers).toEqual(numbers);
        expect(column?.distinct).toEqual(distinct);
        expect(column?.forms).toEqual(forms);
      }
    }),
  );
});

test("[K1] a wide table keeps fewer values of each column, and says when their number is an estimate", () => {
  const width = 16_384;
  const profiler = new TableProfiler(Array.from({ length: width }, (_, at) => `column ${at} of many`));
  for (let row = 0; row < 100; row++) {
    profiler.add(Array.from({ length: width }, (_, at) => String(at === 0 ? row : row % 60)));
  }
  const [first, second] = profiler.profile().columns;
  expect(first?.distinct).toEqual({ count: 100, isExact: false, values: null });
  expect(first?.numbers.count).toBe(100);
  expect(first?.numbers.extremes).toMatchObject({ least: 0, greatest: 99 });
  expect(first?.numbers.spread.length).toBeLessThanOrEqual(64);
  expect(second?.distinct).toMatchObject({ count: 60, isExact: true });
});

test("[K2] values that differ in their last digits only get limits beside them", () => {
  const few = { leastRows: 1, greatestRows: 1, isWhole: false };
  for (const [least, greatest] of [
    [-1e6, -1e6 + 2 ** -33],
    [1e6, 1e6 + 2 ** -33],
    [0.1, 0.1 + 2 ** -56],
  ] as const) {
    const [from, to] = roundedOutward({ ...few, least, greatest });
    expect(from).toBeLessThan(least);
    expect(to).toBeGreaterThan(greatest);
  }
});
