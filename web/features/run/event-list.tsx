"use client";
import Link from "next/link";
import type { EventView } from "#shared/protocol/api.ts";
import { useOlderEvents } from "../../data/queries.ts";
import { ShowMore, useShownCount } from "../../ui/show-more.tsx";
import { EmptyNote } from "../../ui/states.tsx";
import { formatTimeUtc } from "../../words/format.ts";
import { eventKey, mergeEvents } from "../../words/sentences.ts";

const SHOWN_FIRST = 12;

interface EventListProps {
  readonly events: readonly EventView[];
  /** Where the coordinator's list goes on after `events`; null if these are all. */
  readonly next?: { readonly runId: string; readonly cursor: string } | null;
  /** True if events link to the pages of their rounds. */
  readonly linkRounds?: boolean;
}

/** Events, one sentence each, newest first. */
export function EventList({ events, next = null, linkRounds = false }: EventListProps) {
  const [count, onMore] = useShownCount("events", SHOWN_FIRST);
  const older = useOlderEvents(next?.runId ?? "", next?.cursor ?? null, count - events.length);
  const items = mergeEvents(older.data?.items ?? [], events);
  const end = older.data === undefined ? next?.cursor : older.data.next;
  if (items.length === 0) return <EmptyNote>Nothing has happened yet.</EmptyNote>;
  return (
    <ShowMore
      items={items}
      count={count}
      onMore={onMore}
      hasOlder={end != null}
      isFetching={older.isFetching}
    >
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
    </ShowMore>
  );
}
