import type { LogRow } from "../log/row.ts";
import { type LogError, replayRound } from "../round/log.ts";
import { type RoundState, wasOpened } from "../round/state.ts";
import { grouped } from "./words.ts";

/** What came of replaying a round's own log. */
export interface Replayed {
  readonly state: RoundState;
  readonly eventCount: number;
  /** How often shares that open the sum were asked for. */
  readonly openingCount: number;
}

/** Replays a round's own log. Error: a sentence that says where it fails. */
export function replayed(
  log: readonly LogRow[],
): { readonly ok: true; readonly value: Replayed } | { readonly ok: false; readonly error: string } {
  let openingCount = 0;
  const state = replayRound(log, (after, _row, before) => {
    if (wasOpened(after) && !wasOpened(before)) openingCount++;
  });
  return state.ok
    ? { ok: true, value: { state: state.value, eventCount: log.length, openingCount } }
    : { ok: false, error: faultOf(state.error) };
}

function faultOf(error: LogError): string {
  switch (error.type) {
    case "empty":
      return "The round's own log is empty.";
    case "gap":
      return `The round's own log has event ${grouped(error.sequence)} in place of ${grouped(error.expected)}.`;
    case "newer":
      return "The round's own log is of a newer version of Chorus than this program.";
    case "malformed":
      return `Event ${grouped(error.sequence)} of the round's own log has no valid ${error.path}.`;
    case "without-effect":
    case "impossible":
      return `Event ${grouped(error.sequence)} of the round's own log (${error.event}) is not possible where it stands.`;
  }
}
