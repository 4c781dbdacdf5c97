import { assert, unreachable } from "../kernel/assert.ts";
import type { Bytes } from "../kernel/bytes.ts";
import type { Position } from "../kernel/places.ts";
import type { Primitives, RandomBytes, Signer } from "../kernel/ports.ts";
import type { Secret } from "../kernel/secret.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import type { SessionId } from "../protocol/ids.ts";
import type { CoordinatorMessageOf } from "../protocol/messages/coordinator.ts";
import type { DeviceMessageOf, InputHeaders } from "../protocol/messages/device.ts";
import type { Attempt, AttemptTerms } from "./attempt.ts";
import type { LogFault } from "./log-demand.ts";
import type { PositionSet, SessionSets } from "./position-sets.ts";
import type { Roster } from "./roster.ts";
import type { SeenLog } from "./seen-log.ts";
import type { AdvertKeys } from "./signed-items.ts";

/*
 * The states of a device in one attempt. Each holds only the secrets that a later step still needs:
 *
 * | state      | secrets                                                                              |
 * | ---------- | ------------------------------------------------------------------------------------ |
 * | idle       |                                                                                      |
 * | advertised | z, b, the keys c and s                                                                |
 * | shared     | b, its own b-share, pair-mask keys, keys that open the shares sent to it              |
 * | masked     | received shares, its own b-share                                                     |
 * | signed     | one share of each device of U2: b of a survivor, z of a dropout (S1)                 |
 * | revealed   | the same shares, which have left the device                                          |
 * | done       |                                                                                      |
 * | aborted    |                                                                                      |
 */
export type ClientState = Idle | Live | Done | Aborted;
export type Live = Advertised | Shared | Masked | Signed | Revealed;

export interface Idle {
  readonly phase: "idle";
  readonly terms: AttemptTerms;
}

export interface Advertised {
  readonly phase: "advertised";
  readonly turn: Turn;
  readonly attempt: Attempt;
  readonly keys: AdvertKeys;
  readonly z: Secret<Bytes>;
  readonly b: Secret<Bytes>;
  readonly cSecret: Secret<Bytes>;
  readonly sSecret: Secret<Bytes>;
  /** Signature over the advert. */
  readonly signature: Bytes;
}

/** Fields of all states after the roster. `heard` keeps the server's messages, to tell repetition from equivocation. */
interface InSession {
  readonly turn: Turn;
  readonly roster: Roster;
  /** This device's own position. */
  readonly position: Position;
  readonly heard: Heard;
}
export type Heard = { readonly [Type in "roster" | "collect" | "sets"]?: Bytes };

export interface Shared extends InSession {
  readonly phase: "shared";
  readonly b: Secret<Bytes>;
  readonly ownBShare: Secret<Bytes>;
  /** By neighbour. */
  readonly pairMaskKeys: ReadonlyMap<Position, Secret<Bytes>>;
  readonly openingKeys: ReadonlyMap<Position, Secret<Bytes>>;
  readonly answer: DeviceMessageOf<"share">;
}

export interface Masked extends InSession {
  readonly phase: "masked";
  readonly u2: PositionSet;
  /** By owner. z is null for the device itself, which never needs its own. */
  readonly shares: ReadonlyMap<Position, { readonly b: Secret<Bytes>; readonly z: Secret<Bytes> | null }>;
  readonly inputRoot: Bytes;
  readonly answer: MaskedInput;
}

/** The PUT of R2, without the slot: it always uses the newest one that the server named. */
export interface MaskedInput {
  readonly headers: Omit<InputHeaders, "slot">;
  /** The masked vector, u32 little-endian. */
  readonly body: Bytes;
}

export interface Signed extends InSession {
  readonly phase: "signed";
  readonly sets: SessionSets;
  /** Ascending by owner. */
  readonly bShares: readonly HeldShare[];
  readonly zShares: readonly HeldShare[];
  readonly inputRoot: Bytes;
  readonly answer: DeviceMessageOf<"confirm">;
}
export interface HeldShare {
  readonly owner: Position;
  readonly share: Secret<Bytes>;
}

export interface Revealed extends InSession {
  readonly phase: "revealed";
  readonly sets: SessionSets;
  readonly bShares: readonly HeldShare[];
  readonly zShares: readonly HeldShare[];
  readonly inputRoot: Bytes;
  /** Signature of the answer. The message itself is rebuilt from the shares, which keeps them out of logs. */
  readonly signature: Bytes;
}

export interface Done {
  readonly phase: "done";
  readonly sidHex: SessionId;
  readonly result: CoordinatorMessageOf<"outcome">["result"];
}

export interface Aborted {
  readonly phase: "aborted";
  readonly code: ErrorCode;
}

/** Everything that a step needs from outside. */
export interface ClientTools {
  readonly primitives: Primitives;
  readonly random: RandomBytes;
  /** The identity key. */
  readonly signer: Signer;
}

export interface MessageTools extends ClientTools {
  /**
   * Encodes the device's update: as many ring words as were agreed to. Called once per attempt, after all checks of R2. The
   * words are masked in place, so a device needs only one copy of the vector.
   */
  readonly makeInput: () => Promise<Uint32Array<ArrayBuffer>>;
}

/**
 * The result of a message.
 *
 * | type    | the caller                                                                     |
 * | ------- | ------------------------------------------------------------------------------ |
 * | go      | writes `remember` durably, adopts `state`, sends `send`; aborts if it cannot write |
 * | refused | keeps the unchanged `state`: the message belongs to another step               |
 * | aborted | adopts `state`, reports `state.code`, sends `complaint` if there is one        |
 */
export type ClientStep =
  | {
      readonly type: "go";
      readonly state: ClientState;
      readonly remember: Remembrance | null;
      readonly send: Outgoing | null;
    }
  | { readonly type: "refused"; readonly state: ClientState; readonly code: "STATE" }
  | AbortedStep;

export interface AbortedStep {
  readonly type: "aborted";
  readonly state: Aborted;
  readonly complaint: DeviceMessageOf<"complaint"> | null;
  /** What is wrong with the public log's proof, if that ended the attempt. */
  readonly logFault: LogFault | null;
}

export type Outgoing =
  | {
      readonly kind: "message";
      readonly message: DeviceMessageOf<"advertise" | "share" | "confirm" | "unmask">;
    }
  | {
      readonly kind: "input";
      readonly sid: string;
      readonly position: Position;
      readonly headers: InputHeaders;
      readonly body: Bytes;
    };

/** The durable write that must succeed before the send (PROTOCOL.md section 6). `kind` names the method of the memory. */
export type Remembrance =
  | { readonly kind: "mark"; readonly runId: string; readonly round: number; readonly attempt: number }
  | {
      readonly kind: "use";
      readonly modelHash: string;
      readonly runId: string;
      readonly taskId: string;
      readonly sid: string;
      /** True if the input carries noise. Its model may then be opened again. */
      readonly noised: boolean;
    }
  | { readonly kind: "vote"; readonly sid: string; readonly setHash: string }
  | {
      readonly kind: "reveal";
      readonly modelHash: string;
      readonly sid: string;
      readonly noised: boolean;
      /** What the device has then seen of the public log, and what that goes on from; null without one. */
      readonly log: { readonly logKey: string; readonly before: SeenLog; readonly seen: SeenLog } | null;
    };

/**
 * Restricts an attempt to a single path. States are values, so a caller could step twice from the same one and make this
 * device confirm two different sets. The turn knows the newest state and accepts no other (S1).
 */
export class Turn {
  #newest: Live | null = null;
  #busy = false;
  #endedBy: ErrorCode | null = null;

  /** @throws AssertionFault if the state is not the newest, or while another step runs. */
  enter(state: Live): void {
    assert(this.#newest === state, "a state that has been left takes no further step");
    assert(!this.#busy, "one step at a time");
    this.#busy = true;
  }

  /** `next` is null if the attempt is over. */
  leave(next: Live | null): void {
    this.#newest = next;
    this.#busy = false;
  }

  end(code: ErrorCode): void {
    this.#endedBy = code;
    this.#newest = null;
  }

  /** Why the attempt was ended from outside. If a step is running, its result is then void. */
  get endedBy(): ErrorCode | null {
    return this.#endedBy;
  }
}

export function isLive(state: ClientState): state is Live {
  return state.phase !== "idle" && state.phase !== "done" && state.phase !== "aborted";
}

/** Overwrites every secret of a state. */
export function wipe(state: ClientState): void {
  switch (state.phase) {
    case "advertised":
      for (const secret of [state.z, state.b, state.cSecret, state.sSecret]) secret.wipe();
      return;
    case "shared":
      for (const secret of [state.b, state.ownBShare]) secret.wipe();
      for (const key of state.pairMaskKeys.values()) key.wipe();
      for (const key of state.openingKeys.values()) key.wipe();
      return;
    case "masked":
      for (const { b, z } of state.shares.values()) {
        b.wipe();
        z?.wipe();
      }
      return;
    case "signed":
    case "revealed":
      for (const { share } of [...state.bShares, ...state.zShares]) share.wipe();
      return;
    case "idle":
    case "done":
    case "aborted":
      return;
    default:
      unreachable(state);
  }
}

/**
 * Ends an attempt and wipes its secrets: after a deadline, a lost lock, a failed write or an `abandoned` from the server.
 * Safe while a step runs: that step then ends as aborted and nothing of it is sent.
 */
export function abort(state: ClientState, code: ErrorCode): Aborted {
  if (isLive(state)) state.turn.end(code);
  wipe(state);
  return { phase: "aborted", code };
}
