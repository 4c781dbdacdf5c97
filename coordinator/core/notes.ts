import type { z } from "zod";
import { eventViewSchema } from "#shared/protocol/api.ts";
import type { RoundEvent } from "#shared/round/event.ts";
import type { RunEvent } from "#shared/round/run-event.ts";
import { keptShards, neededInputs } from "#shared/round/shards.ts";
import type { RoundState, Seated } from "#shared/round/state.ts";

/*
 * What people read of a log: turns of a round and of a run with counts, never one device's step.
 */

/** Kept beside the event. */
export const noteSchema = eventViewSchema.pick({ kind: true, details: true });
export type Note = Readonly<z.infer<typeof noteSchema>>;

/** Null where the event is one device's step or a change of the connections. */
export function roundNote(before: RoundState, event: RoundEvent, after: RoundState): Note | null {
  const { round } = after.facts;
  if (after.attempt !== before.attempt) {
    const details = { round, attempt: after.attempt, code: after.retriedFor };
    return { kind: "round.retried", details };
  }
  if (after.phase === before.phase) {
    if (event.type === "damaged") {
      return { kind: "round.damaged", details: { round, damaged: event.positions.length } };
    }
    return event.type === "restarted"
      ? { kind: "round.restarted", details: { round, phase: before.phase } }
      : null;
  }
  switch (after.phase) {
    case "recruiting":
    case "advertising":
      return null;
    case "training": {
      const invited = [...after.members.values()].filter((member) => member.invited).length;
      return { kind: "round.invited", details: { round, invited } };
    }
    case "sharing":
      return {
        kind: "cohort.sealed",
        details: { round, devices: after.roster.length, ...shardCounts(after) },
      };
    case "collecting":
      return {
        kind: "round.collecting",
        details: { round, devices: after.u2.length, ...shardCounts(after) },
      };
    case "confirming":
      return { kind: "inputs.sealed", details: { round, survivors: after.u3.length } };
    case "unmasking":
      return { kind: "round.opened-sum", details: { round, confirmed: after.confirmations.size } };
    case "committed": {
      const { modelHash } = after.publication;
      return { kind: "round.committed", details: { round, survivors: after.u3.length, modelHash } };
    }
    case "voided":
      return { kind: "round.voided", details: { round, code: after.code } };
    case "failed":
      return { kind: "round.failed", details: { round, code: after.code } };
  }
}

/** How many masked updates a round needs, and of how many sums it is where there are several. */
function shardCounts(state: Seated): Note["details"] {
  const kept = keptShards(state);
  const needed = neededInputs(state);
  if (state.shardCount === 1) return { needed };
  return { needed, shards: kept.length, leftOut: state.shardCount - kept.length };
}

/** @param actor  Of the launch; the others name their own. */
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
      // The round says it itself.
      return null;
    case "evaluated": {
      const { round, modelHash, measures, code } = event;
      const details = { round, modelHash, accuracy: measures?.["accuracy"]?.value ?? null, code };
      return { kind: "model.evaluated", details };
    }
    case "pause-asked":
      return { kind: "run.pause-asked", details: { actor: event.actor } };
    case "resume-asked":
      return { kind: "run.resume-asked", details: { actor: event.actor } };
    case "stop-asked":
      return { kind: "run.stop-asked", details: { actor: event.actor } };
    case "broken":
      return { kind: "run.broken", details: { code: event.code } };
  }
}

export function launchNote(number: number, actor: string): Note {
  return { kind: "run.launched", details: { number, actor } };
}

/** One sentence for people. */
export function sentenceOf({ kind, details }: Note): string {
  const at = (name: string) => String(details[name] ?? "?");
  const devices = (name: string) => (details[name] === 1 ? "1 device" : `${at(name)} devices`);
  const round = `Round ${at("round")}`;
  switch (kind) {
    case "run.launched":
      return `Run ${at("number")} was launched by ${at("actor")}.`;
    case "run.started":
      return "The run started from its initial model.";
    case "run.waiting":
      return `The run waits for devices: ${details["ready"] === 1 ? "1 is" : `${at("ready")} are`} ready, too few for a round.`;
    case "run.wait-expired":
      return "The time until which the run was to wait has come.";
    case "model.evaluated": {
      const model = details["round"] === 0 ? "The initial model" : `The model of round ${at("round")}`;
      const accuracy = details["accuracy"];
      return typeof accuracy === "number"
        ? `${model} was evaluated: accuracy ${accuracy.toFixed(3)} on the held-out rows.`
        : `${model} was not evaluated (${at("code")}).`;
    }
    case "run.pause-asked":
      return `${at("actor")} asked for a pause after the current round.`;
    case "run.resume-asked":
      return `${at("actor")} resumed the run.`;
    case "run.stop-asked":
      return `${at("actor")} stopped the run.`;
    case "run.broken":
      return `The run cannot go on (${at("code")}).`;
    case "round.opened":
      return `${round} opened and takes devices.`;
    case "round.invited":
      return `${round}: ${devices("invited")} were invited and train.`;
    case "cohort.sealed":
      return `${round}: a cohort of ${devices("devices")} shares keys; ${at("needed")} masked updates must be in.`;
    case "round.collecting":
      return `${round}: ${devices("devices")} may send a masked update; ${at("needed")} must be in.`;
    case "inputs.sealed":
      return `${round}: ${at("survivors")} masked updates are in and the list is sealed.`;
    case "round.opened-sum":
      return `${round}: ${devices("confirmed")} confirmed the list and the sum is being opened.`;
    case "round.committed":
      return `${round} committed: the sum of ${devices("survivors")} made the next model.`;
    case "round.voided":
      return `${round} was given up after opening (${at("code")}); its sum is discarded.`;
    case "round.failed":
      return `${round} was given up (${at("code")}); nothing was opened.`;
    case "round.retried":
      return `${round} starts over with attempt ${at("attempt")} (${at("code")}); nothing was opened.`;
    case "round.damaged":
      return `${round} goes on without a group: stored updates of ${devices("damaged")} were damaged on disk.`;
    case "round.restarted":
      return `${round} goes on after the coordinator restarted.`;
    default:
      return kind;
  }
}
