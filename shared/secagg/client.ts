import { bCommit } from "../crypto/commitments.ts";
import { freshKeyPair, maskKeyPairFromSeed } from "../crypto/key-agreement.ts";
import { unreachable } from "../kernel/assert.ts";
import { type Bytes, bytesToHex, equalBytes } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import { Secret } from "../kernel/secret.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import { encodeFrame } from "../protocol/frame.ts";
import type { RunId } from "../protocol/ids.ts";
import type { CoordinatorMessage, CoordinatorMessageOf } from "../protocol/messages/coordinator.ts";
import type { DeviceMessageOf } from "../protocol/messages/device.ts";
import { type AgreedConfig, agreedLog } from "../task/config.ts";
import { configHash, openAttempt } from "./attempt.ts";
import { maskInput } from "./client-mask.ts";
import {
  ballotHash,
  confirmSets,
  ownInputIncluded,
  revealShares,
  sameSets,
  unmaskMessage,
} from "./client-open.ts";
import { dealShares } from "./client-share.ts";
import {
  type AbortedStep,
  type Advertised,
  type ClientState,
  type ClientStep,
  type ClientTools,
  type Idle,
  isLive,
  type Live,
  type Masked,
  type MaskedInput,
  type MessageTools,
  type Outgoing,
  type Remembrance,
  type Shared,
  Turn,
  wipe,
} from "./client-state.ts";
import type { SeenLog } from "./seen-log.ts";
import { shardOf, shardPlanOf } from "./shard-plan.ts";
import { advertItem, complaintItem } from "./signed-items.ts";

/*
 * A device's side of one attempt, message by message. PROTOCOL.md section 9. It has no clock, storage or network: the
 * caller stores what a step asks it to remember, sends what it asks to send, and calls `abort` at a deadline.
 *
 * | state      | on      | sends          | next       |
 * | ---------- | ------- | -------------- | ---------- |
 * | idle       |         | advertise (R0) | advertised |
 * | advertised | roster  | share (R1)     | shared     |
 * | shared     | collect | the input (R2) | masked     |
 * | masked     | sets    | confirm (R3)   | signed     |
 * | signed     | open    | unmask (R4)    | revealed   |
 * | masked on  | outcome |                | done       |
 *
 * A repeated message gets the stored answer. A different one in its place ends the attempt (EQUIVOCATION).
 */

/** The messages that advance an attempt. */
export type AttemptMessage = CoordinatorMessageOf<"roster" | "collect" | "sets" | "open" | "outcome">;

export function isAttemptMessage(message: CoordinatorMessage): message is AttemptMessage {
  return ["roster", "collect", "sets", "open", "outcome"].includes(message.type);
}

/**
 * Turns an invitation into terms that this device derives itself.
 *
 * @param expected   The config that follows from the consent of this device's owner and from the keys it pinned.
 * @param modelHash  Hash of the model's bytes that this device received, in hex.
 * @param identity   This device's public key. Its shard follows from it.
 * @param log        What `checkRoundLogged` has proved; null if the config names no log.
 * Errors: `CONFIG` if the invitation differs from these, or if the round has a purpose that was not agreed to;
 * `NOT_LOGGED` if the config names a log and nothing was proved. Rules S6, A40.
 */
export async function acceptInvitation(
  primitives: Primitives,
  invite: CoordinatorMessageOf<"invite">,
  expected: AgreedConfig,
  modelHash: string,
  identity: Bytes,
  log: SeenLog | null = null,
): Promise<Result<Idle, "CONFIG" | "NOT_LOGGED">> {
  const [offered, agreed] = [
    await configHash(primitives, invite.config),
    await configHash(primitives, expected),
  ];
  if (!equalBytes(offered, agreed) || invite.modelHash !== modelHash) return err("CONFIG");
  const { runId, round, attempt, roundParams } = invite;
  if (expected.vectors[roundParams.purpose] === undefined) return err("CONFIG");
  if (log === null && agreedLog(expected) !== null) return err("NOT_LOGGED");
  const seen = log === null ? {} : { log };
  const terms = { runId, round, attempt, config: expected, roundParams, modelHash, ...seen };
  const shard = shardOf(shardPlanOf(terms), identity);
  return ok({ phase: "idle", terms: { ...terms, shard } });
}

/** R0. Every attempt starts here with fresh secrets. The update to be masked is ready by now. */
export async function advertise(tools: ClientTools, { terms }: Idle): Promise<ClientStep> {
  const { primitives, random, signer } = tools;
  const z = new Secret(random(32));
  const b = new Secret(random(32));
  const sealing = await freshKeyPair(primitives, random);
  const masking = await maskKeyPairFromSeed(primitives, z.reveal());
  const attempt = await openAttempt(primitives, terms);
  const identity = signer.publicKey;
  const keys = {
    identity,
    c: sealing.publicKey,
    s: masking.publicKey,
    bCommit: await bCommit(primitives, identity, b.reveal()),
  };
  const turn = new Turn();
  const state: Advertised = {
    phase: "advertised",
    turn,
    attempt,
    keys,
    z,
    b,
    cSecret: new Secret(sealing.secretKey),
    sSecret: new Secret(masking.secretKey),
    signature: await signer.sign(advertItem(attempt.header, keys)),
  };
  turn.leave(state);
  const { runId, round, attempt: number } = terms;
  return go(state, advertiseMessage(state), { kind: "mark", runId, round, attempt: number });
}

/** The R0 message, also sent again if the device reconnects before the roster. */
export function advertiseMessage(state: Advertised): DeviceMessageOf<"advertise"> {
  const { runId, round, attempt } = state.attempt.terms;
  const { c, s, bCommit: commitment } = state.keys;
  const { signature } = state;
  return { type: "advertise", runId: runId as RunId, round, attempt, c, s, bCommit: commitment, signature };
}

/**
 * Answers one message of the coordinator.
 *
 * @throws AssertionFault if a state is used twice or two steps run at once. The attempt is then over.
 */
export async function onMessage(
  tools: MessageTools,
  state: ClientState,
  message: AttemptMessage,
): Promise<ClientStep> {
  if (!isLive(state) || !isOfAttempt(state, message)) return { type: "refused", state, code: "STATE" };
  const { turn } = state;
  turn.enter(state);
  let step: ClientStep;
  try {
    step = await answer(tools, state, message);
  } catch (fault) {
    turn.leave(null);
    wipe(state);
    throw fault;
  }
  if (turn.endedBy !== null) {
    // The attempt was ended from outside during this step, so its secrets may have been overwritten.
    wipe(step.state);
    step = aborted(turn.endedBy);
  }
  if (step.type === "aborted") wipe(state);
  turn.leave(isLive(step.state) ? step.state : null);
  return step;
}

function isOfAttempt(state: Live, message: AttemptMessage): boolean {
  if (message.type !== "roster") return state.phase !== "advertised" && message.sid === state.roster.sidHex;
  const { terms } = state.phase === "advertised" ? state.attempt : state.roster.attempt;
  return message.runId === terms.runId && message.round === terms.round && message.attempt === terms.attempt;
}

async function answer(tools: MessageTools, state: Live, message: AttemptMessage): Promise<ClientStep> {
  switch (message.type) {
    case "roster": {
      if (state.phase !== "advertised") return onRepeated(state, message);
      const next = await dealShares(tools, state, message, essence(message));
      return next.ok ? go(next.value, next.value.answer) : aborted(next.error);
    }
    case "collect": {
      if (state.phase !== "shared") return onRepeated(state, message);
      return onCollect(tools, state, message);
    }
    case "sets": {
      if (state.phase !== "masked") return onRepeated(state, message);
      const next = await confirmSets(tools, state, message, essence(message));
      if (!next.ok) return aborted(next.error);
      const ballot = bytesToHex(await ballotHash(tools.primitives, next.value));
      return go(next.value, next.value.answer, { kind: "vote", sid: message.sid, setHash: ballot });
    }
    case "open":
      return onOpen(tools, state, message);
    case "outcome":
      return onOutcome(tools, state, message);
    default:
      return unreachable(message);
  }
}

async function onCollect(
  tools: MessageTools,
  state: Shared,
  message: CoordinatorMessageOf<"collect">,
): Promise<ClientStep> {
  const { roster, position } = state;
  const masked = await maskInput(tools, state, message, essence(message));
  if (masked.ok) {
    const { runId, modelHash, config } = roster.attempt.terms;
    const noised = config.dp !== null;
    const remember = {
      kind: "use",
      modelHash,
      runId,
      taskId: config.task,
      sid: message.sid,
      noised,
    } as const;
    return go(masked.value, input(masked.value, message.slot), remember);
  }
  const { code, against } = masked.error;
  if (against === null) return aborted(code);
  const signature = await tools.signer.sign(complaintItem(roster.sid, position, against));
  return aborted(code, { type: "complaint", sid: roster.sidHex, against, signature });
}

async function onOpen(
  tools: ClientTools,
  state: Live,
  message: CoordinatorMessageOf<"open">,
): Promise<ClientStep> {
  if (state.phase === "revealed") {
    // Different confirmations of the same sets do not contradict each other.
    return sameSets(state, message) ? go(state, unmaskMessage(state)) : aborted("EQUIVOCATION");
  }
  if (state.phase !== "signed") return { type: "refused", state, code: "STATE" };
  const revealed = await revealShares(tools, state, message);
  if (!revealed.ok) return { ...aborted(revealed.error.code), logFault: revealed.error.logFault };
  const { next, log } = revealed.value;
  const { modelHash, config, log: before } = state.roster.attempt.terms;
  const noised = config.dp !== null;
  const seen = log === null || before === undefined ? null : { logKey: config.logKey, before, seen: log };
  return go(next, unmaskMessage(next), { kind: "reveal", modelHash, sid: message.sid, noised, log: seen });
}

async function onOutcome(
  tools: ClientTools,
  state: Live,
  message: CoordinatorMessageOf<"outcome">,
): Promise<ClientStep> {
  if (state.phase === "advertised" || state.phase === "shared")
    return { type: "refused", state, code: "STATE" };
  const { result } = message;
  const credible = result.kind === "voided" || (await ownInputIncluded(tools.primitives, state, result));
  if (!credible) return aborted("EQUIVOCATION");
  wipe(state);
  return go({ phase: "done", sidHex: state.roster.sidHex, result });
}

/** Handles a message whose step is over or has not begun. */
function onRepeated(state: Live, message: CoordinatorMessageOf<"roster" | "collect" | "sets">): ClientStep {
  const before = state.phase === "advertised" ? undefined : state.heard[message.type];
  if (before === undefined) return { type: "refused", state, code: "STATE" };
  if (!equalBytes(before, essence(message))) return aborted("EQUIVOCATION");
  if (message.type === "roster" && state.phase === "shared") return go(state, state.answer);
  if (message.type === "collect" && state.phase === "masked") return go(state, input(state, message.slot));
  if (message.type === "sets" && state.phase === "signed") return go(state, state.answer);
  // It was answered, and the coordinator has moved on since.
  return go(state);
}

/** A message without the fields that may change when it is sent again: the time left and the upload slot. */
function essence(message: CoordinatorMessageOf<"roster" | "collect" | "sets">): Bytes {
  return encodeFrame({ ...message, deadlineInMs: 0, slot: "" });
}

function input(state: Masked, slot: string): Outgoing {
  const { headers, body }: MaskedInput = state.answer;
  const { roster, position } = state;
  return { kind: "input", sid: roster.sidHex, position, headers: { ...headers, slot }, body };
}

type Answer = Extract<Outgoing, { kind: "message" }>["message"];

function go(state: ClientState, send?: Outgoing | Answer, remember?: Remembrance): ClientStep {
  const outgoing: Outgoing | null =
    send === undefined ? null : "kind" in send ? send : { kind: "message", message: send };
  return { type: "go", state, remember: remember ?? null, send: outgoing };
}

function aborted(code: ErrorCode, complaint: DeviceMessageOf<"complaint"> | null = null): AbortedStep {
  return { type: "aborted", state: { phase: "aborted", code }, complaint, logFault: null };
}
