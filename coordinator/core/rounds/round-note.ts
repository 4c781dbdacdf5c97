import type { RoundEvent } from "#shared/round/event.ts";
import { keptShards, neededInputs } from "#shared/round/shards.ts";
import type { RoundState, Seated } from "#shared/round/state.ts";
import type { Needs, Note } from "../ports/note.ts";

/**
 * What people read of a round's event: turns of the round with counts, never a single device's step.
 *
 * @returns Null if the event is a single device's step or a change of connections.
 */
export function roundNote(before: RoundState, event: RoundEvent, after: RoundState): Note | null {
  const { round } = after.facts;
  if (after.attempt !== before.attempt) {
    const details = { round, attempt: after.attempt, code: after.retriedFor };
    return { kind: "round.retried", details };
  }
  if (after.phase === before.phase) {
    if (event.type === "damaged") {
      return { kind: "round.damaged", details: { round, damaged: event.seats.length } };
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
        details: { round, devices: after.roster.length, ...needsOf(after) },
      };
    case "collecting":
      return {
        kind: "round.collecting",
        details: { round, devices: after.u2.length, ...needsOf(after) },
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

function needsOf(state: Seated): Needs {
  const kept = keptShards(state);
  const needed = neededInputs(state);
  if (state.shardCount === 1) return { needed };
  return { needed, shards: kept.length, leftOut: state.shardCount - kept.length };
}
