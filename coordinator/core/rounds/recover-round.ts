import { assert, present } from "#shared/kernel/assert.ts";
import { ok, type Result } from "#shared/kernel/result.ts";
import { endingEffects } from "#shared/round/ending.ts";
import { type LogError, replayRound } from "#shared/round/log.ts";
import { isLive, type RoundState, type Seated } from "#shared/round/state.ts";
import type { StoredEvent } from "../ports/ports.ts";
import { type RoundContext, RoundDriver } from "./round-driver.ts";
import type { Session } from "./session.ts";

/** What a round's log tells. */
export interface RoundHistory {
  readonly state: RoundState;
  /** Last state of each attempt that had rosters, by attempt. */
  readonly attempts: ReadonlyMap<number, Seated>;
  /** Sequence of the newest event. */
  readonly sequence: number;
  /** Time of the newest event, in Unix milliseconds. */
  readonly atUnixMs: number;
}

/** Errors: those of `replayRound`. */
export function readRound(log: readonly StoredEvent[]): Result<RoundHistory, LogError> {
  const attempts = new Map<number, Seated>();
  const replayed = replayRound(log, (after) => {
    if ("roster" in after) attempts.set(after.attempt, after);
  });
  if (!replayed.ok) return replayed;
  const { sequence, at: atUnixMs } = present(log.at(-1), "a log that was read has rows");
  return ok({ state: replayed.value, attempts, sequence, atUnixMs });
}

/**
 * Restores a round from its log. Inputs that were receipted but not logged are added, so that none is lost.
 * Then the phase gets its full time again. Rules R14, R19.
 */
export async function recoverRound(context: RoundContext, history: RoundHistory): Promise<RoundDriver> {
  const driver = await driverOf(context, history);
  const { state } = driver;
  if (!isLive(state)) {
    driver.run(endingEffects(state).filter((effect) => effect.type !== "tell"));
    return driver;
  }
  // Finished attempts are forgotten at their end, but the process may have died in between (S11).
  driver.run([{ type: "forget", attempt: state.attempt }]);
  const { sessions } = await driver.admission();
  let whole = true;
  for (const session of sessions) {
    if (state.phase === "collecting") await addReceipted(context, driver, session);
    whole &&= await isWhole(context, driver.state, session);
  }
  await driver.submit({ event: { type: "restarted", whole } });
  return driver;
}

/** Makes a driver at the log's end, with the sessions of all attempts. It writes and starts nothing. */
export async function driverOf(context: RoundContext, history: RoundHistory): Promise<RoundDriver> {
  const { state, attempts, sequence, atUnixMs } = history;
  const driver = new RoundDriver(context, state, sequence);
  for (const seated of attempts.values()) await driver.adoptSessions(seated, false);
  if (!isLive(state)) driver.endedAtUnixMs = atUnixMs;
  return driver;
}

/** Earlier versions wrote a receipt before its event. The process may have ended in between. */
async function addReceipted({ ports }: RoundContext, driver: RoundDriver, session: Session): Promise<void> {
  const { attempt } = driver.state;
  for (const { position, sha256, root } of await ports.store.listInputs(session.sid)) {
    const seat = session.seatOf(position);
    if ("inputs" in driver.state && driver.state.inputs.has(seat)) continue;
    const { type } = await driver.submit({
      event: { type: "input-received", attempt, seat, sha256, root },
    });
    assert(type !== "refused" || driver.state.phase !== "collecting", "a receipted input counts");
  }
}

/** Whether everything of a session that the log acknowledged is still stored. */
async function isWhole(
  { ports, terms }: RoundContext,
  state: RoundState,
  session: Session,
): Promise<boolean> {
  const { store, spool } = ports;
  if (!("roster" in state)) return true;
  const seats = state.phase === "sharing" ? [...state.bundles.keys()] : "u2" in state ? state.u2 : [];
  const shared = session.positionsIn(seats);
  const bundles = await store.loadMaterial(session.sid, "share");
  if (!shared.every((position) => bundles.has(position))) return false;
  // Once shares were asked for, the fold reports missing inputs, so that a round with several shards may
  // continue.
  if ("inputs" in state && state.phase !== "unmasking") {
    const byteCount = 4 * terms.layout.length;
    for (const position of session.positionsIn([...state.inputs.keys()])) {
      if ((await spool.offset(session.sid, position)) !== byteCount) return false;
    }
  }
  if (state.phase !== "unmasking") return true;
  const openings = await store.loadMaterial(session.sid, "unmask");
  return session.positionsIn([...state.responses.keys()]).every((position) => openings.has(position));
}
