import type { ErrorCode } from "#shared/protocol/errors.ts";
import type { RoundEvent, RoundOpened } from "#shared/round/event.ts";
import { logged } from "#shared/round/log.ts";
import { type EndPhase, isEndPhase } from "#shared/round/phases.ts";
import { isLive } from "#shared/round/state.ts";
import { outageCode } from "../ports/outage.ts";
import type { CoordinatorPorts, RoundRow, RoundViews, StoreRecord } from "../ports/ports.ts";
import type { RunTerms } from "../tasks/terms.ts";
import { driverOf, type RoundHistory, readRound } from "./recover-round.ts";
import type { RoundContext, RoundDriver } from "./round-driver.ts";
import { forgetSession } from "./transcript.ts";

/*
 * Ends the open round of a run that ends by a fault: in the round's log and row, and in what was kept of it.
 * Shares, openings and masked inputs that nobody will sum are deleted (S11). Rule R44.
 */

type EndPorts = Pick<CoordinatorPorts, "store" | "spool" | "wall" | "primitives" | "keeping" | "random">;

/**
 * Ends a round whose run ends by a fault. Can be repeated after a crash.
 *
 * @returns Its driver, which still tells devices how it ended; null if its log is empty or unreadable.
 * @throws The store's error. It is then unknown how far this came.
 */
export async function giveUpRound(
  context: RoundContext,
  roundId: string,
  code: ErrorCode,
): Promise<RoundDriver | null> {
  const log = await context.ports.store.readStream({ kind: "round", id: roundId });
  // Announced in the run's log but never opened.
  if (log.length === 0) return null;
  const history = readRound(log);
  try {
    if (history.ok) return await endReadable(context, history.value, code);
  } catch (error) {
    if (outageCode(error) !== null) throw error;
    // Perhaps the fault that ended the run. The row has enough to leave nothing behind.
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

/** Ends the rounds of a run whose own log is unreadable. */
export async function endRoundsOf(ports: EndPorts, runId: string, code: ErrorCode): Promise<void> {
  let newest: string | null = null;
  let cursor: string | undefined;
  do {
    const page = await ports.store.listRounds(runId, { limit: 200, cursor });
    for (const { roundId, phase } of page.items) {
      if (!isEndPhase(phase)) await endUnreadableRound(ports, roundId, code);
      newest = roundId;
    }
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  // The newest round may have ended just before, with its sessions not forgotten yet. Those of earlier rounds
  // are.
  if (newest !== null) await endUnreadableRound(ports, newest, code);
}

/**
 * Ends a round that an earlier version opened under a config that this version no longer derives from the
 * task. Its devices would refuse it, and its session ids cannot be computed again, but the row has them.
 * Rules R44, S11.
 *
 * @returns True if so; the log then has an end.
 */
export async function endedForOtherTerms(
  ports: EndPorts & Pick<CoordinatorPorts, "log">,
  { roundId, ...opened }: RoundOpened,
  { configHash, roundHash }: Pick<RunTerms, "configHash" | "roundHash">,
): Promise<boolean> {
  if (opened.configHash === configHash && opened.roundHash === roundHash) return false;
  ports.log.warn({ roundId }, "an earlier version opened this round under another config, so it is given up");
  await endUnreadableRound(ports, roundId, "RESTARTED");
  return true;
}

/** Ends a round according to its row. The log only gains a last event. */
async function endUnreadableRound(ports: EndPorts, roundId: string, code: ErrorCode): Promise<void> {
  const found = await ports.store.findRound(roundId);
  if (found === null) return;
  const { detail } = found.view;
  const sids = new Set([detail.sid, ...(detail.shardList ?? []).map(({ sid }) => sid)]);
  sids.delete(null);
  const phase = isEndPhase(found.phase)
    ? found.phase
    : await writeEnd(ports, roundId, found, code, [...sids] as string[]);
  for (const sid of sids) if (sid !== null) await forgetSession(ports, sid, phase);
}

/** @returns The round's phase afterwards. */
async function writeEnd(
  { store, wall }: EndPorts,
  roundId: string,
  row: RoundRow,
  code: ErrorCode,
  sids: readonly string[],
): Promise<EndPhase> {
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
  const kind = opened ? "round.voided" : "round.failed";
  records.push({ type: "note", note: { kind, details: { round: row.round, code } } });
  const log = await store.readStream({ kind: "round", id: roundId });
  const sequence = (log.at(-1)?.sequence ?? 0) + 1;
  const event = { sequence, at, event: logged(fact) };
  const written = await store.append({ kind: "round", id: roundId }, [{ event, records }]);
  if (!written.ok) throw new Error(`another writer has event ${sequence} of round ${roundId}`);
  return phase;
}
