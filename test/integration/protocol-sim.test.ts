import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { planOf } from "#test/kit/sim/plan.ts";
import { simulate } from "#test/kit/sim/simulate.ts";

/* The command, some of its seeds, and runs of many rounds. */

const COMMAND = fileURLToPath(new URL("../protocol-sim.ts", import.meta.url));
/** As many as fit into a minute and a half of two cores; the command plays all 20,000. */
const SEEDS = 1_500;
const LONG_ROUNDS = 100;
const PATIENCE_MS = 1_200_000;

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

function run(
  args: readonly string[],
  onOutput: (text: string, stop: () => void) => void = () => {},
): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [COMMAND, ...args]);
    let output = "";
    const take = (chunk: Buffer) => {
      output += chunk.toString();
      onOutput(output, () => child.kill("SIGINT"));
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.on("exit", (code) => resolve({ code, output }));
  });
}

describe("npm run protocol-sim", () => {
  test(
    "[S1] [S2] [S10] [S11] [S15] [R19] no seed breaks an invariant",
    async () => {
      const { code, output } = await run(["--seeds", String(SEEDS)]);
      expect(output).toContain(`played ${SEEDS} of ${SEEDS} seeds`);
      expect(output).not.toContain("BROKEN");
      // All ways in which a round may end must occur, or the seeds would prove little.
      for (const end of [
        "committed",
        "committed short of a shard",
        "failed COHORT_TOO_SMALL",
        "voided BELOW_T",
        "voided BAD_B",
        "voided SENTINEL",
      ])
        expect(output).toMatch(new RegExp(`\\d ${end}`));
      expect(code).toBe(0);
    },
    PATIENCE_MS,
  );

  test("plays one seed again with everything that happened, and the same each time", async () => {
    const [first, second] = await Promise.all([run(["--seed", "12"]), run(["--seed", "12"])]);
    expect(first).toEqual(second);
    expect(first.code).toBe(0);
    expect(first.output).toMatch(/^\d+ d\d hears invite$/m);
    expect(first.output).toMatch(/^trace [0-9a-f]{64}$/m);
  });

  test("says how far it got when it is stopped", async () => {
    const { output } = await run(["--seeds", "1000000"], (text, stop) => {
      if (text.includes("a second,")) stop();
    });
    expect(output).toMatch(/stopped at \d+ of 1000000 seeds/);
  });

  test("accepts only whole numbers", async () => {
    const { code, output } = await run(["--seed", "x"]);
    expect(code).toBe(2);
    expect(output).toContain('--seed takes a whole number, not "x".');
  });
});

describe("a run of many rounds", () => {
  test(
    "[S15] [R18] ends, whatever fails on the way, and each committed sum is exact",
    async () => {
      let committed = 0;
      let voided = 0;
      for (let seed = 1; seed <= 8; seed++) {
        const { violations, ends } = await simulate(planOf(seed, LONG_ROUNDS));
        expect([seed, violations]).toEqual([seed, []]);
        committed += ends.get("committed") ?? 0;
        for (const [end, count] of ends) if (end.startsWith("voided")) voided += count;
      }
      expect(committed).toBeGreaterThan(LONG_ROUNDS);
      expect(voided).toBeGreaterThan(0);
    },
    PATIENCE_MS,
  );
});
