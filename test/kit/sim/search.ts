import { nextTickMs } from "#shared/round/deadline.ts";
import type { RoundEvent, RoundOpened } from "#shared/round/event.ts";
import { canOpen } from "#shared/round/shares.ts";
import { isLive, type RoundState } from "#shared/round/state.ts";
import { openRound, step } from "#shared/round/step.ts";
import {
  advertised,
  checkedIn,
  committed,
  complained,
  confirmed,
  identity,
  input,
  presence,
  restarted,
  shared,
  ticked,
  unmasked,
  voided,
} from "#test/kit/worlds/round-cast.ts";
import { type Breach, breachesOf } from "./round-invariants.ts";

/*
 * Every state of the round machine that a few devices and a stranger can reach, breadth first. Time stands still except
 * for ticks, each at the next moment at which time alone changes something. States that look the same to every later
 * step count as one.
 */

export interface SearchOptions {
  readonly facts: RoundOpened;
  /** Number of devices that check in; the stranger has the next number. */
  readonly devices: number;
  /** Those that may lose their connection or leave. */
  readonly restless: readonly number[];
  readonly complaints: boolean;
  readonly restarts: boolean;
  readonly statesMax: number;
}

export interface Found {
  readonly states: number;
  readonly steps: number;
  /** True if every state was visited. */
  readonly whole: boolean;
  readonly breaches: readonly { readonly breach: Breach; readonly way: readonly string[] }[];
  readonly ends: ReadonlyMap<string, number>;
}

interface Node {
  readonly state: RoundState;
  readonly parent: Node | null;
  readonly event: RoundEvent | null;
}

export function searchRounds(options: SearchOptions): Found {
  const first: Node = { state: openRound(options.facts).state, parent: null, event: null };
  const seen = new Set([keyOf(first.state)]);
  const queue: Node[] = [first];
  const breaches: Found["breaches"][number][] = [];
  const ends = new Map<string, number>();
  let steps = 0;
  for (let head = 0; head < queue.length && queue.length <= options.statesMax; head++) {
    const node = queue[head] as Node;
    const report = (breach: Breach, event: RoundEvent | null) =>
      breaches.push({ breach, way: wayTo({ state: node.state, parent: node, event }) });
    if (!isLive(node.state)) {
      const end = "code" in node.state ? `${node.state.phase} ${node.state.code}` : node.state.phase;
      ends.set(end, (ends.get(end) ?? 0) + 1);
      continue;
    }
    if (!goesOnAlone(node.state)) report(["S15", "nothing but a device can end this state"], null);
    for (const event of eventsIn(node.state, options)) {
      steps++;
      const { state, effects, records } = step(node.state, event);
      const refused = effects.some((effect) => effect.type === "reject");
      if (refused && (state !== node.state || effects.length > 1 || records.length > 0))
        report(["R1", "a refused event changes something"], event);
      if (isOfStranger(event, options.devices) && state !== node.state)
        report(["S6", "a stranger changes the round"], event);
      if (state === node.state) continue;
      for (const breach of breachesOf(node.state, state)) report(breach, event);
      const key = keyOf(state);
      if (seen.has(key)) continue;
      seen.add(key);
      queue.push({ state, parent: node, event });
    }
    if (breaches.length > 20) break;
  }
  return { states: queue.length, steps, whole: queue.length <= options.statesMax, breaches, ends };
}

/**
 * Time alone moves every state that waits for devices. An opening that has all it needs waits for the coordinator's own
 * sum.
 */
function goesOnAlone(state: RoundState): boolean {
  return nextChange(state) !== null || (state.phase === "unmasking" && canOpen(state));
}

/** The next tick that changes something; null if time alone changes nothing any more. */
function nextChange(state: RoundState): RoundEvent | null {
  for (let at = nextTickMs(state, state.nowMs); at !== null; at = nextTickMs(state, at)) {
    if (step(state, ticked(at)).state !== state) return ticked(at);
  }
  return null;
}

function isOfStranger(event: RoundEvent, devices: number): boolean {
  if ("identity" in event) return event.identity === identity(devices + 1);
  if ("devices" in event) return event.devices.some((device) => device.identity === identity(devices + 1));
  return "seat" in event && event.seat > devices;
}

/** All events that may happen now, in place and out of place. */
function eventsIn(
  state: RoundState,
  { devices, restless, complaints, restarts }: SearchOptions,
): RoundEvent[] {
  const { nowMs: at, attempt } = state;
  const everyone = Array.from({ length: devices + 1 }, (_, index) => index + 1);
  const events: RoundEvent[] = [];
  const tick = nextChange(state);
  if (tick !== null) events.push(tick);
  for (const device of everyone) {
    // The stranger has an identity, but was not admitted.
    if (device <= devices) events.push(checkedIn(device, at));
    events.push(advertised(device, at, attempt));
    for (const message of [shared, input, confirmed, unmasked]) events.push(message(device, at, attempt));
    if (attempt > 1)
      for (const message of [shared, input, confirmed, unmasked]) events.push(message(device, at, 1));
    if (device > devices || restless.includes(device))
      for (const change of ["connected", "disconnected", "left"] as const)
        events.push(presence(change, device, at));
    if (complaints) events.push(complained(device, (device % devices) + 1, at, attempt));
  }
  events.push(unmasked(1, at, attempt, [2]), committed(at, attempt), voided(at, [identity(1)]));
  // The same device sends something else.
  events.push({ ...input(1, at, attempt), sha256: "other" } as RoundEvent);
  if (restarts) events.push(restarted(at, true), restarted(at, false));
  return events;
}

/** All that later steps look at, with times relative to now. */
function keyOf(state: RoundState): string {
  const { nowMs } = state;
  const members = [...state.members].map(([id, member]) => [
    id.slice(0, 4),
    member.connected,
    member.goneSinceMs === null ? null : Math.min(5_000, nowMs - member.goneSinceMs),
    member.out === null,
    member.invited,
  ]);
  const { phase, attempt } = state;
  const recruitingMs = phase === "recruiting" ? Math.min(2_000, nowMs) : 0;
  const known: unknown[] = [phase, attempt, recruitingMs, members, state.forbiddenPairs, state.removed];
  if ("deadlineMs" in state) known.push(Math.max(0, state.deadlineMs - nowMs));
  if ("graceEndsMs" in state) known.push(Math.max(0, state.graceEndsMs - nowMs), state.askedAgain);
  if ("adverts" in state) known.push([...state.adverts.keys()].sort());
  if ("roster" in state) known.push(state.roster.map((seat) => seat.identity.slice(0, 4)));
  if ("bundles" in state) known.push([...state.bundles.keys()].sort());
  if ("u2" in state) known.push(state.u2, [...state.inputs.keys()].sort());
  if ("u3" in state) known.push(state.u3);
  if ("confirmations" in state) known.push([...state.confirmations.keys()].sort());
  if ("responses" in state)
    known.push([...state.responses].map(([position, { offCommitment }]) => [position, offCommitment]).sort());
  return JSON.stringify(known);
}

function wayTo(node: Node): string[] {
  const way: string[] = [];
  for (let at: Node | null = node; at !== null; at = at.parent) {
    if (at.event === null) continue;
    const { type } = at.event;
    const who =
      "identity" in at.event
        ? at.event.identity.slice(0, 4)
        : "devices" in at.event
          ? at.event.devices.map((device) => device.identity.slice(0, 4)).join()
          : "seat" in at.event
            ? at.event.seat
            : "";
    way.unshift(`${type} ${who}`.trim());
  }
  return way;
}
