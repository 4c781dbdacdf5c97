import { assert, unreachable } from "../kernel/assert.ts";
import type { Bytes } from "../kernel/bytes.ts";
import type { Primitives, RandomBytes, Signer } from "../kernel/ports.ts";
import type { Secret } from "../kernel/secret.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import type { SessionId } from "../protocol/ids.ts";
import type { CoordinatorMessageOf } from "../protocol/messages/coordinator.ts";
import type { DeviceMessageOf, InputHeaders } from "../protocol/messages/device.ts";
import type { Attempt, AttemptTerms } from "./attempt.ts";
import type { PositionSet, SessionSets } from "./position-sets.ts";
import type { Roster } from "./roster.ts";
import type { AdvertKeys } from "./signed-items.ts";

/*
 * The states of a device in one attempt. Each holds the secrets that a later step still needs and no others:
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
  /** Over the advert. */
  readonly signature: Bytes;
}

/** What every state after the roster holds. `heard` has the server's messages, to tell a repetition from a lie. */
interface InSession {
  readonly turn: Turn;
  readonly roster: Roster;
  /** This device's own. */
  readonly position: number;
  readonly heard: Heard;
}
export type Heard = { readonly [Type in "roster" | "collect" | "sets"]?: Bytes };

export interface Shared extends InSession {
  readonly phase: "shared";
  readonly b: Secret<Bytes>;
  readonly ownBShare: Secret<Bytes>;
  /** By neighbour. */
  readonly pairMaskKeys: ReadonlyMap<number, Secret<Bytes>>;
  readonly openingKeys: ReadonlyMap<number, Secret<Bytes>>;
  readonly answer: DeviceMessageOf<"share">;
}

export interface Masked extends InSession {
  readonly phase: "masked";
  readonly u2: PositionSet;
  /** By owner; z is null for the device itself, which never needs its own. */
  readonly shares: ReadonlyMap<number, { readonly b: Secret<Bytes>; readonly z: Secret<Bytes> | null }>;
  readonly inputRoot: Bytes;
  readonly answer: MaskedInput;
}

/** The PUT of R2; the slot is the newest that the server named. */
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
  readonly owner: number;
  readonly share: Secret<Bytes>;
}

export interface Revealed extends InSession {
  readonly phase: "revealed";
  readonly sets: SessionSets;
  readonly bShares: readonly HeldShare[];
  readonly zShares: readonly HeldShare[];
  readonly inputRoot: Bytes;
  /** Of the answer; the message is written anew from the shares, which keeps them out of logs. */
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

/** What a step needs from outside; nothing else is read or called. */
export interface ClientTools {
  readonly primitives: Primitives;
  readonly random: RandomBytes;
  /** The identity key. */
  readonly signer: Signer;
}

/**
 * What came of a message.
 *
 * | type    | the caller                                                                     |
 * | ------- | ------------------------------------------------------------------------------ |
 * | go      | writes `remember` durably, adopts `state`, sends `send`; aborts if it cannot write |
 * | refused | keeps `state`, which did not change; the message belongs to another step       |
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
  | {
      readonly type: "aborted";
      readonly state: Aborted;
      readonly complaint: DeviceMessageOf<"complaint"> | null;
    };

export type Outgoing =
  | {
      readonly kind: "message";
      readonly message: DeviceMessageOf<"advertise" | "share" | "confirm" | "unmask">;
    }
  | {
      readonly kind: "input";
      readonly sid: string;
      readonly position: number;
      readonly headers: InputHeaders;
      readonly body: Bytes;
    };

/** The durable write that must succeed before the send (PROTOCOL.md section 6); `kind` names the method of the memory. */
export type Remembrance =
  | { readonly kind: "mark"; readonly runId: string; readonly round: number; readonly attempt: number }
  | {
      readonly kind: "use";
      readonly modelHash: string;
      readonly runId: string;
      readonly taskId: string;
      readonly sid: string;
      /** Whether the input carries noise: then its model may be opened again. */
      readonly noised: boolean;
    }
  | { readonly kind: "vote"; readonly sid: string; readonly setHash: string }
  | {
      readonly kind: "reveal";
      readonly modelHash: string;
      readonly sid: string;
      readonly noised: boolean;
    };

/**
 * Lets an attempt be walked along one path only. States are values, so a caller could step twice from the same one
 * and make this device confirm two different sets; the turn knows which state is the newest and ends with it (S1).
 */
export class Turn {
  #newest: Live | null = null;
  #busy = false;
  #endedBy: ErrorCode | null = null;

  /** @throws AssertionFault on a state that has been left, and while another step runs. */
  enter(state: Live): void {
    assert(this.#newest === state, "a state that has been left takes no further step");
    assert(!this.#busy, "one step at a time");
    this.#busy = true;
  }

  /** `next` is null where the attempt is over. */
  leave(next: Live | null): void {
    this.#newest = next;
    this.#busy = false;
  }

  end(code: ErrorCode): void {
    this.#endedBy = code;
    this.#newest = null;
  }

  /** Why the attempt was ended from outside, also in the middle of a step, whose result is then void. */
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
 * Ends an attempt: wipes its secrets. For deadlines, lost locks, writes that failed, an `abandoned` from the server.
 * Safe while a step runs: that step then ends as aborted and nothing of it is sent.
 */
export function abort(state: ClientState, code: ErrorCode): Aborted {
  if (isLive(state)) state.turn.end(code);
  wipe(state);
  return { phase: "aborted", code };
}
