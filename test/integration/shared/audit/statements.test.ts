import { beforeAll, describe, expect, test } from "vitest";
import type { RoundEvidence } from "#shared/audit/evidence.ts";
import type { StatementId } from "#shared/audit/statement.ts";
import { statementsOn } from "#shared/audit/statements.ts";
import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import { seededRandom } from "#test/kit/secagg-fixtures.ts";
import { auditedFederation, evidenceOf, withEntry } from "#test/kit/worlds/audited-round.ts";
import { Federation } from "#test/kit/worlds/federation.ts";

/* One fault for each statement turns it to contradicted; the honest round is each fault's control. */

let primitives: Primitives;
let evidence: RoundEvidence;
let first: RoundEvidence;

beforeAll(async () => {
  primitives = await selectPrimitives(globalThis.crypto.subtle);
  const auditorKey = await primitives.x25519PublicKey(seededRandom("auditor")(32));
  const { federation, rounds } = await auditedFederation(auditorKey);
  evidence = await evidenceOf(primitives, federation, present(rounds[1], "round 2"));
  first = await evidenceOf(primitives, federation, present(rounds[0], "round 1"));
}, 60_000);

async function verdicts(of: RoundEvidence): Promise<Readonly<Record<string, string>>> {
  const statements = await statementsOn(primitives, of);
  return Object.fromEntries(statements.map(({ id, verdict }) => [id, verdict]));
}

const HONEST = {
  launched: "checked",
  opened: "checked",
  cohort: "checked",
  inputs: "checked",
  signed: "checked",
  sum: "checked",
  version: "checked",
  "same-log": "waiting",
  "true-data": "uncheckable",
};

const OTHER = "ab".repeat(32);

test("[A60] an honest round: seven statements hold, one waits for a witness, one nobody can check", async () => {
  expect(await verdicts(evidence)).toEqual(HONEST);
  const statements = await statementsOn(primitives, evidence);
  expect(statements.map(({ says }) => says)).toEqual([
    "The run was launched by ada. Nobody has changed its rules since.",
    expect.stringMatching(
      /^Round 2 was opened at \d\d:\d\d:\d\d UTC under the rules that every device had checked\.$/,
    ),
    "7 devices made up the cohort, so at least 5 of them had to send.",
    "7 masked updates are in the sum, and none counts twice.",
    "5 of the 7 signed that they had seen the same list; 5 were needed.",
    "The sum was opened once, and only as a sum.",
    "Version 2 was computed from the model before it and that sum, and from nothing else.",
    "The log that says all this is the same for everyone.",
    "Every device trained on true data.",
  ]);
  expect(statements.filter(({ entries }) => entries.length === 0).map(({ id }) => id)).toEqual([
    "same-log",
    "true-data",
  ]);
});

test("a round's record says whether its transcript is still kept", () => {
  expect([evidence.record, first.record].map((record) => "kept" in record && record.kept)).toEqual([
    true,
    false,
  ]);
});

test("[A60] signatures that were deleted, or that the reader may not see, are never called checked", async () => {
  expect((await verdicts(first))["signed"]).toBe("uncheckable");
  expect((await verdicts({ ...evidence, signatures: "not-shown" }))["signed"]).toBe("waiting");
});

const FAULTS: readonly (readonly [StatementId, string, (honest: RoundEvidence) => RoundEvidence])[] = [
  ["launched", "rules of another fingerprint", (of) => withEntry(of, "run.launched", { configHash: OTHER })],
  [
    "launched",
    "a later round under other rules",
    (of) => {
      const opened = present(
        of.entries.find(({ kind }) => kind === "round.opened"),
        "round 1",
      );
      const entries = of.entries.map((entry) =>
        entry === opened ? { ...entry, body: { ...entry.body, configHash: OTHER } } : entry,
      );
      return { ...of, entries };
    },
  ],
  ["opened", "another model", (of) => withEntry(of, "round.opened", { modelHash: OTHER })],
  ["opened", "an opening twice", (of) => twice(of, "round.opened")],
  ["cohort", "a lower threshold", (of) => withEntry(of, "cohort.sealed", { threshold: 4 })],
  ["cohort", "another number of devices", (of) => withEntry(of, "cohort.sealed", { n: 6 })],
  ["inputs", "another root", (of) => withEntry(of, "inputs.sealed", { merkleRoot: OTHER })],
  ["inputs", "one more input", (of) => withEntry(of, "inputs.sealed", { survivors: 8 })],
  [
    "inputs",
    "one input twice",
    (of) => inLog(of, "input-received", (fact, all) => ({ ...fact, root: all[0]?.["root"] })),
  ],
  ["signed", "another list", (of) => withEntry(of, "survivors.signed", { u3: OTHER })],
  ["signed", "other signatures", (of) => withEntry(of, "survivors.signed", { signatureRoot: OTHER })],
  [
    "signed",
    "a signature that is not the device's",
    (of) => ({
      ...of,
      signatures: {
        ok: false,
        error: { code: "CONFIRMATION_SIGNATURE", sentence: "Position 1 did not confirm." },
      },
    }),
  ],
  ["sum", "another sum", (of) => withEntry(of, "round.unmasked", { sumHash: OTHER })],
  ["sum", "two openings in the log", (of) => twice(of, "round.unmasked")],
  ["sum", "an own log that goes on", (of) => withoutEvent(of, "input-received")],
  ["version", "another model", (of) => withEntry(of, "model.published", { modelHash: OTHER })],
  [
    "version",
    "bytes that the sum does not give",
    (of) => ({
      ...of,
      reproduced: { ok: false, error: { code: "MODEL", sentence: "The sum gives another model." } },
    }),
  ],
  [
    "same-log",
    "a log that was rolled back",
    (of) => ({ ...of, sight: { ...of.sight, contradiction: "Yesterday 4,171 entries, today 4,166." } }),
  ],
];

describe("[A61] a fault turns its statement to contradicted", () => {
  test.for(FAULTS)("%s: %s", async ([id, , plant]) => {
    const found = await verdicts(plant(evidence));
    expect(found[id]).toBe("contradicted");
    expect(found["true-data"]).toBe("uncheckable");
  });
});

test("[A61] an entry that is missing contradicts, unless not all of the log was read or the round goes on", async () => {
  const entries = evidence.entries.filter(({ kind }) => kind !== "round.unmasked");
  expect((await verdicts({ ...evidence, entries }))["sum"]).toBe("contradicted");
  const { to } = evidence.read;
  for (const read of [
    { from: 0, to: to - 1 },
    { from: 1, to },
  ])
    expect((await verdicts({ ...evidence, entries, read }))["sum"]).toBe("waiting");
});

test("[A60] a round that was given up says that nothing was opened, and an opening contradicts it", async () => {
  const federation = await Federation.create({ devices: 5 });
  federation.connectAll();
  const runId = await federation.launch(1);
  for (const device of federation.devices) device.goneBefore = "input";
  await federation.until(async () => (await federation.rounds(runId))[0]?.phase === "failed", "the end");
  const [record] = await federation.rounds(runId);
  const failed = await evidenceOf(primitives, federation, present(record, "a round"));
  const honest = await verdicts(failed);
  expect(honest).toMatchObject({ launched: "checked", opened: "checked", "given-up": "checked" });
  expect(Object.keys(honest)).not.toContain("version");
  expect((await verdicts(withEntry(failed, "round.aborted", { opened: true })))["given-up"]).toBe(
    "contradicted",
  );
});

function twice(of: RoundEvidence, kind: string): RoundEvidence {
  const entry = present(
    of.entries.findLast((one) => one.kind === kind),
    kind,
  );
  const again = { ...entry, index: of.read.to };
  const to = of.read.to + 1;
  return { ...of, entries: [...of.entries, again], read: { from: 0, to }, sight: { ...of.sight, size: to } };
}

type Fact = Readonly<Record<string, unknown>>;

/** The round's own log with changed facts of one type. */
function inLog(
  of: RoundEvidence,
  type: string,
  change: (fact: Fact, all: readonly Fact[]) => Fact,
): RoundEvidence {
  const facts = present(of.log, "a log").map(({ event }) => factIn(event));
  const all = facts.filter((fact) => fact["type"] === type);
  const log = facts.map((fact, index) => ({
    sequence: index + 1,
    event: { version: 5, fact: fact["type"] === type ? change(fact, all) : fact },
  }));
  return { ...of, log };
}

function withoutEvent(of: RoundEvidence, type: string): RoundEvidence {
  const facts = present(of.log, "a log").map(({ event }) => factIn(event));
  const gone = facts.findIndex((fact) => fact["type"] === type);
  const log = facts
    .filter((_, index) => index !== gone)
    .map((fact, index) => ({ sequence: index + 1, event: { version: 5, fact } }));
  return { ...of, log };
}

function factIn(event: unknown): Fact {
  assert(typeof event === "object" && event !== null && "fact" in event, "a row has a fact");
  assert(typeof event.fact === "object" && event.fact !== null, "a fact is an object");
  return { ...event.fact };
}
