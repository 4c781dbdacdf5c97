"use client";
import { type FormEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { Button } from "../../ui/button.tsx";
import { LogEntry } from "../../ui/log-entry.tsx";
import { type Act, ActStates } from "../doors/use-act.tsx";

/*
 * Acts that ask before they are done. A link opens a question, with the entry that the log will keep beside it; one
 * question is open in a section at a time.
 */

export interface Deeds {
  /** Under the section's table, after an act. */
  readonly said: string;
  isOpen(row: string, what: string): boolean;
  toggle(row: string, what: string): void;
  /** @param said  What was done; nothing if one kept things as they are. */
  close(said?: string): void;
  linkId(row: string, what: string): string;
}

/** @param sectionId  Id of the section's heading, which takes the focus if the link is gone after the act. */
export function useDeeds(sectionId: string): Deeds {
  const [open, setOpen] = useState<{ readonly row: string; readonly what: string } | null>(null);
  const [said, setSaid] = useState("");
  const linkId = (row: string, what: string) => `${sectionId}-${row}-${what}`;
  const isOpen = (row: string, what: string) => open?.row === row && open.what === what;
  return {
    said,
    isOpen,
    linkId,
    toggle: (row, what) => {
      setSaid("");
      setOpen(isOpen(row, what) ? null : { row, what });
    },
    close: (done = "") => {
      const id = open === null ? sectionId : linkId(open.row, open.what);
      setOpen(null);
      setSaid(done);
      requestAnimationFrame(() =>
        (document.getElementById(id) ?? document.getElementById(sectionId))?.focus(),
      );
    },
  };
}

interface DeedLinkProps {
  readonly deeds: Deeds;
  readonly row: string;
  readonly what: string;
  /** Whose row it is, for a screen reader: "Revoke… Clinic North". */
  readonly about?: string;
  readonly children: string;
}

/** Opens and closes a question about one row. */
export function DeedLink({ deeds, row, what, about, children }: DeedLinkProps) {
  return (
    <button
      type="button"
      id={deeds.linkId(row, what)}
      className="link underline"
      aria-expanded={deeds.isOpen(row, what)}
      onClick={() => deeds.toggle(row, what)}
    >
      {children}
      {about !== undefined && <span className="sr-only"> {about}</span>}
    </button>
  );
}

/** What is asked and what the log will keep: two columns from 1025 px. */
export const TWO_SIDES = "grid gap-x-11 gap-y-4 lg:grid-cols-[minmax(0,6fr)_minmax(0,5fr)]";

interface DeedProps {
  /** What the act asks for; buttons follow. */
  readonly children?: ReactNode;
  readonly entries: readonly string[];
  /** What else it means, under the entry. */
  readonly note?: ReactNode;
  readonly act: Pick<Act<never>, "isPending" | "states">;
  readonly doLabel: string;
  readonly onDo: () => void;
  readonly keepLabel?: string;
  readonly onKeep: () => void;
  /** The act ends or deletes something. */
  readonly stops?: boolean;
  /** Where the page has columns of its own, the entry stands below. */
  readonly narrow?: boolean;
}

/** A question before an act: at the left what is asked, at the right the entry that the log will keep. */
export function Deed(props: DeedProps) {
  const { children, entries, note, act, doLabel, onDo, keepLabel = "Leave as it is", onKeep } = props;
  const { stops = false, narrow = false } = props;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onDo();
  };
  const box = useRef<HTMLElement>(null);
  // The link or button that opened it may be gone.
  useEffect(() => box.current?.focus(), []);
  return (
    <section ref={box} tabIndex={-1} aria-label={doLabel} className={narrow ? "grid gap-4" : TWO_SIDES}>
      <div className="grid content-start gap-4">
        <form className="grid gap-4" onSubmit={submit} noValidate>
          {children}
          <div className="flex flex-wrap gap-3">
            <Button
              type="submit"
              kind={stops ? "stop" : "main"}
              disabled={act.isPending || entries.length === 0}
              className="max-md:flex-1"
            >
              {doLabel}
            </Button>
            <Button onClick={onKeep} className="max-md:flex-1">
              {keepLabel}
            </Button>
          </div>
        </form>
        <ActStates {...act.states} />
      </div>
      <LogEntry sentences={entries}>{note}</LogEntry>
    </section>
  );
}

/** What was done, in words, where one is looking. Takes no room while there is nothing to say. */
export function Said({ deeds }: { readonly deeds: Deeds }) {
  return <output className="note empty:absolute">{deeds.said}</output>;
}
