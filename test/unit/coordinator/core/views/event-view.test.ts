import { expect, test } from "vitest";
import type { Note } from "#coordinator/core/ports/note.ts";
import { eventView } from "#coordinator/core/views/event-view.ts";

const said = (note: Note) =>
  eventView({ stream: { kind: "round", id: "ab".repeat(16) }, sequence: 1, at: 0, note }).sentence;

test("[V8] why a round was given up is said in words, and the code stays among the details", () => {
  expect(said({ kind: "round.failed", details: { round: 3, code: "COHORT_TOO_SMALL" } })).toBe(
    "Round 3 was given up: too few devices came; nothing was opened.",
  );
  expect(said({ kind: "round.voided", details: { round: 3, code: "SENTINEL" } })).toBe(
    "Round 3 was given up after opening: the check numbers of the sum were wrong; its sum is discarded.",
  );
  expect(said({ kind: "round.retried", details: { round: 3, attempt: 2, code: "U2_BELOW_T" } })).toBe(
    "Round 3 starts over with attempt 2: too few devices shared keys; nothing was opened.",
  );
  expect(said({ kind: "round.retried", details: { round: 3, attempt: 2, code: null } })).toBe(
    "Round 3 starts over with attempt 2; nothing was opened.",
  );
  expect(said({ kind: "round.failed", details: { round: 3, code: "ABORTED_BY_OPERATOR" } })).toBe(
    "Round 3 was given up: the run was stopped; nothing was opened.",
  );
  expect(said({ kind: "round.failed", details: { round: 3, code: "UNAVAILABLE" } })).toContain(
    "(UNAVAILABLE)",
  );
});
