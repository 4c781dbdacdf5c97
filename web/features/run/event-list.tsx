"use client";
import Link from "next/link";
import type { EventView } from "#shared/protocol/api.ts";
import { ShowAll } from "../../ui/show-all.tsx";
import { EmptyNote } from "../../ui/states.tsx";
import { formatTimeUtc } from "../../words/format.ts";
import { eventKey } from "../../words/sentences.ts";

const SHOWN_FIRST = 12;

interface EventListProps {
  readonly events: readonly EventView[];
  /** Whether an event links to the page of its round. */
  readonly linkRounds?: boolean;
}

/** What happened, a sentence each, newest first. */
export function EventList({ events, linkRounds = false }: EventListProps) {
  if (events.length === 0) return <EmptyNote>Nothing has happened yet.</EmptyNote>;
  return (
    <ShowAll items={events} first={SHOWN_FIRST}>
      {(shown) => (
        <ol>
          {shown.map((event) => (
            <li
              key={eventKey(event)}
              className="grid grid-cols-[minmax(0,1fr)_auto] gap-x-5 gap-y-1 border-b border-rule py-2.5 first:pt-0 md:grid-cols-[5.5rem_minmax(0,1fr)_auto]"
            >
              <time dateTime={event.at} className="pt-0.5 text-sm text-ink-3">
                {formatTimeUtc(event.at)}
              </time>
              <p className="max-md:col-span-2 max-md:row-start-2">{event.sentence}</p>
              {linkRounds && event.roundId !== null && (
                <Link
                  href={`/rounds/${event.roundId}`}
                  className="text-sm"
                  aria-label={`The round of: ${event.sentence}`}
                >
                  round
                </Link>
              )}
            </li>
          ))}
        </ol>
      )}
    </ShowAll>
  );
}
