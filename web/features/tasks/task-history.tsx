"use client";
import { useTaskHistory } from "../../data/queries.ts";
import { Section } from "../../ui/section.tsx";
import { NamedList } from "../../ui/show-more.tsx";
import { formatWhenUtc } from "../../words/format.ts";
import { QueryGate } from "../shell/query-gate.tsx";

const SHOWN_FIRST = 8;

/** What people decided about a task, newest first. */
export function TaskHistory({ slug }: { readonly slug: string }) {
  const history = useTaskHistory(slug);
  return (
    <Section id="history" title="What was decided" note="Each is an entry in the log.">
      <QueryGate query={history} what="what was decided">
        {({ items }) => (
          <NamedList name="history" items={items} first={SHOWN_FIRST}>
            {(shown) => (
              <ul className="max-w-3xl text-sm">
                {shown.map(({ at, sentence }) => (
                  <li
                    key={`${at} ${sentence}`}
                    className="flex flex-wrap gap-x-6 gap-y-1 border-b border-rule py-2 wrap-anywhere"
                  >
                    <span className="text-ink-3">{formatWhenUtc(at)}</span>
                    <span className="min-w-0 flex-1 basis-72">{sentence}</span>
                  </li>
                ))}
              </ul>
            )}
          </NamedList>
        )}
      </QueryGate>
    </Section>
  );
}
