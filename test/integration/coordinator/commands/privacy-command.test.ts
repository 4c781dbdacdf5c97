import { expect, test } from "vitest";
import { z } from "zod";
import { runCommand } from "#test/kit/worlds/run-command.ts";

/* The privacy command as a process. */

const STEP = ["--q", "0.01", "--steps", "1000", "--delta", "1e-5"];
const privacy = (...args: string[]) => runCommand("privacy", args);

test("[P17] epsilon and sigma are the reference values, as one line of JSON and as a sentence", async () => {
  const epsilonSchema = z.strictObject({
    epsilon: z.number(),
    delta: z.literal(1e-5),
    accountant: z.string(),
  });
  for (const [accountant, expected, tolerance] of [
    ["rdp", 2.101365271648395, 1e-9],
    ["pld", 1.8282367, 1e-3],
  ] as const) {
    const { code, stdout } = await privacy(
      "epsilon",
      "--sigma",
      "1",
      ...STEP,
      "--accountant",
      accountant,
      "--json",
    );
    expect([code, stdout.trim().split("\n").length]).toEqual([0, 1]);
    const found = epsilonSchema.parse(JSON.parse(stdout));
    expect(Math.abs(found.epsilon - expected)).toBeLessThan(tolerance);
    expect(found.accountant).toBe(accountant);
  }
  const sigma = await privacy(
    "sigma",
    "--epsilon",
    "2",
    "--q",
    "0.01",
    "--steps",
    "1000",
    "--delta",
    "1e-6",
    "--json",
  );
  expect(z.object({ sigma: z.number() }).parse(JSON.parse(sigma.stdout)).sigma).toBeCloseTo(
    1.0938725913259875,
    7,
  );
  const said = await privacy("epsilon", "--sigma", "1", ...STEP);
  expect(said.stdout).toMatch(
    /^epsilon 2\.1013652716\d* at delta 0\.00001, by rdp, for the continuous Gaussian\n$/,
  );
  expect((await privacy("--help")).stdout).toContain("for the continuous Gaussian");
});

test("[P17] without noise epsilon is infinite, without sampling it is 0", async () => {
  const line = async (...args: string[]) => JSON.parse((await privacy(...args, "--json")).stdout) as unknown;
  expect(await line("epsilon", "--sigma", "0", ...STEP)).toMatchObject({ epsilon: "Infinity" });
  expect(await line("epsilon", "--sigma", "0", ...STEP, "--q", "0")).toMatchObject({ epsilon: 0 });
  expect(await line("epsilon", "--sigma", "1", ...STEP, "--steps", "0")).toMatchObject({ epsilon: 0 });
  expect(await line("sigma", "--epsilon", "1", ...STEP, "--q", "0")).toMatchObject({ sigma: 0 });
  expect((await privacy("epsilon", "--sigma", "0", ...STEP)).stdout).toContain("infinite");
});

test("[P17] what is out of range is refused with the range", async () => {
  for (const [args, sentence] of [
    [["--delta", "0"], "--delta is a number above 0 and at most 1"],
    [["--delta", "1.5"], "--delta is a number above 0 and at most 1"],
    [["--delta", "nothing"], '"nothing" is not'],
    [["--q", "1.01"], "--q is a number from 0 to 1"],
    [["--q", ""], "--q is a number from 0 to 1"],
    [["--sigma=-1"], "--sigma is a number of at least 0"],
    [["--sigma", "Infinity"], "--sigma is a number of at least 0"],
    [["--steps", "1.5"], "--steps is a whole number"],
    [["--accountant", "prv"], "--accountant is rdp or pld"],
    [["--epsilon", "1"], "epsilon takes no --epsilon"],
  ] as const) {
    const { code, stdout, stderr } = await privacy("epsilon", "--sigma", "1", ...STEP, ...args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(sentence);
  }
  expect((await privacy("epsilon", ...STEP)).stderr).toContain("epsilon needs --sigma");
  expect((await privacy("delta")).stderr).toContain("Say one of epsilon, sigma and audit");
  expect((await privacy("sigma", "--epsilon", "0", ...STEP)).stderr).toContain(
    "--epsilon is a number above 0",
  );
  expect((await privacy("audit", "--runs", "5")).stderr).toContain("--runs is a whole number from 100");
});

test("[P17] an epsilon out of reach is refused with one that then works", async () => {
  const refused = await privacy("sigma", "--epsilon", "1e-9", ...STEP);
  expect(refused.code).toBe(1);
  const [, least] = /Ask for at least ([\d.]+)/.exec(refused.stderr) ?? [];
  expect((await privacy("sigma", "--epsilon", String(least), ...STEP)).code).toBe(0);
});

test("[P18] the audit prints each check and what an attack proves", async () => {
  const { code, stdout } = await privacy("audit", "--runs", "300");
  expect(code).toBe(0);
  expect(stdout.match(/^ok {4}/gm)).toHaveLength(7);
  expect(stdout).toContain("claimed 4.377");
  const { stdout: json } = await privacy("audit", "--runs", "100", "--json");
  expect(z.object({ passed: z.boolean() }).parse(JSON.parse(json)).passed).toBe(true);
});
