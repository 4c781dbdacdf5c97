import { expect, test } from "vitest";
import type { RoundDetail } from "#shared/protocol/api.ts";
import { keptSentence, missingProof, proofsOf, verifyCommand } from "#web/words/proofs.ts";

const [A, B] = ["aa".repeat(32), "bb".repeat(32)];

function detail(change: Partial<Record<keyof RoundDetail, unknown>> = {}): RoundDetail {
  const known: typeof change = {
    configHash: A,
    roundHash: A,
    sid: A,
    parentModelHash: A,
    inputsRoot: A,
    sumHash: B,
    sumByteCount: 9_764,
    weightSum: 1_400,
    survivors: 7,
    sent: 8,
    modelHash: A,
    endedAt: "2026-07-08T14:36:12.000Z",
  };
  return { ...known, ...change } as RoundDetail;
}

test("a committed round has seven proofs, and the sum says how many devices are in it", () => {
  const proofs = proofsOf(detail());
  expect(proofs.map(({ name }) => name)).toEqual([
    "Rules",
    "Plan of this round",
    "Session",
    "Model before",
    "Inputs",
    "Sum",
    "Model after",
  ]);
  const sum = proofs.find(({ name }) => name === "Sum");
  expect(sum?.says).toBe("The opened sum of 7 as whole numbers, over 1,400 weighted rows.");
  expect(sum?.download).toBe("Download the sum, 9.8\u00a0kB");
  expect(proofs.filter(({ bytes }) => bytes !== null).map(({ name }) => name)).toEqual([
    "Model before",
    "Sum",
    "Model after",
  ]);
});

test("an unopened sum claims nothing; the reason for a missing proof depends on whether the round goes on", () => {
  const sum = proofsOf(detail({ sumHash: null })).find(({ name }) => name === "Sum");
  expect(sum?.hash).toBeNull();
  expect(sum?.says).toBe("The sum as whole numbers, once it is opened.");
  expect(missingProof(detail({ endedAt: null }))).toBe("none: the round goes on");
  expect(missingProof(detail())).toBe("none: the round was given up before it");
});

test("a round says whether it is kept, and how an auditor checks it", () => {
  const transcript = {} as NonNullable<RoundDetail["transcript"]>;
  expect(keptSentence({ transcript, kept: true })).toMatch(/^This round is kept:/);
  expect(keptSentence({ transcript, kept: false })).toMatch(/^This round is no longer kept:/);
  expect(keptSentence({ transcript: undefined })).toBeNull();
  expect(verifyCommand("ab".repeat(16))).toBe(
    `npm run verify -- round ${"ab".repeat(16)} --auditor-key FILE`,
  );
});
