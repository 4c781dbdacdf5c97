import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

/* A spread of a literal says nothing that its properties would not say. Only a condition needs one: `...(a ? { b } : {})`. */

const root = new URL("../..", import.meta.url).pathname;
const sources = globSync("{shared,coordinator,client}/**/*.ts", { cwd: root });

const spreadsIn = (source: string) => source.match(/\.\.\.\{/g) ?? [];

test("no literal is spread into another", () => {
  expect(sources.length).toBeGreaterThan(500);
  const found = sources.filter((file) => spreadsIn(readFileSync(join(root, file), "utf8")).length > 0);
  expect(found).toEqual([]);
});

test("a spread literal is found, and one with a condition is none (positive control)", () => {
  expect(spreadsIn("f({ ...{ a, b }, c, ...{\n d } })")).toHaveLength(2);
  expect(spreadsIn("f({ ...(a ? { b } : {}), ...c })")).toHaveLength(0);
});
