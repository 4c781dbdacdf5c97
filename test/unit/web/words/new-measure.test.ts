import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, test, vi } from "vitest";
import { summarise } from "#coordinator/commands/demo/follow.ts";
import { DEMO_HELP } from "#coordinator/commands/demo/options.ts";
import { runNote } from "#coordinator/core/runs/run-note.ts";
import { eventView } from "#coordinator/core/views/event-view.ts";
import { present } from "#shared/kernel/assert.ts";
import type { RunEvent } from "#shared/round/run-event.ts";
import { deviceMeasuresFrom, measuresFrom } from "#shared/task/measures/index.ts";
import { roundViewOf, runViewOf } from "#test/kit/web-views.ts";
import { EndedTable } from "#web/features/home/ended-table.tsx";
import { Learning } from "#web/features/run/learning.tsx";
import { RoundTable } from "#web/features/run/round-table.tsx";
import { outcomeSentence } from "#web/words/contribution.ts";
import { homeSentence, newestAgainstBefore, runSentence } from "#web/words/sentences.ts";

/*
 * A measure takes one file and one entry in the list. Here it comes first in the list, so that sentences mention it.
 */

vi.mock("#shared/task/measures/list.ts", async (original) => {
  const { MEASURES } = await original<typeof import("#shared/task/measures/list.ts")>();
  const { mistakes } = await import("#test/kit/dummies/mistakes.ts");
  return { MEASURES: [mistakes, ...MEASURES] };
});

const target = { kind: "classes", classes: [..."0123456789"] } as const;
const measured = (correct: number) =>
  measuresFrom({ count: 1_000, correct, lossSum: 600, lossSquareSum: 900 }, target);
const [before, newest] = [measured(500), measured(750)];
const deviceMeasures = deviceMeasuresFrom(
  {
    before: { count: 40, correct: 26, lossSum: 30 },
    after: { count: 0, correct: 0, lossSum: 0 },
  },
  target,
);
const round = roundViewOf({ round: 3, measures: newest, deviceMeasures });
const run = runViewOf({
  history: [
    { round: 2, measures: before },
    { round: 3, measures: newest },
  ],
});
const noun = { one: "drawing", many: "drawings" };

describe("a measure added to the list", () => {
  test("has its own chart on the run's page, with its curve as a table", () => {
    const page = renderToStaticMarkup(createElement(Learning, { run, rounds: [round], target, noun }));
    expect(page).toContain("Share of 1,000 held-out drawings put into a wrong class.");
    expect(page).toMatch(/<th[^>]*>held-out error rate/);
    expect(page).toMatch(/<td[^>]*>0\.250/);
    // The others keep their charts.
    expect(page).toMatch(/<h3>Error rate<\/h3>.*<h3>Accuracy<\/h3>.*<h3>Loss<\/h3>/);
  });

  test("has a value on devices if their sums allow it, and rings in its chart", () => {
    expect(deviceMeasures).toMatchObject({
      before: { "error rate": { value: 0.35, count: 40 }, accuracy: { value: 0.65, count: 40 } },
      after: {},
    });
    // A loss needs the sum of the squares.
    expect(Object.keys(deviceMeasures.before)).toEqual(["error rate", "accuracy"]);
    const page = renderToStaticMarkup(createElement(Learning, { run, rounds: [round], target, noun }));
    expect(page).toMatch(/<th[^>]*>error rate on devices/);
    expect(page).toMatch(/<td[^>]*>0\.350/);
    expect(page).toMatch(/<th[^>]*>accuracy on devices/);
    expect(page).not.toMatch(/<th[^>]*>loss on devices/);
  });

  test("has a column among the rounds of a run", () => {
    const table = renderToStaticMarkup(createElement(RoundTable, { run, rounds: [round] }));
    expect(table).toMatch(/<th[^>]*>Error rate<\/th>/);
    expect(table).toContain("0.250 ± 0.027");
    // A round from before the measure has no value, which is not "being evaluated".
    const { "error rate": _, ...others } = newest;
    const old = renderToStaticMarkup(
      createElement(RoundTable, {
        run,
        rounds: [roundViewOf({ round: 2, measures: others }), round],
      }),
    );
    expect(old).toMatch(/data-label="error rate"[^>]*>none</);
  });

  test("is used in the sentences and in the list of runs if it comes first", () => {
    const words = "has error rate 0.250 ± 0.027 on drawings it has never seen";
    expect(runSentence(run, noun)).toContain(`The model of round 3 ${words}.`);
    expect(newestAgainstBefore(run)).toBe("the model of round 3 is better than that of round 2");
    const over = { ...run, state: "completed" as const, endedAt: run.startedAt };
    expect(homeSentence([over])).toContain("at 0.250 ± 0.027");
    const table = createElement(EndedTable, { runs: [over] });
    const page = createElement(QueryClientProvider, { client: new QueryClient() }, table);
    expect(renderToStaticMarkup(page)).toMatch(/data-label="figure"[^>]*>error rate 0\.250 ± 0\.027</);
    const outcome = { kind: "committed", survivorCount: 7, included: true, at: 0, sent: true } as never;
    const task = { exampleNoun: noun, aggregation: { graph: "complete", cohortSizeMax: 16 } } as never;
    expect(outcomeSentence({ round: 3 }, outcome, round, task)).toContain(
      `the model of round 3, which ${words}.`,
    );
  });

  test("is reported by the run's events and by the demo", () => {
    const event: RunEvent = {
      type: "evaluated",
      round: 3,
      modelHash: present(round.modelHash, "a model"),
      measures: newest,
      reportHash: null,
      code: null,
    };
    const note = present(runNote(event), "a note");
    const stored = { stream: { kind: "run", id: run.runId }, sequence: 9, at: 0, note } as const;
    expect(eventView(stored).sentence).toBe(
      "The model of round 3 was evaluated: error rate 0.250, accuracy 0.750, loss 0.600 on the held-out rows.",
    );
    expect(summarise(run, [round])).toMatchObject({ "error rate": 0.25, accuracy: 0.75, loss: 0.6 });
    expect(DEMO_HELP).toContain("the task's measures (error rate, accuracy, loss, ");
  });
});
