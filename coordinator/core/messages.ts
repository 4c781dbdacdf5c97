import { assert, present } from "#shared/kernel/assert.ts";
import { type Bytes, hexToBytes } from "#shared/kernel/bytes.ts";
import type { VersionedMap } from "#shared/kernel/versioned-map.ts";
import type { HashHex, Position, RunId } from "#shared/protocol/ids.ts";
import type { CoordinatorMessage, CoordinatorMessageOf } from "#shared/protocol/messages/coordinator.ts";
import { phaseDeadlineMs } from "#shared/round/deadline.ts";
import type { Notice } from "#shared/round/notice.ts";
import type { RoundState } from "#shared/round/state.ts";
import { committedOutcome } from "#shared/secagg/opening.ts";
import { collectFor, rosterMembers } from "#shared/secagg/server.ts";
import type { CoordinatorPorts } from "./ports.ts";
import type { Session } from "./session.ts";
import type { Slots } from "./slots.ts";
import type { RunTerms } from "./terms.ts";
import type { TrafficStep } from "./traffic.ts";

export interface MessageSource {
  readonly ports: Pick<CoordinatorPorts, "primitives">;
  readonly terms: RunTerms;
  readonly slots: Slots;
  readonly state: RoundState;
  /** Milliseconds since the round opened. */
  readonly nowMs: number;
  /** Of the current attempt, with the shard of this seat. */
  readonly session: (seat: number) => Promise<Session>;
}

/** The message that a notice stands for. The same state gives the same content, but for the time that is left. */
export async function messageFor(source: MessageSource, notice: Notice): Promise<CoordinatorMessage> {
  const { state, nowMs } = source;
  const { runId, round } = state.facts;
  const attemptFields = { runId: runId as RunId, round, attempt: state.attempt };
  const deadlineInMs = Math.max(0, Math.round((phaseDeadlineMs(state) ?? nowMs) - nowMs));
  switch (notice.type) {
    case "invite": {
      const { config } = source.terms;
      const { parentModelHash, modelByteCount } = state.facts;
      const modelHash = parentModelHash as HashHex;
      return {
        type: "invite",
        ...attemptFields,
        config,
        roundParams: source.terms.roundParams,
        modelHash,
        modelByteCount,
        deadlineInMs,
      };
    }
    case "abandoned":
      return {
        type: "abandoned",
        ...attemptFields,
        attempt: notice.attempt,
        code: notice.code,
        retry: notice.retry,
      };
    case "roster": {
      const { roster } = await source.session(notice.position);
      return { type: "roster", ...attemptFields, members: rosterMembers(roster), deadlineInMs };
    }
    case "collect":
      return collectMessage(source, notice.position, deadlineInMs);
    case "sets": {
      const session = await source.session(notice.position);
      const { u2, u3 } = await session.sets(state);
      return { type: "sets", sid: session.roster.sidHex, u2: u2.bitmap, u3: u3.bitmap, deadlineInMs };
    }
    case "open": {
      assert(state.phase === "unmasking", "shares are asked for in one phase only");
      const session = await source.session(notice.position);
      const { u2, u3 } = await session.sets(state);
      const confirmations = [...confirmationList(session, state.confirmations)];
      return {
        type: "open",
        sid: session.roster.sidHex,
        u2: u2.bitmap,
        u3: u3.bitmap,
        confirmations,
        deadlineInMs,
      };
    }
    case "outcome":
      return outcomeMessage(source, notice.position);
  }
}

async function collectMessage(
  source: MessageSource,
  seat: number,
  deadlineInMs: number,
): Promise<CoordinatorMessageOf<"collect">> {
  const session = await source.session(seat);
  const position = session.positionOf(seat);
  const u2 = await session.u2(source.state);
  const shares = collectFor(session.roster, u2, await session.bundles(), position);
  const slot = await source.slots.token(session.sid, position);
  return { type: "collect", sid: session.roster.sidHex, u2: u2.bitmap, shares, slot, deadlineInMs };
}

async function outcomeMessage(source: MessageSource, seat: number): Promise<CoordinatorMessageOf<"outcome">> {
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

type ConfirmationList = readonly { readonly signer: Position; readonly signature: Bytes }[];

/** The last list of a session: all its survivors are sent the same one. */
const listBySession = new WeakMap<Session, { readonly of: object; readonly list: ConfirmationList }>();

/** Those of one session, ascending by signer. @param confirmations  By seat; the same object never changes. */
export function confirmationList(
  session: Session,
  confirmations: VersionedMap<number, string>,
): ConfirmationList {
  const known = listBySession.get(session);
  if (known?.of === confirmations) return known.list;
  const signers = session.positionsIn([...confirmations.keys()]).sort((left, right) => left - right);
  const list = signers.map((signer) => ({
    signer: signer as Position,
    signature: hexToBytes(present(confirmations.get(session.seatOf(signer)), "a signature")),
  }));
  listBySession.set(session, { of: confirmations, list });
  return list;
}

/** Where the bytes of a message are counted. */
export const STEP_OF_NOTICE: Readonly<Record<Notice["type"], TrafficStep>> = {
  invite: "model",
  roster: "keys",
  collect: "shares",
  sets: "confirmation",
  open: "opening",
  outcome: "opening",
  abandoned: "keys",
};
