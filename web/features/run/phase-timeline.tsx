import type { RoundView } from "#shared/protocol/api.ts";
import { type PhaseCell, phaseCells } from "../../words/phases.ts";

const EDGE = {
  done: "border-ink",
  current: "border-ink max-md:border-l-4 max-md:pl-3",
  next: "border-rule max-md:border-dotted max-md:border-edge",
  "not reached": "border-rule max-md:border-dotted max-md:border-edge",
} as const;

/** The phases of a round with their counts: a row on a wide page, a list on a phone. */
export function PhaseTimeline({ round }: { readonly round: RoundView }) {
  return (
    <ol
      className="mt-6 grid grid-cols-[minmax(0,1fr)] md:grid-cols-4 md:gap-y-5 lg:grid-cols-7"
      aria-label={`Phases of round ${round.round}`}
    >
      {phaseCells(round).map((cell) => (
        <Cell key={cell.phase} cell={cell} />
      ))}
    </ol>
  );
}

function Cell({ cell }: { readonly cell: PhaseCell }) {
  const far = cell.state === "next" || cell.state === "not reached";
  return (
    <li
      aria-current={cell.state === "current" ? "step" : undefined}
      className={`relative grid grid-cols-[7.25rem_minmax(0,1fr)_auto] items-baseline gap-x-2 border-l-2 py-2 pl-3.5 md:mr-3.5 md:grid-cols-[minmax(0,1fr)] md:content-start md:gap-y-0.5 md:border-l-0 md:border-t-2 md:pt-3 md:pb-1 md:pl-0 ${EDGE[cell.state]} ${cell.state === "current" ? "md:border-rule" : ""}`}
    >
      {cell.elapsedShare !== null && <Elapsed share={cell.elapsedShare} />}
      <b className={far ? "font-normal text-ink-2" : "font-semibold"}>{cell.name}</b>
      <span className="mono hidden text-xs text-ink-3 md:block">{cell.phase}</span>
      <span className={far ? "text-sm text-ink-2" : "max-md:text-sm"}>{cell.counts}</span>
      <span className="text-sm text-ink-2 max-md:text-right max-md:text-xs max-md:[li[aria-current]_&]:col-span-2 max-md:[li[aria-current]_&]:col-start-2 max-md:[li[aria-current]_&]:text-left">
        {cell.time}
      </span>
    </li>
  );
}

/** How much of the current phase's time has passed, as the heavy part of its line. */
function Elapsed({ share }: { readonly share: number }) {
  return (
    <svg
      className="absolute -top-[3px] left-0 hidden h-1 w-full md:block"
      viewBox="0 0 100 4"
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <rect width={100 * share} height={4} className="fill-ink" />
    </svg>
  );
}
