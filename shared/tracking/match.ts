import { unreachable } from "../kernel/assert.ts";
import type { Condition, Ordering } from "./condition.ts";

/* Answers searches for things in memory, and is what the stores are compared with. */

type Value = string | number | null;

/** What a search sees of a thing. Each look-up is undefined for what it lacks. */
export interface Searchable {
  attribute(key: string): Value | undefined;
  metric(key: string): number | undefined;
  param(key: string): string | undefined;
  tag(key: string): string | undefined;
  /** For runs: each data set's name, digest and context. */
  readonly datasets?: readonly Readonly<Record<string, string>>[];
}

/** True if all conditions hold. */
export function matches(thing: Searchable, conditions: readonly Condition[]): boolean {
  return conditions.every((condition) => {
    if (condition.entity !== "dataset") return holds(seenValue(thing, condition) ?? null, condition);
    return (thing.datasets ?? []).some((dataset) => holds(dataset[condition.key] ?? null, condition));
  });
}

function seenValue(thing: Searchable, { entity, key }: Pick<Ordering, "entity" | "key"> | Condition) {
  return entity === "dataset" ? undefined : thing[entity](key);
}

function holds(value: Value, { comparator, value: asked }: Condition): boolean {
  if (comparator === "IS NULL") return value === null;
  if (comparator === "IS NOT NULL") return value !== null;
  if (value === null || asked === null || Number.isNaN(value)) return false;
  switch (comparator) {
    case "=":
      return value === asked;
    case "!=":
      return value !== asked;
    case ">":
      return value > asked;
    case ">=":
      return value >= asked;
    case "<":
      return value < asked;
    case "<=":
      return value <= asked;
    case "IN":
      return Array.isArray(asked) && asked.includes(value);
    case "NOT IN":
      return Array.isArray(asked) && !asked.includes(value);
    case "LIKE":
      return isLike(String(value), String(asked));
    case "ILIKE":
      return isLike(String(value).toLowerCase(), String(asked).toLowerCase());
    default:
      return unreachable(comparator);
  }
}

/**
 * `%` stands for any text, `_` for one character; nothing else is special. Goes back to the last `%` alone, so it takes at
 * most the product of both lengths.
 */
export function isLike(text: string, pattern: string): boolean {
  // By character, not by half of one.
  const [characters, wanted] = [Array.from(text), Array.from(pattern)];
  let [at, next] = [0, 0];
  /** After the last `%`, and where the text goes on if it stands for one more character. */
  let [afterAny, resumeAt] = [-1, 0];
  while (at < characters.length) {
    const sign = wanted[next];
    if (sign === "%") {
      next += 1;
      [afterAny, resumeAt] = [next, at];
    } else if (sign !== undefined && (sign === "_" || sign === characters[at])) {
      next += 1;
      at += 1;
    } else if (afterAny >= 0) {
      next = afterAny;
      resumeAt += 1;
      at = resumeAt;
    } else return false;
  }
  return wanted.slice(next).every((sign) => sign === "%");
}

/** Compares as stores order: values, then NaN, then what has none, whatever the direction. */
export function compareBy(orderings: readonly Ordering[]): (left: Searchable, right: Searchable) => number {
  return (left, right) => {
    for (const ordering of orderings) {
      const [one, other] = [seenValue(left, ordering) ?? null, seenValue(right, ordering) ?? null];
      const byRank = rankOf(one) - rankOf(other);
      if (byRank !== 0) return byRank;
      if (one === other || one === null || other === null || Number.isNaN(one)) continue;
      return one < other === ordering.isAscending ? -1 : 1;
    }
    return 0;
  };
}

function rankOf(value: Value): number {
  if (value === null) return 2;
  return Number.isNaN(value) ? 1 : 0;
}
