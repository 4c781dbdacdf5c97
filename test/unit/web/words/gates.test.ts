import { expect, test } from "vitest";
import type { GateReport } from "#shared/protocol/registry.ts";
import type { GateResult } from "#shared/task/gates/index.ts";
import {
  decisionTitle,
  gateFigure,
  gateKey,
  gatesLead,
  gateVerdict,
  hasSecondAdmin,
  noGatesWords,
} from "#web/words/gates.ts";

const gate = (state: GateResult["state"]): GateResult => ({
  ...{ kind: "size", title: "size", state, required: "at most 500 kB" },
  ...{ champion: null, candidate: null, difference: null, reason: "" },
});
const report = (states: readonly GateResult["state"][], change: Partial<GateReport> = {}): GateReport => ({
  ...{ version: 15, champion: 12, open: false, promoteByItself: false },
  gates: states.map(gate),
  ...change,
});

test("[V11] the gates' first words count those that are not open; what cannot be told is not open", () => {
  expect(gatesLead(report([]))).toBe("This task has no gates, so any version may be promoted.");
  expect(gatesLead(report(["open", "open"]))).toBe("Version 15 may be promoted: both gates are open.");
  expect(gatesLead(report(["shut", "cannot-tell", "open"]))).toBe(
    "Version 15 cannot take the place of version 12 yet: two of three gates are not open.",
  );
  expect(gatesLead(report(["shut"], { champion: null, promoteByItself: true }))).toBe(
    "Version 15 cannot be promoted yet: its gate is not open. When a run ends, its last version is judged once, and promoted by itself if all are open.",
  );
  expect(gateVerdict(gate("cannot-tell"))).toBe("cannot be told, so shut");
});

test("[V11] a figure of a gate has its unit and its interval", () => {
  expect(gateFigure(null)).toBe("none");
  expect(gateFigure({ value: 0.861, low: 0.84, high: 0.88, unit: "share" })).toBe(
    "86.1 % (84.0 % to 88.0 %)",
  );
  expect(gateFigure({ value: 512_000, low: null, high: null, unit: "bytes" })).toBe("512.0 kB");
});

test("[V11] two gates on one measure are two rows", () => {
  const threshold = {
    ...gate("open"),
    kind: "measure",
    title: "accuracy",
    required: "at least 80.0 %",
  } as const;
  const gates = [threshold, { ...threshold }, { ...threshold, required: "no worse than the champion" }];
  expect(new Set(gates.map((one) => gateKey(gates, one))).size).toBe(3);
});

test("[V15] a decision is named with its time, and says why it shows no gates", () => {
  const at = "2026-07-08T10:12:00.000Z";
  const title = (outcome: Parameters<typeof decisionTitle>[0]["outcome"]) =>
    decisionTitle({ outcome, at }, Date.parse("2026-07-09T10:00:00.000Z"));
  expect(title("not-promoted")).toBe("Not promoted, yesterday, 10:12 UTC");
  expect(title("promoted-despite-gates")).toMatch(/^Promoted despite its gates, /);
  expect(title("rolled-back")).toBe("Put back in use, yesterday, 10:12 UTC");
  expect(noGatesWords({ outcome: "rolled-back" })).toContain("asks no gates");
  expect(noGatesWords({ outcome: "promoted" })).toBe("The task had no gates then.");
});

test("[G9] with one admin nobody is asked to pass a gate", () => {
  const [admin, other] = [{ isAdmin: true }, { isAdmin: false }];
  expect(hasSecondAdmin([])).toBe(false);
  expect(hasSecondAdmin([admin, other, other])).toBe(false);
  expect(hasSecondAdmin([other, admin, admin])).toBe(true);
});
