import type { EventView } from "#shared/protocol/api.ts";
import type { RoundEvent, RoundOpened } from "#shared/round/event.ts";
import type { RunEvent, RunLaunched } from "#shared/round/run-event.ts";
import { type Note, sentenceOf } from "./notes.ts";
import type { StoredEvent, StreamId } from "./ports.ts";

/** What stands in the event column: the fact, and what people read of it. */
interface Logged<Event> {
  readonly fact: Event;
  readonly note: Note | null;
}
export type LoggedRound = Logged<RoundOpened | RoundEvent>;
export type LoggedRun = Logged<RunLaunched | RunEvent>;

/** Null for an event that people are not shown. */
export function eventView(stream: StreamId, stored: StoredEvent): EventView | null {
  const { note } = stored.event as Logged<unknown>;
  if (note === null) return null;
  return {
    sequence: stored.sequence,
    at: new Date(stored.at).toISOString(),
    roundId: stream.kind === "round" ? (stream.id as EventView["roundId"]) : null,
    kind: note.kind,
    sentence: sentenceOf(note),
    details: note.details,
  };
}
