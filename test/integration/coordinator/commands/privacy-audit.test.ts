import { describe, expect, test } from "vitest";
import { auditMechanism } from "#coordinator/commands/privacy/mechanism-audit.ts";
import { primitives } from "#shared/node/system.ts";
import { type Edit, plant } from "#test/kit/planted.ts";
import { seededRandom } from "#test/kit/secagg-fixtures.ts";

/*
 * The mechanism audit over the product's own path. Seeds are fixed, so a passing test stays one. At 5,000 sums each the
 * statistics decide; the bench asserts the attack's bound at full counts.
 */

type Audit = typeof import("#coordinator/commands/privacy/mechanism-audit.ts");

const UPDATE = "shared/vector/segments/update.ts";
const NOISE = "shared/vector/noise-code.ts";
/** Before the first use of what an edit declares. */
const TOP = "/** Exact below 2^53;";
const ADD_NOISE = "  addNoise(numbers, tableOf(noise), source);";

/** Faults that would make the privacy claim false, and the check that must see each. */
const MUTANTS: readonly (readonly [name: string, check: string, edits: readonly Edit[]])[] = [
  [
    "the noise is halved",
    "standard deviation",
    [
      {
        file: NOISE,
        find: "buildNoiseTable(noise.variance)",
        replace: "buildNoiseTable(Math.round(noise.variance / 4))",
      },
    ],
  ],
  [
    "rows weigh",
    "gap",
    [
      { file: UPDATE, find: "counted.value / clip.weightCap, clip", replace: "numExamples, clip" },
      { file: NOISE, find: "squaredNorm(numbers) > noise.squaredNormMax", replace: "turn < 0" },
    ],
  ],
  [
    "one share is missing",
    "standard deviation",
    [
      { file: NOISE, find: ADD_NOISE, replace: `  if (sums++ % 3 !== 0) ${ADD_NOISE.trim()}` },
      { file: NOISE, find: TOP, replace: `let sums = 0;\n${TOP}` },
    ],
  ],
  [
    "the clip is skipped on NaN",
    "not finite",
    [{ file: UPDATE, find: "zeroed ? new Float32Array(delta.length) : delta", replace: "delta" }],
  ],
  [
    "noise is reused in the next round",
    "correlation",
    [
      { file: NOISE, find: ADD_NOISE, replace: "  addNoise(numbers, tableOf(noise), again(source));" },
      {
        file: NOISE,
        find: TOP,
        replace: `const kept: RandomBytes extends (n: number) => infer B ? B[] : never = [];
let calls = 0;
const again = (source: RandomBytes): RandomBytes => (byteCount) => {
  const call = calls++ % 6;
  if (call < 3) kept[call] = source(byteCount).slice();
  return kept[call % 3]!.slice();
};
${TOP}`,
      },
    ],
  ],
  [
    "the mean is divided by the survivors",
    "gap",
    [
      {
        file: "shared/vector/mean.ts",
        find: "=== null ? weightSum : expectedCohort",
        replace: "=== null ? weightSum : weightSum",
      },
    ],
  ],
  [
    "the clip goes the wrong way",
    "adaptive clip",
    [
      {
        file: "shared/privacy/clip-bit.ts",
        find: "Math.exp(-LEARNING_RATE",
        replace: "Math.exp(LEARNING_RATE",
      },
    ],
  ],
];

const tools = (seed: string) => ({ primitives, random: seededRandom(seed) });

describe("[P18] the mechanism audit", () => {
  test("passes on the product", async () => {
    const report = await auditMechanism(tools("audit"), 5000);
    expect(report.checks.filter(({ passed }) => !passed)).toEqual([]);
    expect(report.passed).toBe(true);
    expect(report.attack.claim).toBeCloseTo(4.377178, 6);
    expect(report.attack.epsilonLower).toBeGreaterThan(1.2);
    expect(report.attack.epsilonLower).toBeLessThan(1.8);
  });

  test.each(MUTANTS)("fails if %s", async (_, check, edits) => {
    const planted = await plant(edits, ["coordinator/commands/privacy"]);
    try {
      const { auditMechanism: audit } = await planted.load<Audit>(
        "coordinator/commands/privacy/mechanism-audit.ts",
      );
      const report = await audit(tools("audit"), 600);
      expect(report.passed).toBe(false);
      const red = report.checks.filter(({ passed }) => !passed).map(({ name }) => name);
      expect(red.some((name) => name.includes(check))).toBe(true);
    } finally {
      await planted.remove();
    }
  });

  test("passes with as few sums if nothing is planted (positive control of the copies)", async () => {
    const planted = await plant([], ["coordinator/commands/privacy"]);
    try {
      const { auditMechanism: audit } = await planted.load<Audit>(
        "coordinator/commands/privacy/mechanism-audit.ts",
      );
      expect((await audit(tools("audit"), 600)).passed).toBe(true);
    } finally {
      await planted.remove();
    }
  });
});
