import type { ErrorCode } from "#shared/protocol/errors.ts";
import type { RoundEvent, RoundOpened } from "#shared/round/event.ts";
import { isLive } from "#shared/round/state.ts";
import { outageCode } from "./outage.ts";
import type { CoordinatorPorts, RoundRow, StoreRecord } from "./ports.ts";
import { driverOf, type RoundHistory, readRound } from "./recover-round.ts";
import type { RoundContext, RoundDriver } from "./round-driver.ts";
import type { RoundViews } from "./round-view.ts";
import { storedEvent } from "./stored-event.ts";
import type { RunTerms } from "./terms.ts";
import { forgetSession } from "./transcript.ts";

/*
 * A run that ends by a fault ends its open round with it: in the round's log and row, and in what was kept of it. Shares,
 * openings and masked inputs that nobody will add up any more are deleted, not left behind (S11). Rule R44.
 */

type EndPorts = Pick<CoordinatorPorts, "store" | "spool" | "wall" | "primitives" | "keeping" | "random">;

/**
 * Ends a round whose run ends by a fault. May be done again after a crash.
 *
 * @returns Its driver, which still tells devices how it ended; null if nobody can read its log, or it has none.
 * @throws the error of the store; nobody knows then how far it came.
 */
export async function giveUpRound(
  context: RoundContext,
  roundId: string,
  code: ErrorCode,
): Promise<RoundDriver | null> {
  const log = await context.ports.store.readStream({ kind: "round", id: roundId });
  // It was announced in the run's log, and never opened.
  if (log.length === 0) return null;
  const history = readRound(log);
  try {
    if (history.ok) return await endReadable(context, history.value, code);
  } catch (error) {
    if (outageCode(error) !== null) throw error;
    // The fault for which the run is given up, perhaps. What the row says is enough to leave nothing behind.
    context.ports.log.error({ roundId, error: String(error) }, "a round could not be ended from its log");
  }
  await endUnreadableRound(context.ports, roundId, code);
  return null;
}

async function endReadable(
  context: RoundContext,
  history: RoundHistory,
  code: ErrorCode,
): Promise<RoundDriver> {
  const failures: unknown[] = [];
  const onFault = (error: unknown) => void failures.push(error);
  const driver = await driverOf({ ...context, onEnded: () => {}, onFault }, history);
  if (isLive(driver.state)) await driver.submit({ event: { type: "given-up", code } });
  else driver.run([{ type: "forget", attempt: driver.state.attempt }]);
  await driver.settled();
  if (failures.length > 0) throw failures[0];
  return driver;
}

/** Ends the rounds of a run whose own log nobody can read. */
export async function endRoundsOf(ports: EndPorts, runId: string, code: ErrorCode): Promise<void> {
  let newest: string | null = null;
  let cursor: string | undefined;
  do {
    const page = await ports.store.listRounds(runId, { limit: 200, cursor });
    for (const { roundId, phase } of page.items) {
      if (!hasEnded(phase)) await endUnreadableRound(ports, roundId, code);
      newest = roundId;
    }
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  // It may have ended a moment before, with its sessions still to be forgotten; those of earlier ones are.
  if (newest !== null) await endUnreadableRound(ports, newest, code);
}

type EndedPhase = "committed" | "voided" | "failed";

function hasEnded(phase: string): phase is EndedPhase {
  return phase === "committed" || phase === "voided" || phase === "failed";
}

/**
 * Ends a round that an earlier version opened under a config that this one does not derive from the task any more: its
 * devices would refuse it, and its session ids cannot be made again. The row has them. Rules R44, S11.
 *
 * @returns Whether that was so; its log has an end then.
 */
export async function endedForOtherTerms(
  ports: EndPorts & Pick<CoordinatorPorts, "log">,
  { roundId, ...opened }: RoundOpened,
  { configHash, roundHash }: Pick<RunTerms, "configHash" | "roundHash">,
): Promise<boolean> {
  if (opened.configHash === configHash && opened.roundHash === roundHash) return false;
  ports.log.warn({ roundId }, "an earlier version opened this round under another config: it is given up");
  await endUnreadableRound(ports, roundId, "RESTARTED");
  return true;
}

/** By what its row says of it. The log stays as it is, but for a last event. */
async function endUnreadableRound(ports: EndPorts, roundId: string, code: ErrorCode): Promise<void> {
  const found = await ports.store.findRound(roundId);
  if (found === null) return;
  const { detail } = found.view;
  const sids = new Set([detail.sid, ...(detail.shardList ?? []).map(({ sid }) => sid)]);
  sids.delete(null);
  const phase = hasEnded(found.phase)
    ? found.phase
    : await writeEnd(ports, roundId, found, code, [...sids] as string[]);
  for (const sid of sids) if (sid !== null) await forgetSession(ports, sid, phase);
}

/** @returns the phase in which the round is now. */
async function writeEnd(
  { store, wall }: EndPorts,
  roundId: string,
  row: RoundRow,
  code: ErrorCode,
  sids: readonly string[],
): Promise<EndedPhase> {
  const { view, detail } = row.view;
  const opened = view.phase === "unmasking";
  const at = wall.nowUnixMs();
  const endedAt = new Date(Math.max(at, Date.parse(view.openedAt))).toISOString();
  const phase = opened ? "voided" : "failed";
  const ended: RoundViews = { view: { ...view, phase, opened, code, endedAt, deadlineS: null }, detail };
  const records: StoreRecord[] = sids.map((sid) => ({ type: "close-slots", sid, kept: [] }));
  records.push(
    { type: "audit-leaf", kind: "round.aborted", body: { version: 1, roundId, code, opened } },
    { type: "round-row", roundId, row: { ...row, phase, view: ended } },
  );
  const fact: RoundEvent = { type: "given-up", atMs: Math.round(view.nowS * 1_000), code };
  const note = { kind: opened ? "round.voided" : "round.failed", details: { round: row.round, code } };
  const log = await store.readStream({ kind: "round", id: roundId });
  const sequence = (log.at(-1)?.sequence ?? 0) + 1;
  const event = storedEvent(sequence, at, fact, note);
  const written = await store.append({ kind: "round", id: roundId }, event, records);
  if (!written.ok) throw new Error(`another writer has event ${sequence} of round ${roundId}`);
  return phase;
}
