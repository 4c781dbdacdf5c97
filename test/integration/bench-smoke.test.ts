import { describe, expect, test } from "vitest";
import { bench as access } from "../bench/access.ts";
import { bench as floods } from "../bench/floods.ts";
import { bench as fold } from "../bench/fold.ts";
import { bench as heldOut } from "../bench/held-out.ts";
import { bench as idle } from "../bench/idle.ts";
import type { Bench, BenchLine } from "../bench/line.ts";
import { bench as log } from "../bench/log.ts";
import { bench as memory } from "../bench/memory.ts";
import { bench as pictures } from "../bench/pictures.ts";
import { bench as privacy } from "../bench/privacy.ts";
import { bench as privacyAudit } from "../bench/privacy-audit.ts";
import { bench as registry } from "../bench/registry.ts";
import { bench as round } from "../bench/round.ts";
import { bench as search } from "../bench/search.ts";
import { bench as secagg } from "../bench/secagg.ts";
import { bench as store } from "../bench/store.ts";
import { bench as tenThousand } from "../bench/ten-thousand.ts";
import { FLOODS } from "../kit/adversary/floods.ts";

/*
 * Each bench at a size too small for meaningful figures: checks that it runs and prints the figures that it promises.
 */

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
  test("access", async () => {
    const lines = await linesOf(access);
    expect(figureOf(lines, "one person: read of a task, session, p50")).toBeGreaterThan(0);
    expect(figureOf(lines, "5 more: read of a task, API token, p99")).toBeGreaterThan(0);
    expect(figureOf(lines, "a check of one session among 5, p50")).toBeGreaterThan(0);
    expect(figureOf(lines, "a round beside 5 people")).toBeGreaterThan(0);
    // The bar is the peer, so that whoever repeats the bench sees it.
    const more = lines.find(({ name }) => name === "one person: more than by anyone, session, p50");
    expect(more).toMatchObject({ peer: "bar", peerValue: 1 });
  });

  test("fold", async () => {
    const lines = await linesOf(fold);
    expect(figureOf(lines, "masked input hashed, spooled and folded")).toBeGreaterThan(0);
    expect(figureOf(lines, "masks removed")).toBeGreaterThan(0);
  });

  test("secagg", async () => {
    const lines = await linesOf(secagg);
    for (const start of ["6 of 1000: client, R2", "24 of 500 in shards: client, R4"]) {
      expect(figureOf(lines, start)).toBeGreaterThan(0);
    }
    // The bench compares the sums itself; a wrong one would have thrown.
    expect(figureOf(lines, "6 of 1000, 0 % gone: inputs in the sum, exact where compared")).toBe(6);
    expect(figureOf(lines, "6 of 1000, 10 % gone: inputs in the sum, exact where compared")).toBe(5);
    // 4 of 6 are below t: nothing is opened.
    expect(figureOf(lines, "6 of 1000, 30 % gone: inputs in the sum, exact where compared")).toBe(0);
    expect(figureOf(lines, "24 of 500 in shards, 0 % gone: inputs in the sum, exact where compared")).toBe(
      24,
    );
    expect(figureOf(lines, "24 of 500 in shards, 0 % gone: shards opened")).toBe(2);
    // 1,011 words, and what the protocol adds.
    expect(figureOf(lines, "6 of 1000: bytes up, over the ring vector")).toBeGreaterThan(0.004);
  });

  test("round", async () => {
    const lines = await linesOf(round);
    expect(figureOf(lines, "last check-in to committed")).toBeGreaterThan(0);
    expect(figureOf(lines, "check-in sent to outcome")).toBeGreaterThan(0);
    const phases = lines.filter(({ name }) => name.startsWith("phase "));
    expect(phases).toHaveLength(6);
    // 3 devices, 2 hidden units: 1,600 weights, and each device sends all of them.
    expect(figureOf(lines, "bytes up per device")).toBeGreaterThan(6.4);
  });

  test("floods", async () => {
    const lines = await linesOf(floods);
    for (const flood of FLOODS) {
      expect(figureOf(lines, `${flood}: round p50`)).toBeGreaterThan(0);
      expect(figureOf(lines, `${flood}: /livez p99`)).toBeGreaterThan(0);
      expect(figureOf(lines, `${flood}: messages sent`)).toBeGreaterThan(0);
    }
  });

  test("ten-thousand", async () => {
    const lines = await linesOf(tenThousand);
    expect(figureOf(lines, "100 devices: shards with an exact sum")).toBe(2);
    expect(figureOf(lines, "inputs in them")).toBeGreaterThan(90);
  });

  test("memory", async () => {
    const lines = await linesOf(memory);
    expect(figureOf(lines, "resident, highest after the warm-up")).toBeGreaterThan(0);
    // Below zero if the garbage collector ran after the warm-up.
    expect(figureOf(lines, "growth over 1 rounds")).toBeLessThan(1_000);
  });

  test("held-out", async () => {
    const lines = await linesOf(heldOut);
    for (const kind of ["CSV of 0.6 MB", "IDX pair of 0.2 MB"]) {
      expect(figureOf(lines, `${kind}: stored`)).toBeGreaterThan(0);
      expect(figureOf(lines, `${kind}: checked`)).toBeGreaterThan(0);
      expect(figureOf(lines, `${kind}: highest resident memory`)).toBeGreaterThan(30);
    }
    expect(lines.every(({ peer }) => peer !== undefined)).toBe(true);
  });

  test("pictures", async () => {
    const lines = await linesOf(pictures);
    expect(figureOf(lines, "zip of 200")).toBeGreaterThan(0);
    expect(figureOf(lines, "memory beside the rows")).toBeGreaterThanOrEqual(0);
  });

  test("store", async () => {
    const lines = await linesOf(store);
    expect(figureOf(lines, "SQLite: append, p50")).toBeGreaterThan(0);
    expect(figureOf(lines, "SQLite: append, p99")).toBeGreaterThan(0);
    expect(lines.find(({ name }) => name === "SQLite: append, p50")?.ratio).toBeGreaterThan(0);
  });

  test("log", async () => {
    const lines = await linesOf(log);
    expect(figureOf(lines, "staged, sequenced and published")).toBeGreaterThan(0);
    expect(figureOf(lines, "age of a leaf's checkpoint at 1000 leaves/s, p99")).toBeGreaterThan(0);
    expect(figureOf(lines, "3000 leaves, warm files: inclusion and consistency, p99")).toBeGreaterThan(0);
    expect(figureOf(lines, "3000 leaves: start to ready, all files checked")).toBeGreaterThan(0);
    // Bars are peers, so that whoever repeats the bench sees them.
    expect(lines.filter(({ peer }) => peer === "bar").length).toBeGreaterThanOrEqual(5);
  });

  test("privacy", async () => {
    const lines = await linesOf(privacy);
    expect(figureOf(lines, "noise for 10000 coordinates in Node")).toBeGreaterThan(0);
    expect(figureOf(lines, "noise for 10000 coordinates in Chromium")).toBeGreaterThan(0);
    expect(figureOf(lines, "RDP of q 0.01")).toBeGreaterThan(0);
    expect(figureOf(lines, "PLD of q 0.01")).toBeGreaterThan(0);
  });

  test("privacy-audit", async () => {
    const lines = await linesOf(privacyAudit);
    expect(figureOf(lines, "epsilon that an attack proves")).toBeLessThan(4.377);
    expect(figureOf(lines, "one sum of three devices")).toBeGreaterThan(0);
  });

  test("registry", async () => {
    const lines = await linesOf(registry);
    expect(figureOf(lines, "log-batch of 1000 metrics, p50")).toBeGreaterThan(0);
    expect(figureOf(lines, "search over 40 runs")).toBeGreaterThan(0);
    expect(figureOf(lines, "a file of 1 MB: stored durably")).toBeGreaterThan(0);
  });

  test("search", async () => {
    const lines = await linesOf(search);
    expect(figureOf(lines, "SQLite, 60 runs: by a figure, ordered by it, p99")).toBeGreaterThan(0);
    expect(figureOf(lines, "SQLite, 60 runs: by name, last page, p50")).toBeGreaterThan(0);
  });

  test("idle", async () => {
    const lines = await linesOf(idle);
    expect(figureOf(lines, "start to ready")).toBeGreaterThan(0);
    expect(figureOf(lines, "resident, idle")).toBeGreaterThan(30);
  });
});
