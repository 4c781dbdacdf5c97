import { describe, expect, test } from "vitest";
import { bench as fold } from "../bench/fold.ts";
import type { Bench, BenchLine } from "../bench/line.ts";
import { bench as memory } from "../bench/memory.ts";
import { bench as round } from "../bench/round.ts";

/* Each bench at a size at which its figures say nothing: that it runs, and that it gives the figures it promises. */

async function linesOf(bench: Bench): Promise<BenchLine[]> {
  const lines: BenchLine[] = [];
  for await (const line of bench.run({ small: true })) lines.push(line);
  for (const { name, value, peer, peerValue, ratio } of lines) {
    expect(Number.isFinite(value), name).toBe(true);
    if (peer === undefined) continue;
    expect(peerValue, name).toBeGreaterThan(0);
    expect((ratio as number) * (peerValue as number), name).toBeCloseTo(value, 6);
  }
  return lines;
}

function figureOf(lines: readonly BenchLine[], start: string): number {
  const line = lines.find(({ name }) => name.startsWith(start));
  if (line === undefined)
    throw new Error(`no line "${start}" among ${lines.map(({ name }) => name).join(", ")}`);
  return line.value;
}

describe("benches still run", () => {
  test("fold", async () => {
    const lines = await linesOf(fold);
    expect(figureOf(lines, "masked input hashed, spooled and folded")).toBeGreaterThan(0);
    expect(figureOf(lines, "masks removed")).toBeGreaterThan(0);
  });

  test("round", async () => {
    const lines = await linesOf(round);
    expect(figureOf(lines, "last check-in to committed")).toBeGreaterThan(0);
    expect(figureOf(lines, "check-in sent to outcome")).toBeGreaterThan(0);
    const phases = lines.filter(({ name }) => name.startsWith("phase "));
    expect(phases).toHaveLength(6);
    // 3 devices, 2 hidden units: 1,600 weights, and each sends all of them.
    expect(figureOf(lines, "bytes up per device")).toBeGreaterThan(6.4);
  });

  test("memory", async () => {
    const lines = await linesOf(memory);
    expect(figureOf(lines, "resident, highest after the warm-up")).toBeGreaterThan(0);
    // Below zero where the collector came after the warm-up.
    expect(figureOf(lines, "growth over 1 rounds")).toBeLessThan(1_000);
  });
});
