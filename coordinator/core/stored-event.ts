import { z } from "zod";
import type { EventView } from "#shared/protocol/api.ts";
import type { RoundEvent, RoundOpened } from "#shared/round/event.ts";
import { logged } from "#shared/round/log.ts";
import type { RunEvent, RunLaunched } from "#shared/round/run-event.ts";
import { type Note, noteSchema, sentenceOf } from "./notes.ts";
import type { StoredEvent, StreamId } from "./ports.ts";

/** What stands in the event column: the fact with its version, and what people read of it. */
const notedSchema = z.object({ note: noteSchema });

export function storedEvent(
  sequence: number,
  at: number,
  fact: RoundOpened | RoundEvent | RunLaunched | RunEvent,
  note: Note | null,
): StoredEvent {
  return { sequence, at, event: { ...logged(fact), note } };
}

/** Null for an event that people are not shown, or whose note nobody can read. */
export function eventView(stream: StreamId, stored: StoredEvent): EventView | null {
  const noted = notedSchema.safeParse(stored.event);
  if (!noted.success) return null;
  const { note } = noted.data;
  return {
    sequence: stored.sequence,
    at: new Date(stored.at).toISOString(),
    roundId: stream.kind === "round" ? (stream.id as EventView["roundId"]) : null,
    kind: note.kind,
    sentence: sentenceOf(note),
    details: note.details,
  };
}
