import { unreachable } from "#shared/kernel/assert.ts";
import type { EventView } from "#shared/protocol/api.ts";
import { launchSentence, runActSentence } from "#shared/round/act-sentences.ts";
import { faultWords } from "#shared/round/faults.ts";
import { MEASURES } from "#shared/task/measures/index.ts";
import type { Note } from "../ports/note.ts";
import type { StoredNote } from "../ports/store.ts";

export function eventView({ stream, sequence, at, note: stored }: StoredNote): EventView {
  const note = upcast(stored);
  return {
    sequence,
    at: new Date(at).toISOString(),
    roundId: stream.kind === "round" ? (stream.id as EventView["roundId"]) : null,
    ...note,
    sentence: sentenceOf(note),
  };
}

/** Earlier notes of an evaluation have the figures beside the other details; null if there were none. */
function upcast(note: Note): Note {
  if (note.kind !== "model.evaluated" || note.figures !== undefined) return note;
  const { round, modelHash, code, ...rest } = note.details;
  const figures = Object.fromEntries(
    Object.entries(rest).filter((entry): entry is [string, number] => typeof entry[1] === "number"),
  );
  return { kind: note.kind, details: { round, modelHash, code }, figures };
}

function sentenceOf(note: Note): string {
  switch (note.kind) {
    case "run.launched":
      return launchSentence(note.details.number, note.details.actor);
    case "run.started":
      return "The run started from an untrained model.";
    case "run.waiting": {
      const { ready } = note.details;
      return `The run waits for devices: ${ready === 1 ? "1 is" : `${ready} are`} ready, too few for a round.`;
    }
    case "run.wait-expired":
      return "The time that the run was told to wait is over.";
    case "run.pause-asked":
    case "run.resume-asked":
    case "run.stop-asked":
      return runActSentence(note.kind, note.details.actor);
    case "run.archive-asked":
      return `${note.details.actor} archived the task: the run ends after its current round.`;
    case "run.broken":
      return `The run cannot go on (${note.details.code}).`;
    case "model.evaluated":
      return evaluatedSentence(note);
    default:
      return `Round ${note.details.round}${roundClause(note)}.`;
  }
}

type EvaluatedNote = Extract<Note, { kind: "model.evaluated" }>;
type RoundNote = Exclude<Note, { kind: `run.${string}` } | EvaluatedNote>;

/** What follows "Round 3". */
function roundClause(note: RoundNote): string {
  switch (note.kind) {
    case "round.opened":
      return " opened and accepts devices";
    case "round.invited":
      return `: ${devices(note.details.invited)} were invited and train`;
    case "cohort.sealed":
      return `: a cohort of ${devices(note.details.devices)} shares keys; ${note.details.needed} masked updates must be in`;
    case "round.collecting":
      return `: ${devices(note.details.devices)} may send a masked update; ${note.details.needed} must be in`;
    case "inputs.sealed":
      return `: ${note.details.survivors} masked updates are in and the list is sealed`;
    case "round.opened-sum":
      return `: ${devices(note.details.confirmed)} confirmed the list and the sum is being opened`;
    case "round.committed":
      return ` committed: the sum of ${devices(note.details.survivors)} made the next model`;
    case "round.voided":
      return ` was given up after opening${faultWords(note.details.code)}; its sum is discarded`;
    case "round.failed":
      return ` was given up${faultWords(note.details.code)}; nothing was opened`;
    case "round.retried":
      return ` starts over with attempt ${note.details.attempt}${faultWords(note.details.code)}; nothing was opened`;
    case "round.damaged":
      return ` goes on without a group: stored updates of ${devices(note.details.damaged)} were damaged on disk`;
    case "round.restarted":
      return " goes on after the coordinator restarted";
    default:
      return unreachable(note);
  }
}

const devices = (count: number): string => (count === 1 ? "1 device" : `${count} devices`);

function evaluatedSentence({ details: { round, code }, figures = {}, units = {} }: EvaluatedNote): string {
  const model = round === 0 ? "The untrained model" : `The model of round ${round}`;
  // In the order of the list, "accuracy 0.681".
  const listed = MEASURES.flatMap(({ name, inText = name }) => {
    const [value, unit] = [figures[name], units[name]];
    if (value === undefined) return [];
    return [`${inText} ${value.toFixed(3)}${unit === undefined ? "" : ` ${unit}`}`];
  });
  return listed.length > 0
    ? `${model} was evaluated: ${listed.join(", ")} on the held-out rows.`
    : `${model} was not evaluated (${code}).`;
}
