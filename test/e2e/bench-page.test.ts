import { expect, test } from "vitest";
import { bench as audit } from "../bench/audit.ts";
import { bench as joinPage } from "../bench/join-page.ts";
import { bench } from "../bench/page.ts";
import { bench as sample } from "../bench/sample.ts";

test("a page that takes part leaves no tensor behind between rounds, and its bench still runs", async () => {
  const figures = new Map<string, number>();
  for await (const { name, value } of bench.run({ small: true })) figures.set(name, value);
  expect([...figures.keys()]).toEqual([
    "tasks over 50 ms in 2 rounds",
    "longest of them",
    "live tensors after round 1",
    "live tensors after round 2",
  ]);
  expect(figures.get("live tensors after round 2")).toBe(figures.get("live tensors after round 1"));
});

test("the bench of a first visit still runs", async () => {
  const figures = new Map<string, number>();
  for await (const { name, value } of joinPage.run({ small: true })) figures.set(name, value);
  expect([...figures.keys()]).toEqual(["first words on a slow phone", "until one can agree"]);
  for (const value of figures.values()) expect(value).toBeGreaterThan(0);
});

test("the bench of a first verification still runs", async () => {
  const figures = new Map<string, number>();
  for await (const { name, value } of audit.run({ small: true })) figures.set(name, value);
  expect([...figures.keys()]).toEqual([
    "click to verified, p50",
    "click to verified, p50, bar",
    "click to verified, highest",
    "click to verified, highest, bar",
    "address opened to verified, p50",
    "answers read for it",
  ]);
  for (const [name, value] of figures) expect(value, name).toBeGreaterThan(0);
});

test("the bench of a sample still runs, in Node and in Chromium", async () => {
  const figures = new Map<string, number>();
  for await (const { name, value, ratio } of sample.run({ small: true })) {
    figures.set(name, value);
    expect(ratio, name).toBeGreaterThan(0);
  }
  expect([...figures.keys()]).toEqual([
    "sample in Node: first proposal, from 5 MB",
    "sample in Node: final ranges, of 12 MB",
    "sample in Chromium: first proposal, from 5 MB",
    "sample in Chromium: final ranges, of 12 MB",
    "sample in Chromium: first proposal, beside its bar",
    "sample in Chromium: final ranges, beside its bar",
  ]);
});
