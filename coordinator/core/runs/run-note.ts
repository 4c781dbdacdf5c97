import type { RunEvent } from "#shared/round/run-event.ts";
import type { Measures } from "#shared/stats/measure.ts";
import type { Note } from "../ports/note.ts";

/** What people read of a run's event. Null if its round's note says so already. */
export function runNote(event: RunEvent): Note | null {
  switch (event.type) {
    case "started":
      return { kind: "run.started", details: { modelHash: event.modelHash } };
    case "wait-began":
      return { kind: "run.waiting", details: { ready: event.ready } };
    case "wait-expired":
      return { kind: "run.wait-expired", details: {} };
    case "round-opened":
      return { kind: "round.opened", details: { round: event.round, modelHash: event.modelHash } };
    case "round-ended":
      return null;
    case "evaluated": {
      const { round, modelHash, measures, code } = event;
      // Nothing was tried: devices alone judge the models of this task.
      if (code === "NO_HELD_OUT") return null;
      return {
        kind: "model.evaluated",
        details: { round, modelHash, code },
        figures: valuesByName(measures),
        ...unitsByName(measures),
      };
    }
    case "pause-asked":
      return { kind: "run.pause-asked", details: { actor: event.actor } };
    case "resume-asked":
      return { kind: "run.resume-asked", details: { actor: event.actor } };
    case "stop-asked":
      return { kind: "run.stop-asked", details: { actor: event.actor } };
    case "archive-asked":
      return { kind: "run.archive-asked", details: { actor: event.actor } };
    case "broken":
      return { kind: "run.broken", details: { code: event.code } };
  }
}

function valuesByName(measures: Measures | null): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(measures ?? {}).map(([name, { value }]) => [name, value]));
}

export function launchNote(number: number, actor: string): Note {
  return { kind: "run.launched", details: { number, actor } };
}

function unitsByName(measures: Measures | null): Pick<Extract<Note, { kind: "model.evaluated" }>, "units"> {
  const units = Object.entries(measures ?? {}).flatMap(([name, { unit }]) =>
    unit === undefined ? [] : [[name, unit] as const],
  );
  return units.length === 0 ? {} : { units: Object.fromEntries(units) };
}
