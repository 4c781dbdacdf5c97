import type { Phase, RoundView } from "#shared/protocol/api.ts";
import { isEndPhase, TIMED_PHASES } from "#shared/round/phases.ts";
import { countsAt } from "../score/geometry.ts";
import { formatCount, formatSeconds, plural } from "./format.ts";
import { PHASE_WORDS } from "./sentences.ts";

/** One step of the round's timeline. */
export interface PhaseCell {
  readonly phase: Phase;
  readonly name: string;
  readonly state: "done" | "current" | "next" | "not reached";
  readonly counts: string;
  readonly time: string;
  /** Fraction of the current phase's time that has passed; null for other phases, or if there is no deadline. */
  readonly elapsedShare: number | null;
}

/** The seven timed phases of a round in order, with their counts. */
export function phaseCells(round: RoundView): PhaseCell[] {
  const over = isEndPhase(round.phase);
  let startS = 0;
  let stopped = false;
  return TIMED_PHASES.map((phase) => {
    const endS = round.phaseEndsS[phase];
    const current = round.phase === phase;
    const beganS = startS;
    if (endS !== undefined) startS = endS;
    const done = endS !== undefined && !stopped;
    if (endS === undefined) stopped = true;
    const state = done ? "done" : current ? "current" : over ? "not reached" : "next";
    return {
      phase,
      name: PHASE_WORDS[phase].name,
      state,
      counts:
        state === "not reached"
          ? "not reached"
          : state === "next"
            ? waitsFor(phase, round)
            : countsIn(phase, round),
      time: done ? formatSeconds((endS ?? 0) - beganS) : current ? soFar(round, beganS) : "",
      elapsedShare: current ? elapsedShare(round, beganS) : null,
    };
  });
}

function soFar(round: RoundView, beganS: number): string {
  const passed = `${formatSeconds(Math.max(0, round.nowS - beganS))} so far`;
  return round.deadlineS === null
    ? passed
    : `${passed}, closes in ${formatSeconds(Math.max(0, round.deadlineS - round.nowS))}`;
}

function elapsedShare(round: RoundView, beganS: number): number | null {
  if (round.deadlineS === null || round.deadlineS <= beganS) return null;
  return Math.min(1, Math.max(0, (round.nowS - beganS) / (round.deadlineS - beganS)));
}

/** Number of devices that left between the end of `before` and the end of `phase`. */
function leftDuring(phase: Phase, before: Phase, round: RoundView): number {
  const beganS = round.phaseEndsS[before];
  if (beganS === undefined) return 0;
  const endS = round.phaseEndsS[phase] ?? round.nowS;
  return Math.max(0, countsAt(round.counts, endS).left - countsAt(round.counts, beganS).left);
}

const andLeft = (count: number): string => (count > 0 ? `, ${formatCount(count)} left` : "");

function countsIn(phase: Phase, round: RoundView): string {
  switch (phase) {
    case "recruiting":
      return round.phase === "recruiting"
        ? `${formatCount(round.joined)} joined, ${formatCount(round.goal)} wanted`
        : `${formatCount(round.joined)} joined`;
    case "training":
      return `${formatCount(round.trained)} trained`;
    case "advertising":
      return round.advertised === null
        ? `${formatCount(round.trained)} of ${formatCount(round.joined)} in`
        : `${formatCount(round.advertised)} in${andLeft(leftDuring("advertising", "training", round))}`;
    case "sharing":
      return round.shared === null
        ? `of ${plural(round.advertised ?? round.trained, "device")}`
        : `${formatCount(round.shared)} in${andLeft((round.advertised ?? round.shared) - round.shared)}`;
    case "collecting": {
      const left = leftDuring("collecting", "sharing", round);
      const toCome = Math.max(0, (round.shared ?? round.sent) - round.sent - left);
      const live = round.phase === "collecting" && toCome > 0 ? `, ${formatCount(toCome)} to come` : "";
      return `${formatCount(round.sent)} in${andLeft(left)}${live}`;
    }
    case "confirming":
      return `${formatCount(round.confirmed)} confirmed`;
    case "unmasking":
      return `shares of ${formatCount(round.unmasked)}`;
    default:
      return "";
  }
}

function waitsFor(phase: Phase, round: RoundView): string {
  if (phase === "collecting" && round.threshold !== null) return `${formatCount(round.threshold)} needed`;
  if (phase === "confirming") {
    return round.threshold === null
      ? "waits for enough to be in"
      : `waits for ${formatCount(round.threshold)} to be in`;
  }
  return phase === "unmasking" ? "once, and only the sum" : "";
}
