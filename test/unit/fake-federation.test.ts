import { expect, test } from "vitest";
import { z } from "zod";
import { type RoundView, type RunView, roundViewSchema, runViewSchema } from "#shared/protocol/api.ts";
import { FakeFederation } from "#test/kit/fake-federation.ts";
import { runSentence } from "#web/words/sentences.ts";

/* The made-up runs that pages are looked at with: each could be a real one. */

const made = () => new FakeFederation({ atS: 20, empty: false, baseUrl: "http://127.0.0.1" });
const listOf = <T>(item: z.ZodType<T>, body: unknown) => z.object({ items: z.array(item) }).parse(body).items;
const runsOf = (federation: FakeFederation): RunView[] =>
  listOf(runViewSchema, federation.answer("GET", "/runs", ""));
const roundsOf = (federation: FakeFederation, { runId }: RunView): RoundView[] =>
  listOf(roundViewSchema, federation.answer("GET", `/runs/${runId}/rounds`, ""));

test("a run that failed does not say that nothing was sent beside a round in which something was", () => {
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
