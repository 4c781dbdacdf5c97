"use client";
import { useAddress } from "../../ui/use-address.ts";

/** Curves that a chart can tell apart. */
const CHOSEN_MAX = 6;

/** The runs that are ticked, at most six, in the order in which they were; they stand in the address. */
export function useChosen(): {
  readonly chosen: readonly string[];
  readonly isFull: boolean;
  readonly toggle: (runId: string) => void;
  readonly clear: () => void;
} {
  const [text, write] = useAddress("chosen");
  const named = text === null ? [] : text.split(",").filter((one) => /^[0-9a-f]{32}$/.test(one));
  const chosen = [...new Set(named)].slice(0, CHOSEN_MAX);
  const toggle = (runId: string) => {
    const next = chosen.includes(runId) ? chosen.filter((one) => one !== runId) : [...chosen, runId];
    write(next.length === 0 ? null : next.slice(0, CHOSEN_MAX).join(","));
  };
  return { chosen, isFull: chosen.length === CHOSEN_MAX, toggle, clear: () => write(null) };
}
