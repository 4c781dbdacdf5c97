import type { ReactNode } from "react";

/**
 * done: checked or finished. noted: done on this device, where nothing was summed. running: voices are becoming a sum. waiting: not yet. given-up: ended by itself, unopened.
 * stopped: a person ended it. alarm: needs attention. unknown: nobody can check.
 */
export type StatusKind =
  | "done"
  | "noted"
  | "running"
  | "waiting"
  | "given-up"
  | "stopped"
  | "alarm"
  | "refused"
  | "unknown";

const MARKS: Record<StatusKind, ReactNode> = {
  done: (
    <>
      <circle cx="6.5" cy="6.5" r="6.5" className="fill-sum" />
      <path d="M3.6 6.8l2 2 3.8-4.4" className="fill-none stroke-on-sum" strokeWidth="1.5" />
    </>
  ),
  noted: (
    <>
      <circle cx="6.5" cy="6.5" r="5.75" className="fill-none stroke-ink-2" strokeWidth="1.4" />
      <path d="M3.8 6.8l1.9 1.9 3.6-4.1" className="fill-none stroke-ink-2" strokeWidth="1.5" />
    </>
  ),
  running: (
    <>
      <path
        d="M0 2.5C4 2.5 5 6.5 8 6.5M0 6.5h8M0 10.5C4 10.5 5 6.5 8 6.5"
        className="fill-none stroke-ink-3"
        strokeWidth="1.2"
      />
      <path d="M8 6.5h5" className="stroke-sum" strokeWidth="3" />
    </>
  ),
  waiting: (
    <circle
      cx="6.5"
      cy="6.5"
      r="5.75"
      className="fill-none stroke-ink-3"
      strokeWidth="1.5"
      strokeDasharray="2.2 1.6"
    />
  ),
  "given-up": (
    <>
      <circle cx="6.5" cy="6.5" r="4.5" className="fill-none stroke-stop" strokeWidth="1.6" />
      <path d="M1 12L12 1" className="stroke-stop" strokeWidth="1.6" />
    </>
  ),
  stopped: <rect x="2" y="2" width="9" height="9" className="fill-none stroke-stop" strokeWidth="1.6" />,
  alarm: (
    <>
      <path d="M6.5 1l5.8 10.5H.7z" className="fill-none stroke-stop" strokeWidth="1.4" />
      <path d="M6.5 5v3" className="stroke-stop" strokeWidth="1.4" />
      <circle cx="6.5" cy="9.7" r=".8" className="fill-stop" />
    </>
  ),
  refused: (
    <>
      <circle cx="6.5" cy="6.5" r="5.75" className="fill-none stroke-stop" strokeWidth="1.5" />
      <path d="M4.2 4.2l4.6 4.6M8.8 4.2L4.2 8.8" className="stroke-stop" strokeWidth="1.5" />
    </>
  ),
  unknown: (
    <>
      <circle cx="6.5" cy="6.5" r="5.75" className="fill-none stroke-ink-3" strokeWidth="1.5" />
      <path d="M3.8 6.5h5.4" className="stroke-ink-3" strokeWidth="1.5" />
    </>
  ),
};

/** A state as a shape and a word, never only as a colour. */
export function StatusMark({ kind, children }: { readonly kind: StatusKind; readonly children: ReactNode }) {
  return (
    <span className="status">
      <svg viewBox="0 0 13 13" aria-hidden="true">
        {MARKS[kind]}
      </svg>
      <span>{children}</span>
    </span>
  );
}
