import fc from "fast-check";
import { expect, test } from "vitest";
import {
  EXPERIMENTS,
  hint,
  MODEL_VERSIONS,
  parseFilter,
  parseOrdering,
  RUNS,
} from "#shared/tracking/search-text.ts";

const conditions = (text: string) => {
  const parsed = parseFilter(text, RUNS);
  return parsed.ok
    ? parsed.value.map(({ entity, key, comparator, value }) => [entity, key, comparator, value])
    : parsed.error;
};

test("[L3] a filter is read as MLflow's documentation writes them", () => {
  expect(conditions("  ")).toEqual([]);
  expect(conditions("metrics.accuracy > 0.72 and params.model = 'a ''")).toMatchObject({
    type: "bad-search",
  });
  expect(conditions('metrics.`val acc` >= -1e-3 AND tags."mlflow.source.name" = "x"')).toEqual([
    ["metric", "val acc", ">=", -0.001],
    ["tag", "mlflow.source.name", "=", "x"],
  ]);
  expect(conditions("attributes.status='RUNNING'AND created<5")).toEqual([
    ["attribute", "status", "=", "RUNNING"],
    ["attribute", "start_time", "<", 5],
  ]);
  expect(conditions("metrics.train/loss-1 != 3 and `Run name` ilike '%x'")).toEqual([
    ["metric", "train/loss-1", "!=", 3],
    ["attribute", "run_name", "ILIKE", "%x"],
  ]);
  expect(conditions("run_id NOT IN ('a', \"b\") and params.p is not null")).toEqual([
    ["attribute", "run_id", "NOT IN", ["a", "b"]],
    ["param", "p", "IS NOT NULL", null],
  ]);
  expect(conditions("tags.__proto__ = 'x' and params.constructor = ''")).toEqual([
    ["tag", "__proto__", "=", "x"],
    ["param", "constructor", "=", ""],
  ]);
});

test.each([
  ["acc > 1", 0, 'A run has no attribute "acc".'],
  ["attributes.statu = 'x'", 0, 'A run has no attribute "statu". Did you mean status?'],
  ["metric.a > '1'", 11, '"a" is compared with a number.'],
  ["metric.a > 1 or metric.b > 1", 13, "Expected AND or the end. Conditions are joined by AND alone."],
  ["params.a = 1", 11, "\"a\" is compared with text in quotes, such as 'fedavg'."],
  ["params.a > '1'", 9, '"a" takes =, !=, LIKE, ILIKE, IN, NOT IN, IS NULL, IS NOT NULL.'],
  ["metrics.a LIKE '1'", 10, '"a" takes =, !=, >, >=, <, <=.'],
  ["run_id IN ()", 10, "Expected a list of texts such as ('a', 'b')."],
  ["metrics. > 1", 0, "Expected a key after the dot."],
  ["models.a = '1'", 0, 'A run has no "models". Use attributes, metrics, params, tags, datasets.'],
  ["dataset.x = '1'", 0, "A data set has name, digest, context."],
  ["metrics.a > 1; drop table run", 13, '"; drop table run" is neither a name nor a value.'],
  ["__proto__.x = '1'", 0, 'A run has no "__proto__". Use attributes, metrics, params, tags, datasets.'],
  ["constructor = 'x'", 0, 'A run has no attribute "constructor".'],
])("[L3] %s is refused with its place", (text, position, sentence) => {
  expect(parseFilter(text, RUNS)).toEqual({ ok: false, error: { type: "bad-search", position, sentence } });
});

test("[L3] an order is a name with a direction; subjects have names of their own", () => {
  expect(parseOrdering("metrics.`a b` DESC", RUNS)).toEqual({
    ok: true,
    value: { entity: "metric", key: "a b", isAscending: false },
  });
  expect(parseOrdering("start_time asc", RUNS)).toMatchObject({ value: { isAscending: true } });
  expect(parseOrdering("timestamp", MODEL_VERSIONS).ok).toBe(false);
  expect(parseOrdering("version_number desc", MODEL_VERSIONS).ok).toBe(true);
  expect(parseOrdering("last_update_time", EXPERIMENTS).ok).toBe(true);
  expect(parseOrdering("dataset.name", RUNS).ok).toBe(false);
  expect(parseOrdering("metrics.a DESC, params.b", RUNS).ok).toBe(false);
  expect(parseFilter("metrics.a > 1", EXPERIMENTS).ok).toBe(false);
});

test("[L3] patterns have 250 characters together at most, so that no comparison holds the coordinator", () => {
  const like = (length: number) => `params.p LIKE '${"%a".repeat(length / 2)}'`;
  expect(parseFilter(like(250), RUNS).ok).toBe(true);
  expect(parseFilter(`params.p = '${"a".repeat(2_000)}'`, RUNS).ok).toBe(true);
  const sentence =
    "The patterns of LIKE and ILIKE have at most 250 characters together. Use shorter ones, or =.";
  expect(parseFilter(like(252), RUNS)).toEqual({
    ok: false,
    error: { type: "bad-search", position: 0, sentence },
  });
  const two = `${like(200)} AND tags.t ILIKE '${"b".repeat(60)}'`;
  expect(parseFilter(two, RUNS)).toMatchObject({ error: { position: like(200).length + 5, sentence } });
});

test("[L3] a hint names the nearest known word", () => {
  expect(hint("acuracy", ["loss", "accuracy"])).toBe(" Did you mean accuracy?");
  expect(hint("zzzzzz", ["loss", "accuracy"])).toBe("");
});

test("[L3] any text is read or refused within its length, soon", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300, unit: "grapheme" }), (text) => {
      const parsed = parseFilter(text, RUNS);
      if (!parsed.ok) expect(parsed.error.position).toBeLessThanOrEqual(text.length);
    }),
  );
  const long = `${"metrics.a > 1 AND ".repeat(5_000)}metrics.a > 1`;
  expect(parseFilter(long, RUNS)).toMatchObject({ ok: false });
  expect(parseFilter(`${" ".repeat(100_000)};`, RUNS)).toMatchObject({ ok: false });
});
