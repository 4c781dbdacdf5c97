import { describe, expect, test } from "vitest";
import { calmPlan, calmTask, fault, restlessPlan, shardedPlan } from "#test/kit/sim/calm-plan.ts";
import { CALM, type DeviceFault, planOf } from "#test/kit/sim/plan.ts";
import type { Flaw } from "#test/kit/sim/rogue.ts";
import { simulate } from "#test/kit/sim/simulate.ts";

/*
 * Worlds that once broke an invariant, by name. The plans are written out, because a seed would give another world as
 * soon as anything is drawn in a different order.
 */

describe("a simulated world", () => {
  test("without faults commits the exact sum of all devices", async () => {
    const played = await simulate(calmPlan());
    expect(played.violations).toEqual([]);
    expect([...played.ends]).toEqual([["committed", 1]]);
  });

  test("[S15] a device whose welcome is lost logs in on a new connection, because a connection takes one login", async () => {
    const loses = (_: "up" | "down", what: string, count: number) => what === "welcome" && count === 2;
    const played = await simulate(calmPlan({ network: { ...CALM, loses } }));
    expect(played.violations).toEqual([]);
    expect(played.lines.filter((line) => line.includes("welcome is lost"))).toHaveLength(1);
    // Without the fourth device recruiting would wait for its deadline and end there.
    expect([...played.ends]).toEqual([["committed", 1]]);
    expect(played.lines.filter((line) => line.endsWith("puts its input"))).toHaveLength(4);
  });

  test("[S15] devices that hear everything twice and out of order stay in the run", async () => {
    const network = { ...CALM, latencyMaxMs: 400, duplication: 1, reorders: true };
    for (let seed = 0; seed < 6; seed++) {
      const played = await simulate(calmPlan({ deviceCount: 3, rounds: 4, seed: `twice ${seed}`, network }));
      expect([seed, played.violations]).toEqual([seed, []]);
      expect(played.ends.get("committed")).toBe(4);
    }
  });

  test("[S11] what a repeated attempt left behind is deleted, at whatever write the coordinator died", async () => {
    let diedAfterRetry = 0;
    // Two devices die with their inputs in transit, so that the attempt is repeated and the round fails.
    const devices = [fault(0, "crash", 8, 900_000), fault(1, "crash", 8, 900_000)];
    for (let write = 20; write < 64; write++) {
      const played = await simulate(calmPlan({ faults: { devices, hostDiesAtWrites: [write] } }));
      expect([write, played.violations]).toEqual([write, []]);
      const killed = played.lines.findIndex((line) => line.endsWith("is killed"));
      if (/-> advertising 2/.test(played.lines.slice(killed - 3, killed + 3).join())) diedAfterRetry++;
    }
    expect(diedAfterRetry).toBeGreaterThan(0);
  });

  test("[R50] a disk that damages inputs costs attempts or a void sum, never a wrong one", async () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 40; seed++) {
      const damage = { input: 1 + (seed % 4), afterMs: 1 + 20 * seed, at: 13 * seed, cut: seed % 5 === 0 };
      const damagedInputs = [damage];
      const plans = [
        calmPlan({ seed: `disk ${seed}`, faults: { damagedInputs } }),
        calmPlan({ seed: `disk ${seed}`, faults: { damagedInputs, hostDiesAtWrites: [30 + (seed % 20)] } }),
      ];
      for (const plan of plans) {
        const played = await simulate(plan);
        expect([seed, played.violations]).toEqual([seed, []]);
        for (const end of played.ends.keys()) seen.add(end);
        if (played.lines.some((line) => /damaged -> advertising 2/.test(line))) seen.add("repeated");
      }
    }
    expect(seen).toContain("committed");
    expect(seen).toContain("voided INPUT_DAMAGED");
    expect(seen).toContain("repeated");
  });

  test("[R5] devices that confirm and leave at once do not break the run", async () => {
    let unopened = 0;
    for (let seed = 0; seed < 20; seed++) {
      const devices = [fault(0, "leave", 10)];
      const played = await simulate(calmPlan({ deviceCount: 3, seed: `quick ${seed}`, faults: { devices } }));
      expect([seed, played.violations]).toEqual([seed, []]);
      if (played.lines.some((line) => /confirmed -> failed/.test(line))) unopened++;
    }
    expect(unopened).toBeGreaterThan(0);
  });
});

describe("a simulated world that waits", () => {
  test("[R17] [R25] for devices that come and go: rounds with too few devices do not count", async () => {
    const { violations, ends, runEnds, lines } = await simulate(restlessPlan(9));
    expect(violations).toEqual([]);
    expect(ends.get("failed COHORT_TOO_SMALL")).toBeGreaterThan(7);
    expect([ends.get("committed"), [...runEnds]]).toEqual([1, [["completed", 1]]]);
    expect(lines.filter((line) => line.endsWith("wait-began -> waiting")).length).toBeGreaterThan(7);
  });

  test("[R25] for devices that never come, until its time limit, and across a restart", async () => {
    const devices = [fault(0, "leave", 1), fault(1, "leave", 1)];
    const plan = calmPlan({ waitUntilMs: 60_000, faults: { devices, hostDiesAtWrites: [6] } });
    const { violations, ends, runEnds, lines } = await simulate(plan);
    expect(violations).toEqual([]);
    expect([...ends, ...runEnds]).toEqual([["failed WAIT_EXPIRED", 1]]);
    expect(lines.some((line) => line.endsWith("is killed"))).toBe(true);
  });

  test("[E3] for a slow evaluator that fails and that dies with its coordinator", async () => {
    for (const write of [38, 42, 46, 50, 54]) {
      const evaluator = { maxMs: 60_000, failure: 0.5 };
      const plan = calmPlan({ rounds: 3, evaluator, faults: { hostDiesAtWrites: [write] } });
      const { violations, ends, runEnds } = await simulate(plan);
      expect([write, violations]).toEqual([write, []]);
      expect([ends.get("committed"), [...runEnds]]).toEqual([3, [["completed", 1]]]);
    }
  });
});

describe("a simulated world of another form", () => {
  test("[R23] with three shards: a shard that falls short is left out, and the sum is that of the others", async () => {
    let short = 0;
    for (let seed = 0; seed < 6; seed++) {
      const { violations, ends } = await simulate(shardedPlan(`shards ${seed}`, 24, 12, 5));
      expect([seed, violations]).toEqual([seed, []]);
      short += ends.get("committed short of a shard") ?? 0;
    }
    expect(short).toBeGreaterThan(0);
  });

  test("[S2] on the 16-bit ring and on a sparse one commits, with the exact sum of all", async () => {
    const graph = { kind: "k-regular", corruptShare: 0.05, dropoutShare: 0.1 } as const;
    const sparse = calmTask(9, { graph, securityModel: "honest-but-curious" });
    for (const task of [calmTask(9, { ring: 16 }), sparse]) {
      const { violations, ends } = await simulate(calmPlan({ deviceCount: 9, task }));
      expect(violations).toEqual([]);
      expect([...ends]).toEqual([["committed", 1]]);
    }
  });

  test("[A5] that keeps rounds keeps the newer of two, which its auditor can read", async () => {
    const { violations, ends } = await simulate(calmPlan({ rounds: 2, keptRounds: 1 }));
    expect(violations).toEqual([]);
    expect([...ends]).toEqual([["committed", 2]]);
  });
});

describe("a dishonest device", () => {
  const withFlaw = (flaw: Flaw, devices: readonly DeviceFault[] = []) =>
    simulate(
      calmPlan({ deviceCount: 5, flaws: new Map([[1, { flaw, untilMs: 9_000 }]]), faults: { devices } }),
    );

  // It lies through the first round; later rounds show that the run goes on.
  test.each([
    ["wrong-b", "voided BAD_B"],
    ["wrong-mask", "voided SENTINEL"],
    ["wrong-pair-mask", "voided SENTINEL"],
  ] as const)("[S2] [S9] %s: the first sum is discarded, a later one is exact", async (flaw, end) => {
    const { violations, ends } = await withFlaw(flaw);
    expect(violations).toEqual([]);
    expect(ends.get(end)).toBeGreaterThan(0);
    expect(ends.get("committed")).toBe(1);
  });

  test("[S9] wrong-z: detected if the device drops out and its key is rebuilt", async () => {
    const { violations, ends } = await withFlaw("wrong-z", [fault(1, "crash", 7, 1_000)]);
    expect(violations).toEqual([]);
    expect([...ends.keys()]).toEqual(["voided BAD_S", "committed"]);
  });

  test("[S9] unreadable-share: a complaint repeats the attempt, and nothing is opened", async () => {
    const { violations, ends, lines } = await withFlaw("unreadable-share");
    expect(violations).toEqual([]);
    expect(lines.some((line) => line.includes("complained -> advertising 2"))).toBe(true);
    expect(ends.get("committed")).toBe(1);
  });

  test("[S9] wrong-share: its holder is named, and spare shares make up for it", async () => {
    const { violations, ends, lines } = await withFlaw("wrong-share");
    expect(violations).toEqual([]);
    expect(lines.some((line) => line.includes("shares do not match what was dealt"))).toBe(true);
    expect([...ends]).toEqual([["committed", 1]]);
  });
});

describe("one seed", () => {
  test("plays the same world each time, with faults and with real cryptography", async () => {
    for (const seed of [0, 7, 12, 31]) {
      const [first, second] = [await simulate(planOf(seed)), await simulate(planOf(seed))];
      expect(first.traceHash).toBe(second.traceHash);
      expect(first.lines.length).toBeGreaterThan(20);
      expect(first.violations).toEqual([]);
    }
    expect((await simulate(planOf(7))).traceHash).not.toBe((await simulate(planOf(12))).traceHash);
  });
});
