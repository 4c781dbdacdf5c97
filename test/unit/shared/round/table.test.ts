import { describe, expect, test } from "vitest";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import type { RoundEvent } from "#shared/round/event.ts";
import type { RoundState } from "#shared/round/state.ts";
import { step } from "#shared/round/step.ts";
import {
  advertised,
  checkedIn,
  committed,
  complained,
  confirmed,
  damaged,
  givenUp,
  input,
  presence,
  restarted,
  shared,
  stateIn,
  stopped,
  ticked,
  unmasked,
} from "#test/kit/worlds/round-cast.ts";

type Phase = RoundState["phase"];
/** `-> phase`: accepted, and the phase after it; known: nothing new; a code: refused. */
type Expected = `-> ${Phase}` | "known" | ErrorCode;

/**
 * One event of each type from a device with a seat (1), except for the check-in of a newcomer (9) and an advert of 2.
 */
const SAMPLE: Record<RoundEvent["type"], (atMs: number) => RoundEvent> = {
  "checked-in": (atMs) => checkedIn(9, atMs),
  connected: (atMs) => presence("connected", 1, atMs),
  disconnected: (atMs) => presence("disconnected", 1, atMs),
  left: (atMs) => presence("left", 1, atMs),
  advertised: (atMs) => advertised(2, atMs),
  shared: (atMs) => shared(1, atMs),
  complained: (atMs) => complained(1, 2, atMs),
  "input-received": (atMs) => input(1, atMs),
  confirmed: (atMs) => confirmed(1, atMs),
  "unmask-received": (atMs) => unmasked(1, atMs),
  combined: (atMs) => committed(atMs),
  damaged: (atMs) => damaged([1], atMs),
  ticked: (atMs) => ticked(atMs),
  stopped: (atMs) => stopped(atMs),
  "given-up": (atMs) => givenUp(atMs),
  restarted: (atMs) => restarted(atMs),
};

const AFTER_THE_END: Record<RoundEvent["type"], Expected> = {
  "checked-in": "STATE",
  connected: "STATE",
  disconnected: "STATE",
  left: "STATE",
  advertised: "STATE",
  shared: "STATE",
  complained: "STATE",
  "input-received": "STATE",
  confirmed: "STATE",
  "unmask-received": "STATE",
  combined: "STATE",
  damaged: "STATE",
  ticked: "STATE",
  stopped: "STATE",
  "given-up": "STATE",
  restarted: "STATE",
};

const TABLE: Record<Phase, Record<RoundEvent["type"], Expected>> = {
  recruiting: {
    "checked-in": "-> recruiting",
    connected: "NOT_IN_ROSTER",
    disconnected: "NOT_IN_ROSTER",
    left: "NOT_IN_ROSTER",
    advertised: "STATE",
    shared: "STATE",
    complained: "STATE",
    "input-received": "SLOT_CLOSED",
    confirmed: "STATE",
    "unmask-received": "STATE",
    combined: "STATE",
    damaged: "STATE",
    ticked: "STATE",
    stopped: "-> failed",
    "given-up": "-> failed",
    restarted: "-> recruiting",
  },
  training: {
    "checked-in": "STATE",
    connected: "known",
    disconnected: "-> training",
    left: "-> training",
    advertised: "-> advertising",
    shared: "STATE",
    complained: "STATE",
    "input-received": "SLOT_CLOSED",
    confirmed: "STATE",
    "unmask-received": "STATE",
    combined: "STATE",
    damaged: "STATE",
    ticked: "STATE",
    stopped: "-> failed",
    "given-up": "-> failed",
    restarted: "-> training",
  },
  advertising: {
    "checked-in": "STATE",
    connected: "known",
    disconnected: "-> advertising",
    left: "-> advertising",
    advertised: "-> advertising",
    shared: "STATE",
    complained: "STATE",
    "input-received": "SLOT_CLOSED",
    confirmed: "STATE",
    "unmask-received": "STATE",
    combined: "STATE",
    damaged: "STATE",
    ticked: "STATE",
    stopped: "-> failed",
    "given-up": "-> failed",
    restarted: "-> advertising",
  },
  sharing: {
    "checked-in": "STATE",
    connected: "known",
    disconnected: "-> sharing",
    left: "-> sharing",
    advertised: "STATE",
    shared: "-> sharing",
    complained: "STATE",
    "input-received": "SLOT_CLOSED",
    confirmed: "STATE",
    "unmask-received": "STATE",
    combined: "STATE",
    damaged: "STATE",
    ticked: "STATE",
    stopped: "-> failed",
    "given-up": "-> failed",
    restarted: "-> sharing",
  },
  collecting: {
    "checked-in": "STATE",
    connected: "known",
    disconnected: "-> collecting",
    left: "-> collecting",
    advertised: "STATE",
    shared: "known",
    complained: "-> advertising",
    "input-received": "-> collecting",
    confirmed: "STATE",
    "unmask-received": "STATE",
    combined: "STATE",
    damaged: "STATE",
    ticked: "STATE",
    stopped: "-> failed",
    "given-up": "-> failed",
    restarted: "-> collecting",
  },
  confirming: {
    "checked-in": "STATE",
    connected: "known",
    disconnected: "-> confirming",
    left: "-> confirming",
    advertised: "STATE",
    shared: "known",
    complained: "STATE",
    "input-received": "known",
    confirmed: "-> confirming",
    "unmask-received": "STATE",
    combined: "STATE",
    damaged: "-> advertising",
    ticked: "STATE",
    stopped: "-> failed",
    "given-up": "-> failed",
    restarted: "-> confirming",
  },
  unmasking: {
    "checked-in": "STATE",
    connected: "known",
    disconnected: "-> unmasking",
    left: "-> unmasking",
    advertised: "STATE",
    shared: "known",
    complained: "STATE",
    "input-received": "known",
    confirmed: "known",
    "unmask-received": "-> unmasking",
    combined: "STATE",
    damaged: "STATE",
    ticked: "STATE",
    stopped: "STATE",
    "given-up": "-> voided",
    restarted: "-> unmasking",
  },
  committed: { ...AFTER_THE_END, confirmed: "known", "unmask-received": "known" },
  voided: { ...AFTER_THE_END, confirmed: "known", "unmask-received": "known" },
  failed: AFTER_THE_END,
};

function outcome(state: RoundState, event: RoundEvent): Expected {
  const next = step(state, event);
  const [first] = next.effects;
  if (first?.type === "reject") {
    expect(next.state).toBe(state);
    expect(next.effects).toHaveLength(1);
    expect(next.records).toEqual([]);
    return first.code;
  }
  if (next.state === state) {
    expect(next.effects).toEqual([]);
    expect(next.records).toEqual([]);
    return "known";
  }
  return `-> ${next.state.phase}`;
}

describe("[R1] each phase meets each event", () => {
  for (const phase of Object.keys(TABLE) as Phase[]) {
    test(phase, () => {
      const state = stateIn(phase);
      expect(state.phase).toBe(phase);
      const got = Object.fromEntries(
        Object.entries(SAMPLE).map(([type, make]) => [type, outcome(state, make(state.nowMs))]),
      );
      expect(got).toEqual(TABLE[phase]);
    });
  }
});
