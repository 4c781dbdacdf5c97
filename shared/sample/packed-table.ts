import { present } from "../kernel/assert.ts";
import type { ColumnProfile } from "./column-profiler.ts";
import type { DistinctCount } from "./distinct-values.ts";
import { type ColumnFields, EMPTY_FIELDS, type ProposedColumn } from "./propose-columns.ts";
import type { ProposedSeries } from "./propose-series.ts";
import type { TableProposal } from "./propose-table.ts";
import type { TableProfile } from "./table-profiler.ts";

/*
 * A profile and its proposal as few large values, for the message between the worker that reads a sample and its page. As it
 * stands, the profile of 2,000 columns keeps a page busy for 800 ms while it arrives: it is made of a million small arrays.
 * Here numbers are buffers, which move without being copied, and a column's values are one text until someone asks for them.
 */

export interface PackedTable {
  readonly rows: number;
  readonly otherWidth: number;
  readonly names: readonly string[];
  /** FACTS for each column. */
  readonly facts: Float64Array;
  /** The columns' numbers, end to end. */
  readonly spreads: Float64Array;
  /** The columns' different values, end to end; null if there are too many. */
  readonly texts: readonly (string | null)[];
  /** Length and rows of each value, end to end. */
  readonly values: Uint32Array;
  readonly proposed: PackedColumns;
  readonly withCommas: readonly string[];
  readonly series: (ProposedSeries & { readonly columns: PackedColumns }) | null;
}

/** Name, reason and fields of each column. */
type PackedColumns = readonly (readonly unknown[])[];

/** Numbers of a column's entry in `facts`, in this order. */
const FACTS = [
  ...(["missing", "present", "numbers", "withComma", "percents", "isComma", "hasComma"] as const),
  ...(["hasExtremes", "least", "greatest", "leastRows", "greatestRows", "isWhole"] as const),
  ...(["hasOther", "otherLeast", "otherGreatest", "otherLeastRows"] as const),
  ...(["otherGreatestRows", "otherIsWhole"] as const),
  ...(["distinct", "isExact", "mail", "date", "name", "sentence", "longNumber", "charactersMean"] as const),
  ...(["spreadFrom", "spreadTo", "valuesFrom", "valuesTo"] as const),
];
type Fact = (typeof FACTS)[number];
const PLACES = Object.fromEntries(FACTS.map((fact, at) => [fact, at])) as Record<Fact, number>;

const FIELDS = Object.keys(EMPTY_FIELDS) as (keyof ColumnFields)[];

export function packTable({ rows, otherWidth, columns }: TableProfile, proposal: TableProposal): PackedTable {
  const facts = new Float64Array(columns.length * FACTS.length);
  const spreads = new Float64Array(columns.reduce((sum, { numbers }) => sum + numbers.spread.length, 0));
  const values = new Uint32Array(
    2 * columns.reduce((sum, { distinct }) => sum + (distinct.values?.length ?? 0), 0),
  );
  let [spreadTo, valuesTo] = [0, 0];
  const texts = columns.map((column, at) => {
    const [spreadFrom, valuesFrom] = [spreadTo, valuesTo];
    spreads.set(column.numbers.spread, spreadFrom);
    spreadTo += column.numbers.spread.length;
    for (const [value, count] of column.distinct.values ?? []) {
      values[valuesTo++] = value.length;
      values[valuesTo++] = count;
    }
    const places = { spreadFrom, spreadTo, valuesFrom, valuesTo };
    for (const [fact, value] of Object.entries({ ...factsOf(column), ...places })) {
      facts[at * FACTS.length + PLACES[fact as Fact]] = value;
    }
    return column.distinct.values?.map(([value]) => value).join("") ?? null;
  });
  return {
    rows,
    otherWidth,
    facts,
    spreads,
    texts,
    values,
    names: columns.map(({ name }) => name),
    proposed: proposal.columns.map(packColumn),
    withCommas: proposal.withCommas,
    series: proposal.series && { ...proposal.series, columns: proposal.series.columns.map(packColumn) },
  };
}

/** The buffers of a packed table, to be moved. */
export function buffersOf({ facts, spreads, values }: PackedTable): ArrayBuffer[] {
  return [facts, spreads, values].map(({ buffer }) => buffer as ArrayBuffer);
}

function factsOf({ missing, present: rows, numbers, distinct, forms, charactersMean }: ColumnProfile) {
  const { extremes, otherExtremes: other, count, withComma, percents, mark, hasComma } = numbers;
  return {
    missing,
    present: rows,
    numbers: count,
    withComma,
    percents,
    isComma: Number(mark === "comma"),
    hasComma: Number(hasComma),
    hasExtremes: Number(extremes !== null),
    least: extremes?.least ?? 0,
    greatest: extremes?.greatest ?? 0,
    leastRows: extremes?.leastRows ?? 0,
    greatestRows: extremes?.greatestRows ?? 0,
    isWhole: Number(extremes?.isWhole ?? false),
    hasOther: Number(other !== null),
    otherLeast: other?.least ?? 0,
    otherGreatest: other?.greatest ?? 0,
    otherLeastRows: other?.leastRows ?? 0,
    otherGreatestRows: other?.greatestRows ?? 0,
    otherIsWhole: Number(other?.isWhole ?? false),
    distinct: distinct.count,
    isExact: Number(distinct.isExact),
    ...forms,
    charactersMean,
  } satisfies Partial<Record<Fact, number>>;
}

function packColumn({ name, leftOutBecause, twoWays, fields }: ProposedColumn): readonly unknown[] {
  return [name, leftOutBecause, twoWays, ...FIELDS.map((field) => fields[field])];
}

function unpackColumn([name, leftOutBecause, twoWays, ...values]: readonly unknown[]): ProposedColumn {
  // Object.fromEntries takes four times as long, and a wide table has ten thousand columns.
  const fields: Record<string, unknown> = {};
  for (const [at, field] of FIELDS.entries()) fields[field] = values[at];
  return { name, leftOutBecause, twoWays, fields } as unknown as ProposedColumn;
}

/** What was packed. A column's values are taken apart when they are asked for. */
export function unpackTable(packed: PackedTable): {
  readonly profile: TableProfile;
  readonly proposal: TableProposal;
} {
  const { rows, otherWidth, names, proposed, withCommas, series } = packed;
  return {
    profile: { rows, otherWidth, columns: names.map((name, at) => new PackedProfile(packed, name, at)) },
    proposal: {
      columns: proposed.map(unpackColumn),
      withCommas,
      series: series && { ...series, columns: series.columns.map(unpackColumn) },
    },
  };
}

class PackedProfile implements ColumnProfile {
  readonly name: string;
  readonly #packed: PackedTable;
  readonly #at: number;
  #valuesKnown: DistinctCount["values"] | undefined;

  constructor(packed: PackedTable, name: string, at: number) {
    this.name = name;
    this.#packed = packed;
    this.#at = at;
  }

  #fact(fact: Fact): number {
    return present(this.#packed.facts[this.#at * FACTS.length + PLACES[fact]], fact);
  }

  get missing(): number {
    return this.#fact("missing");
  }
  get present(): number {
    return this.#fact("present");
  }
  get charactersMean(): number {
    return this.#fact("charactersMean");
  }

  get numbers(): ColumnProfile["numbers"] {
    const fact = (name: Fact) => this.#fact(name);
    return {
      count: fact("numbers"),
      mark: fact("isComma") === 1 ? "comma" : "point",
      withComma: fact("withComma"),
      percents: fact("percents"),
      hasComma: fact("hasComma") === 1,
      extremes:
        fact("hasExtremes") === 0
          ? null
          : {
              least: fact("least"),
              greatest: fact("greatest"),
              leastRows: fact("leastRows"),
              greatestRows: fact("greatestRows"),
              isWhole: fact("isWhole") === 1,
            },
      otherExtremes:
        fact("hasOther") === 0
          ? null
          : {
              least: fact("otherLeast"),
              greatest: fact("otherGreatest"),
              leastRows: fact("otherLeastRows"),
              greatestRows: fact("otherGreatestRows"),
              isWhole: fact("otherIsWhole") === 1,
            },
      spread: this.#packed.spreads.subarray(fact("spreadFrom"), fact("spreadTo")),
    };
  }

  get distinct(): DistinctCount {
    return { count: this.#fact("distinct"), isExact: this.#fact("isExact") === 1, values: this.#values };
  }

  get forms(): ColumnProfile["forms"] {
    const fact = (name: Fact) => this.#fact(name);
    return {
      mail: fact("mail"),
      date: fact("date"),
      name: fact("name"),
      sentence: fact("sentence"),
      longNumber: fact("longNumber"),
    };
  }

  get #values(): DistinctCount["values"] {
    this.#valuesKnown ??= this.#unpackValues();
    return this.#valuesKnown;
  }

  #unpackValues(): DistinctCount["values"] {
    const text = this.#packed.texts[this.#at] ?? null;
    if (text === null) return null;
    const entries = this.#packed.values.subarray(this.#fact("valuesFrom"), this.#fact("valuesTo"));
    let from = 0;
    return Array.from({ length: entries.length / 2 }, (_, index) => {
      const length = entries[2 * index] as number;
      const value = text.slice(from, from + length);
      from += length;
      return [value, entries[2 * index + 1] as number] as const;
    });
  }
}
