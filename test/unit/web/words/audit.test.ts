import { expect, test } from "vitest";
import type { Statement, Verdict } from "#shared/audit/statement.ts";
import { LEAF_KINDS } from "#shared/tlog/leaf-kinds.ts";
import {
  auditLead,
  bundleCommand,
  bundleName,
  costWords,
  entriesOfStatements,
  entryWords,
  logLead,
  partlyReadWords,
  readingWords,
  replayPlace,
  replayWords,
  VERDICT_WORDS,
} from "#web/words/audit.ts";
import { entriesRange, pathLabel, pathSentence } from "#web/words/audit-path.ts";
import { entriesTable, instantOf, placeWords, searchWords } from "#web/words/log-filter.ts";

const said = (...verdicts: readonly Verdict[]): readonly Statement[] =>
  verdicts.map((verdict, index) => ({
    id: "sum",
    says: "It is so.",
    verdict,
    because: "It was checked.",
    entries: verdict === "uncheckable" ? [] : [4_158 + index],
  }));

test("the lead counts the statements by what was said of them, contradictions first", () => {
  const seven = Array.from({ length: 7 }, (): Verdict => "checked");
  expect(auditLead(said(...seven, "waiting", "uncheckable"))).toBe(
    "Nine statements about this round. Seven were checked in this browser just now, one waits, and one nobody can check.",
  );
  expect(auditLead(said("contradicted", "waiting"))).toBe(
    "Two statements about this round. One is contradicted, none was checked in this browser just now, and one waits.",
  );
  expect(auditLead(said("checked", "checked", "waiting", "waiting"))).toBe(
    "Four statements about this round. Two were checked in this browser just now and two wait.",
  );
});

test("what a check cost, and the entries it rests on, have their units", () => {
  expect(costWords(612, 31_000)).toBe("checked in 0.6\u00a0s, 31.0\u00a0kB fetched");
  expect(costWords(42, 900)).toBe("checked in 0.04\u00a0s, 0.90\u00a0kB fetched");
  expect(entriesOfStatements(said("checked", "checked", "uncheckable"))).toBe("log entries 4,158 to 4,159");
  expect(entriesOfStatements(said("checked"))).toBe("log entry 4,158");
  expect(entriesOfStatements(said("uncheckable"))).toBeNull();
});

test("an exported file has a name, and a command that checks it", () => {
  const name = bundleName({ task: "digits", runNumber: 3, round: 14 });
  expect([name, bundleCommand(name)]).toEqual([
    "digits-run3-round14.bundle",
    "npm run log -- verify digits-run3-round14.bundle",
  ]);
});

test("each of the four marks has a word and says what it means", () => {
  const words = Object.values(VERDICT_WORDS);
  expect(new Set(words.map(({ mark }) => mark)).size).toBe(4);
  for (const { said: says, means } of words)
    expect([says, means].every((text) => text.endsWith(".") || text.endsWith("”"))).toBe(true);
});

test("the replay says where it stands and what it is drawn from", () => {
  expect(replayPlace({ phase: "committed" }, 3, 20)).toBe("3\u00a0s");
  expect(replayPlace({ phase: "committed" }, 20, 20)).toBe("opened");
  expect(replayPlace({ phase: "failed" }, 20, 20)).toBe("given up");
  expect(replayWords(212)).toContain("the same 212 events");
  expect(replayWords(null)).toContain("not shown to this reader");
});

test("the log's lead counts entries and witnesses, and a contradiction goes before all", () => {
  const log = { size: 4_182, witnesses: 2, witnessCount: 3, contradiction: null };
  expect(logLead(log)).toBe(
    "The log has 4,182 entries. This browser checked that they are under one signed root. Two of 3 witnesses signed the same.",
  );
  expect(logLead({ ...log, witnesses: 0, witnessCount: 0 })).toContain(
    "No witness signs it, because this coordinator asks none",
  );
  expect(logLead({ ...log, contradiction: "It was rolled back." })).toBe("The log contradicts itself.");
});

test("every kind of entry has words, and one of a later program says its kind", () => {
  for (const kind of Object.keys(LEAF_KINDS))
    expect(entryWords({ kind, body: {} }, 3)).not.toContain("An entry of the kind");
  expect(entryWords({ kind: "later.kind", body: {} }, null)).toBe("An entry of the kind later.kind");
  expect(entryWords({ kind: "inputs.sealed", body: { survivors: 49 } }, 14)).toBe(
    "49 inputs of round 14 were sealed",
  );
  expect(entryWords({ kind: "round.opened", body: {} }, null)).toBe("A round was opened");
  const deleted = (body: object) => entryWords({ kind: "deletion.performed", body: { ...body } }, null);
  expect(deleted({ what: "transcripts", count: 1, slug: "digits" })).toBe(
    "1 kept transcript was deleted, of digits",
  );
  expect(deleted({ what: "held-out-rows", count: 1_200, slug: "digits" })).toBe(
    "1,200 held-out rows were deleted, of digits",
  );
  expect(deleted({ what: "person", count: 1 })).toBe("A person was erased");
  expect(deleted({ what: "__proto__", count: 1 })).toBe("Something was deleted");
  for (const kind of ["__proto__", "constructor", ""])
    expect(entryWords({ kind, body: {} }, null)).toContain("An entry of the kind");
});

test("a path says what it joins", () => {
  expect(entriesRange(4_161, 4_162)).toBe("entry 4,161");
  expect(entriesRange(0, 4_096)).toBe("entries 0 to 4,095");
  expect(pathSentence(7, 4_182)).toContain(
    "joined with seven others, step by step, until one stands for all 4,182 entries",
  );
  expect(pathSentence(0, 1)).toContain("the only entry");
  expect(pathLabel(3, 2, 4)).toBe(
    "The path of entry 3: joined with 2 other fingerprints to the root of 4 entries.",
  );
});

test("a search reads times as UTC, counts what it found, and writes it as a table", () => {
  expect(instantOf("2026-11-30T14:00")).toBe("2026-11-30T14:00:00.000Z");
  expect([instantOf(""), instantOf("yesterday")]).toEqual([null, null]);
  const search = { found: 3, lookedAt: 8_000, size: 12_204 };
  expect(
    (["searching", "stopped", "failed", "paused", "ended"] as const).map((state) =>
      searchWords({ ...search, state }),
    ),
  ).toEqual([
    "Looking: 8,000 of 12,204 entries looked at, newest first; 3 fit.",
    "Stopped: 8,000 of 12,204 entries looked at, newest first; 3 fit.",
    "The search did not end. 8,000 of 12,204 entries looked at, newest first; 3 fit.",
    "The newest 3 entries that fit; there are more.",
    "3 entries.",
  ]);
  expect(searchWords({ found: 0, lookedAt: 0, size: 0, state: "searching" })).toBe("Looking.");
  expect(searchWords({ found: 0, lookedAt: 7, size: 7, state: "ended" })).toBe("None of 7 entries fits.");
  expect(searchWords({ found: 1, lookedAt: 7, size: 7, state: "ended" })).toBe("1 entry.");
  expect(readingWords({ done: 4_096, total: 12_204 })).toBe(
    "Read and checked 4,096 of 12,204 entries of the log.",
  );
  expect(partlyReadWords({ from: 0, to: 9 }, 9)).toBeNull();
  expect(partlyReadWords({ from: 4, to: 8 }, 9)).toBe("Reading was stopped: entries 4 to 7 of 9 were read.");
  const id = "ab".repeat(16);
  const place = { task: "digits", runId: id, runNumber: 3, roundId: id, round: 14 } as Parameters<
    typeof placeWords
  >[0];
  expect(placeWords(place)).toBe("digits, run 3, round 14");
  expect(placeWords(null)).toBe("");
  const row = { index: 3, at: "", kind: "k", what: "w", about: "", who: "", check: "checked here" };
  expect(entriesTable([row]).rows).toEqual([[3, "", "k", "w", "", "", "checked here"]]);
});
