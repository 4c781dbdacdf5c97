import { describe, expect, test } from "vitest";
import type { Note } from "#coordinator/core/ports/note.ts";
import { runNote } from "#coordinator/core/runs/run-note.ts";
import { eventView } from "#coordinator/core/views/event-view.ts";
import { present } from "#shared/kernel/assert.ts";

const modelHash = "ab".repeat(32);
const measure = (value: number) => ({ value, halfWidth95: 0.1, count: 30 });
const viewOf = (note: Note) => eventView({ stream: { kind: "run", id: "r" }, sequence: 1, at: 0, note });

describe("the figures of an evaluated model", () => {
  const measures = { accuracy: measure(0.681), code: measure(0.2), round: measure(0.1) };
  const event = { type: "evaluated", round: 3, modelHash, measures, reportHash: null, code: null } as const;
  const note = present(runNote(event), "a note");

  test("stand apart from the details, whatever a measure is called", () => {
    expect(viewOf(note)).toMatchObject({
      details: { round: 3, modelHash, code: null },
      figures: { accuracy: 0.681, code: 0.2, round: 0.1 },
    });
  });

  test("of earlier notes, which have them among the details, are read the same", () => {
    const details = { round: 3, modelHash, code: null, accuracy: 0.681 };
    const earlier = viewOf({ kind: "model.evaluated", details });
    expect(earlier.sentence).toBe("The model of round 3 was evaluated: accuracy 0.681 on the held-out rows.");
    expect(earlier.sentence).toBe(viewOf(note).sentence);
    expect(earlier).toMatchObject({
      details: { round: 3, modelHash, code: null },
      figures: { accuracy: 0.681 },
    });
  });

  test("of earlier notes of an evaluation that failed are null, which is no figure", () => {
    const details = { round: 3, modelHash, accuracy: null, code: "INTERNAL" };
    const earlier = viewOf({ kind: "model.evaluated", details } as unknown as Note);
    expect(earlier.sentence).toBe("The model of round 3 was not evaluated (INTERNAL).");
    expect(earlier.figures).toEqual({});
  });

  test("are missing if the evaluation failed, and the sentence says why", () => {
    const failed = present(runNote({ ...event, measures: null, code: "INTERNAL" }), "a note");
    expect(viewOf(failed).sentence).toBe("The model of round 3 was not evaluated (INTERNAL).");
  });
});
