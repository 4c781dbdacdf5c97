import { agreedGraphOf } from "#shared/cohort/graph-plan.ts";
import { assert } from "#shared/kernel/assert.ts";
import type { Advert, RoundEvent, RoundOpened, RoundRules } from "#shared/round/event.ts";
import { type LogRow, logged, replayRound } from "#shared/round/log.ts";
import type { RoundState } from "#shared/round/state.ts";
import { openRound, step } from "#shared/round/step.ts";
import { seatNo } from "../places.ts";

/*
 * A cast for tests of the round machine: named devices, made-up keys, no cryptography. Times are milliseconds since the
 * round opened.
 */

export const RULES: RoundRules = {
  goal: 4,
  overSelection: 1,
  cohortSizeMin: 3,
  cohortSizeMax: 8,
  securityModel: "active",
  deadlines: {
    recruitingMs: 60_000,
    trainingMs: 100_000,
    sharingMs: 30_000,
    collectingMs: 50_000,
    confirmingMs: 30_000,
    unmaskingMs: 30_000,
    graceMs: 120_000,
  },
  recruitingMinMs: 2_000,
  graph: "complete",
};

/** Shards of about `size` devices, in the form of a round's rules. */
export function shardsOf(
  size: number,
  plan: Pick<RoundRules, "goal" | "overSelection">,
): RoundRules["graph"] {
  return agreedGraphOf({ ...plan, graph: { kind: "shards", size } });
}

export function roundFacts(change: Partial<RoundOpened> = {}): RoundOpened {
  return {
    type: "opened",
    runId: "a".repeat(32),
    round: 1,
    roundId: "b".repeat(32),
    openedAtUnixMs: 1_700_000_000_000,
    rules: RULES,
    configHash: "c".repeat(64),
    roundHash: "d".repeat(64),
    parentModelHash: "e".repeat(64),
    modelByteCount: 1_000,
    forbiddenPairs: [],
    removed: [],
    ...change,
  };
}

/** Identity of device `index`, 64 hex digits; they sort by index. */
export function identity(index: number): string {
  return index.toString(16).padStart(4, "0").repeat(16);
}

/** Keys that differ by device and attempt. */
export function advert(index: number, attempt = 1): Advert {
  const key = (kind: string) => `${kind}${attempt}${index.toString(16).padStart(4, "0")}`.padEnd(64, "0");
  return { c: key("c"), s: key("5"), bCommit: key("b"), signature: key("f").padEnd(128, "0") };
}

/** As one event; the lot of each device is its index. */
export const allCheckedIn = (indices: readonly number[], atMs: number): RoundEvent => ({
  type: "checked-in",
  atMs,
  devices: indices.map((index) => ({ identity: identity(index), lot: index })),
});
export const checkedIn = (index: number, atMs: number): RoundEvent => allCheckedIn([index], atMs);
export const presence = (
  type: "connected" | "disconnected" | "left",
  index: number,
  atMs: number,
): RoundEvent => ({
  type,
  atMs,
  identity: identity(index),
});
export const advertised = (index: number, atMs: number, attempt = 1): RoundEvent => ({
  type: "advertised",
  atMs,
  attempt,
  identity: identity(index),
  advert: advert(index, attempt),
});
export const shared = (seat: number, atMs: number, attempt = 1): RoundEvent => ({
  type: "shared",
  atMs,
  attempt,
  seat: seatNo(seat),
  digest: `${seat}`,
});
export const complained = (seat: number, against: number, atMs: number, attempt = 1): RoundEvent => ({
  type: "complained",
  atMs,
  attempt,
  seat: seatNo(seat),
  against: seatNo(against),
});
export const input = (seat: number, atMs: number, attempt = 1): RoundEvent => ({
  type: "input-received",
  atMs,
  attempt,
  seat: seatNo(seat),
  sha256: `${seat}`,
  root: seat.toString(16).padStart(64, "0"),
});
export const confirmed = (seat: number, atMs: number, attempt = 1): RoundEvent => ({
  type: "confirmed",
  atMs,
  attempt,
  seat: seatNo(seat),
  signature: seat.toString(16).padStart(128, "0"),
});
export const unmasked = (
  seat: number,
  atMs: number,
  attempt = 1,
  offCommitment: readonly number[] = [],
): RoundEvent => ({
  type: "unmask-received",
  atMs,
  attempt,
  seat: seatNo(seat),
  digest: `${seat}`,
  offCommitment: offCommitment.map(seatNo),
});
export const damaged = (seats: readonly number[], atMs: number, attempt = 1): RoundEvent => ({
  type: "damaged",
  atMs,
  attempt,
  seats: seats.map(seatNo),
});
export const ticked = (atMs: number): RoundEvent => ({ type: "ticked", atMs });
export const stopped = (atMs: number): RoundEvent => ({ type: "stopped", atMs });
export const givenUp = (atMs: number): RoundEvent => ({ type: "given-up", atMs, code: "INTERNAL" });
export const restarted = (atMs: number, whole = true): RoundEvent => ({ type: "restarted", atMs, whole });

const measure = { value: 0.5, halfWidth95: 0.1, count: 100 };
export const committed = (atMs: number, attempt = 1): RoundEvent => ({
  type: "combined",
  atMs,
  attempt,
  result: {
    kind: "committed",
    modelHash: "1".repeat(64),
    strategyStateHash: null,
    sumHash: "2".repeat(64),
    sumByteCount: 40,
    weightSum: 12,
    inputsRoot: "3".repeat(64),
    metrics: {
      measures: { accuracy: measure, loss: measure },
      deviceMeasures: { before: {}, after: {} },
      updateNormL2: 1,
    },
    transcript: null,
  },
});
export const voided = (atMs: number, dealers: readonly string[] = []): RoundEvent => ({
  type: "combined",
  atMs,
  attempt: 1,
  result: { kind: "voided", code: "BAD_B", dealers },
});

/** The rows of a log in today's version. */
export function rowsOf(facts: readonly (RoundOpened | RoundEvent)[]): LogRow[] {
  return facts.map((fact, index) => ({ sequence: index + 1, event: logged(fact) }));
}

/** The state that a valid log leads to. */
export function replayed(facts: readonly (RoundOpened | RoundEvent)[]): RoundState {
  const state = replayRound(rowsOf(facts));
  assert(state.ok, `the log can be read: ${JSON.stringify(state)}`);
  return state.value;
}

export interface Play {
  readonly state: RoundState;
  readonly log: readonly RoundEvent[];
}

/** Plays the events one after the other and keeps those that changed something. */
export function play(events: readonly RoundEvent[], facts = roundFacts()): Play {
  let { state } = openRound(facts);
  const log: RoundEvent[] = [];
  for (const event of events) {
    const next = step(state, event);
    if (next.state !== state) log.push(event);
    state = next.state;
  }
  return { state, log };
}

const COUNT = RULES.goal;
const each = (make: (seat: number) => RoundEvent) =>
  Array.from({ length: COUNT }, (_, index) => make(index + 1));

/** Four devices without faults, up to the named phase, which has just begun. */
const SCRIPT = {
  recruiting: [],
  training: [...each((index) => checkedIn(index, 100 * index)), ticked(2_000)],
  advertising: [advertised(1, 3_000)],
  sharing: [advertised(2, 3_100), advertised(3, 3_200), advertised(4, 3_300)],
  collecting: each((seat) => shared(seat, 4_000)),
  confirming: each((seat) => input(seat, 5_000)),
  // t = 3 of n = 4: the fourth comes too late to matter.
  unmasking: each((seat) => confirmed(seat, 6_000)),
  committed: [...each((seat) => unmasked(seat, 7_000)), committed(7_500)],
} as const satisfies Partial<Record<RoundState["phase"], readonly RoundEvent[]>>;

const WAY = [
  "recruiting",
  "training",
  "advertising",
  "sharing",
  "collecting",
  "confirming",
  "unmasking",
  "committed",
] as const;

/** The events that lead to the beginning of `phase`. */
export function wayTo(phase: RoundState["phase"]): readonly RoundEvent[] {
  if (phase === "failed") return [ticked(RULES.deadlines.recruitingMs)];
  if (phase === "voided") return [...wayTo("unmasking"), ticked(6_000 + 150_000)];
  return WAY.slice(0, WAY.indexOf(phase) + 1).flatMap((name) => SCRIPT[name]);
}

export function stateIn(phase: RoundState["phase"]): RoundState {
  return play(wayTo(phase)).state;
}
