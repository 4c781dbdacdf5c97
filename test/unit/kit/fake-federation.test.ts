import { expect, test } from "vitest";
import { z } from "zod";
import {
  eventViewSchema,
  type RoundView,
  type RunView,
  roundViewSchema,
  runViewSchema,
} from "#shared/protocol/api.ts";
import { FakeFederation } from "#test/kit/worlds/fake-federation.ts";
import { runSentence } from "#web/words/sentences.ts";

/* The made-up runs for looking at pages: each could be a real one. */

const made = () => new FakeFederation({ atS: 20, cast: "each", baseUrl: "http://127.0.0.1" });
const listOf = <T>(item: z.ZodType<T>, body: unknown) => z.object({ items: z.array(item) }).parse(body).items;
const runsOf = (federation: FakeFederation): RunView[] =>
  listOf(runViewSchema, federation.answer("GET", "/runs", ""));
const roundsOf = (federation: FakeFederation, { runId }: RunView): RoundView[] =>
  listOf(roundViewSchema, federation.answer("GET", `/runs/${runId}/rounds`, ""));

test("a failed run does not claim that nothing was sent if something was sent in its round", () => {
  const federation = made();
  const failed = runsOf(federation).filter(({ state }) => state === "failed");
  expect(failed).toHaveLength(1);
  for (const run of failed) {
    expect(roundsOf(federation, run).at(-1)?.sent).toBeGreaterThan(0);
    expect(runSentence(run, { one: "row", many: "rows" })).not.toContain("Nothing was sent");
  }
});

test("[R16] a run with an open round stops after it, any other ends at once", () => {
  const federation = made();
  for (const run of runsOf(federation)) {
    if (run.state === "completed" || run.state === "failed") continue;
    const stopped = runViewSchema.parse(federation.answer("POST", `/runs/${run.runId}/stop`, ""));
    const { state, code, endedAt, currentRound } = stopped;
    if (run.state === "running") expect([state, endedAt]).toEqual(["stopping", null]);
    else
      expect([state, code, endedAt === null, currentRound]).toEqual([
        "failed",
        "ABORTED_BY_OPERATOR",
        false,
        null,
      ]);
  }
});

test("the events of a run are the product's own: a committed round is noted as such, a failed one with its reason", () => {
  const federation = made();
  const eventsOf = ({ runId }: RunView) =>
    listOf(eventViewSchema, federation.answer("GET", `/runs/${runId}/events`, ""));
  const runs = runsOf(federation);
  const kinds = new Set(runs.flatMap(eventsOf).map(({ kind }) => kind));
  expect(kinds).toContain("round.committed");
  const failed = runs.filter(({ state }) => state === "failed").flatMap(eventsOf);
  expect(failed[0]?.kind).toBe("round.failed");
  expect(failed[0]?.sentence).toMatch(/was given up: [a-z ]+; nothing was opened\.$/);
});
