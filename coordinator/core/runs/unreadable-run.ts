import type { RunView } from "#shared/protocol/api.ts";
import { logged } from "#shared/round/log.ts";
import type { RunEvent } from "#shared/round/run-event.ts";
import type { CoordinatorPorts, StoreRecord } from "../ports/ports.ts";
import { endRoundsOf } from "../rounds/end-round.ts";
import { brokenView } from "../views/run-view.ts";
import { runNote } from "./run-note.ts";

/**
 * Ends a run that no later start can read either. Its row must say so: otherwise it would seem to run
 * forever, and its task's queue would not show why nothing happens. The log only gains this last event.
 *
 * @returns How the run ended; null if it has no row.
 */
export async function endUnreadableRun(
  ports: CoordinatorPorts,
  runId: string,
  lastSequence: number,
): Promise<{ readonly projectId: string; readonly run: RunView } | null> {
  const { store, wall, log } = ports;
  const found = await store.findRun(runId);
  if (found === null) return null;
  log.error({ runId, lastSequence }, "a run's log cannot be read; the run is ended");
  await endRoundsOf(ports, runId, "LOG_UNREADABLE");
  const at = wall.nowUnixMs();
  const fact: RunEvent = { type: "broken", code: "LOG_UNREADABLE" };
  const known = found.view;
  const endedAtUnixMs = Math.max(at, Date.parse(known.startedAt ?? known.createdAt));
  const view: RunView = { ...known, ...brokenView(fact.code, endedAtUnixMs) };
  const row = { ...found, state: "failed", view };
  const records: StoreRecord[] = [{ type: "run-row", runId, row }];
  const note = runNote(fact);
  if (note !== null) records.push({ type: "note", note });
  const event = { sequence: lastSequence + 1, at, event: logged(fact) };
  const written = await store.append({ kind: "run", id: runId }, [{ event, records }]);
  if (!written.ok) throw new Error(`another writer has event ${event.sequence} of run ${runId}`);
  return { projectId: found.projectId, run: view };
}
