import { assert } from "#shared/kernel/assert.ts";
import type { Seat } from "#shared/kernel/places.ts";
import type { HashHex, RunId } from "#shared/protocol/ids.ts";
import type { CoordinatorMessage, CoordinatorMessageOf } from "#shared/protocol/messages/coordinator.ts";
import { phaseDeadlineMs } from "#shared/round/deadline.ts";
import type { Prompt } from "#shared/round/prompt.ts";
import type { RoundState } from "#shared/round/state.ts";
import { committedOutcome } from "#shared/secagg/opening.ts";
import { collectFor, rosterMembers } from "#shared/secagg/server.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import type { RunTerms } from "../tasks/terms.ts";
import type { LogProofs } from "./log-proofs.ts";
import type { Session } from "./session.ts";
import type { Slots } from "./slots.ts";
import type { TrafficStep } from "./traffic.ts";

export interface MessageSource {
  readonly ports: Pick<CoordinatorPorts, "primitives">;
  readonly terms: RunTerms;
  readonly slots: Slots;
  readonly state: RoundState;
  /** Milliseconds since the round opened. */
  readonly nowMs: number;
  /** The current attempt's session that has this seat. */
  readonly session: (seat: Seat) => Promise<Session>;
  readonly proofs: LogProofs;
  /** What the receiver has seen of the public log. */
  readonly logSize: number;
}

/** The message for a prompt. The same state gives the same content, except for the remaining time. */
export async function messageFor(source: MessageSource, prompt: Prompt): Promise<CoordinatorMessage> {
  const { state, nowMs } = source;
  const { runId, round } = state.facts;
  const attemptFields = { runId: runId as RunId, round, attempt: state.attempt };
  const deadlineInMs = Math.max(0, Math.round((phaseDeadlineMs(state) ?? nowMs) - nowMs));
  switch (prompt.type) {
    case "invite": {
      const { config } = source.terms;
      const { parentModelHash, modelByteCount } = state.facts;
      const modelHash = parentModelHash as HashHex;
      const log = await source.proofs.invitation(source.logSize);
      return {
        type: "invite",
        ...attemptFields,
        config,
        roundParams: source.terms.roundParams,
        modelHash,
        modelByteCount,
        ...(log === null ? {} : { log }),
        deadlineInMs,
      };
    }
    case "abandoned":
      return {
        type: "abandoned",
        ...attemptFields,
        attempt: prompt.attempt,
        code: prompt.code,
        retry: prompt.retry,
      };
    case "roster": {
      const { roster } = await source.session(prompt.seat);
      return { type: "roster", ...attemptFields, members: rosterMembers(roster), deadlineInMs };
    }
    case "collect":
      return collectMessage(source, prompt.seat, deadlineInMs);
    case "sets": {
      const session = await source.session(prompt.seat);
      const { u2, u3 } = await session.sets(state);
      return { type: "sets", sid: session.roster.sidHex, u2: u2.bitmap, u3: u3.bitmap, deadlineInMs };
    }
    case "open": {
      assert(state.phase === "unmasking", "shares are asked for in one phase only");
      const session = await source.session(prompt.seat);
      const { u2, u3 } = await session.sets(state);
      const confirmations = [...session.confirmations(state)];
      // It signed what it had seen with its input, and has been shown nothing since.
      const seen = state.inputs.get(prompt.seat)?.log?.size ?? 0;
      const log = await source.proofs.opening(seen, session.sid);
      return {
        type: "open",
        sid: session.roster.sidHex,
        u2: u2.bitmap,
        u3: u3.bitmap,
        confirmations,
        ...(log === null ? {} : { log }),
        deadlineInMs,
      };
    }
    case "outcome":
      return outcomeMessage(source, prompt.seat);
  }
}

async function collectMessage(
  source: MessageSource,
  seat: Seat,
  deadlineInMs: number,
): Promise<CoordinatorMessageOf<"collect">> {
  const session = await source.session(seat);
  const position = session.positionOf(seat);
  const u2 = await session.u2(source.state);
  const shares = collectFor(session.roster, u2, await session.bundles(), position);
  const slot = await source.slots.token(session.sid, position);
  return { type: "collect", sid: session.roster.sidHex, u2: u2.bitmap, shares, slot, deadlineInMs };
}

async function outcomeMessage(source: MessageSource, seat: Seat): Promise<CoordinatorMessageOf<"outcome">> {
  const { state } = source;
  const session = await source.session(seat);
  if (state.phase === "voided") {
    return { type: "outcome", sid: session.roster.sidHex, result: { kind: "voided", code: state.code } };
  }
  assert(state.phase === "committed", "an outcome follows the opening");
  const tree = await session.survivorsTree(state);
  const sets = await session.sets(state);
  const { modelHash } = state.publication;
  return committedOutcome(session.roster, sets, tree, session.positionOf(seat), modelHash);
}

/** Step under which a message's bytes are counted. */
export const STEP_OF_PROMPT: Readonly<Record<Prompt["type"], TrafficStep>> = {
  invite: "model",
  roster: "keys",
  collect: "shares",
  sets: "confirmation",
  open: "opening",
  outcome: "opening",
  abandoned: "keys",
};
