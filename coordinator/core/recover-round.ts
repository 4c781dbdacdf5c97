import { assert, present } from "#shared/kernel/assert.ts";
import { ok, type Result } from "#shared/kernel/result.ts";
import { endingEffects } from "#shared/round/ending.ts";
import { type LogError, replayRound } from "#shared/round/log.ts";
import { isLive, type RoundState, type Seated } from "#shared/round/state.ts";
import type { StoredEvent } from "./ports.ts";
import { type RoundContext, RoundDriver } from "./round-driver.ts";
import type { Session } from "./session.ts";

/** What a round's log says. */
export interface RoundHistory {
  readonly state: RoundState;
  /** Where each attempt that had rosters ended, by attempt. */
  readonly attempts: ReadonlyMap<number, Seated>;
  /** Of the newest event. */
  readonly sequence: number;
  /** Unix milliseconds, of the newest event. */
  readonly atUnixMs: number;
}

/** Errors: as `replayRound`. */
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
 * A round from its log. Inputs that were receipted but not logged yet are added, so none is lost; then the phase gets
 * its time anew and goes on. Rules R14, R19.
 */
export async function recoverRound(context: RoundContext, history: RoundHistory): Promise<RoundDriver> {
  const driver = await driverOf(context, history);
  const { state } = driver;
  if (!isLive(state)) {
    driver.run(endingEffects(state).filter((effect) => effect.type !== "tell"));
    return driver;
  }
  // What an attempt left behind goes with its end; the process may have died between the two (S11).
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

/** A driver that stands where the log ends, with the sessions of all attempts. It writes nothing and begins nothing. */
export async function driverOf(context: RoundContext, history: RoundHistory): Promise<RoundDriver> {
  const { state, attempts, sequence, atUnixMs } = history;
  const driver = new RoundDriver(context, state, sequence);
  for (const seated of attempts.values()) await driver.adoptSessions(seated, false);
  if (!isLive(state)) driver.endedAtUnixMs = atUnixMs;
  return driver;
}

/** A receipt is written before its event; between the two the process may have ended. */
async function addReceipted({ ports }: RoundContext, driver: RoundDriver, session: Session): Promise<void> {
  const { attempt } = driver.state;
  for (const { position, sha256, root } of await ports.store.listInputs(session.sid)) {
    const seat = session.seatOf(position);
    if ("inputs" in driver.state && driver.state.inputs.has(seat)) continue;
    const { type } = await driver.submit({
      event: { type: "input-received", attempt, position: seat, sha256, root },
    });
    assert(type !== "refused" || driver.state.phase !== "collecting", "a receipted input counts");
  }
}

/** Whether everything of a session that the log says was acknowledged is where it should be. */
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
  // Once shares were asked for, the fold says which inputs are not there: a round of several shards may go on.
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
