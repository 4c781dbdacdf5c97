import type { RunView, TaskView } from "#shared/protocol/api.ts";
import { STRATEGY_TITLES, type StrategySpec } from "#shared/strategy/index.ts";
import type { NumberRange, StrategyOption } from "#shared/strategy/options.ts";
import { capitalise, formatBytes, formatCount, formatDuration, plural } from "./format.ts";
import { NO_NOISE } from "./sentences.ts";

/* The launch form's words for its inputs, and for what the run will cost. Pure. */

/** The range of an option, shown when a value is refused: "A number from 0, below 1, such as 0.9." */
export function optionError({ takes, start }: StrategyOption): string {
  return takes.kind === "choice"
    ? `One of ${takes.choices.join(", ")}.`
    : numberError(takes, `, such as ${start}`);
}

/** The range of a number, shown when a value is refused: "A whole number from 1 to 100." */
export function numberError(range: NumberRange, rest = ""): string {
  return `A ${rangeWords(range)}${rest}.`;
}

function rangeWords({ whole, atLeast, above, atMost, below }: NumberRange): string {
  const noun = whole ? "whole number" : "number";
  if (atLeast !== undefined && atMost !== undefined)
    return `${noun} from ${shown(atLeast)} to ${shown(atMost)}`;
  const bounds = [
    atLeast !== undefined && ` from ${shown(atLeast)}`,
    above !== undefined && ` above ${shown(above)}`,
    atMost !== undefined && ` at most ${shown(atMost)}`,
    below !== undefined && ` below ${shown(below)}`,
  ].filter((bound) => bound !== false);
  return `${noun}${bounds.join(",")}`;
}

const shown = (bound: number): string => (Number.isInteger(bound) ? formatCount(bound) : String(bound));

/** The closed line of the form: "The rest of the plan: FedAvg, 2 passes, rate 0.15". */
export function planWords(form: {
  readonly strategy: StrategySpec["kind"];
  readonly epochs: string;
  readonly learningRate: string;
}): string {
  const passes = `${form.epochs} ${form.epochs === "1" ? "pass" : "passes"}`;
  return `The rest of the plan: ${STRATEGY_TITLES[form.strategy]}, ${passes}, rate ${form.learningRate}`;
}

/** A model that a run can begin with: "version 78, run 6, in use". */
export function beginningWords(beginning: {
  readonly version: number;
  readonly runNumber: number;
  readonly isInUse: boolean;
}): string {
  const { version, runNumber, isInUse } = beginning;
  return `version ${formatCount(version)}, run ${formatCount(runNumber)}${isInUse ? ", in use" : ""}`;
}

interface Cost {
  readonly upByteCount: number;
  readonly downByteCount: number;
  readonly measured: boolean;
  readonly secondsPerRound: number | null;
  readonly seconds: number | null;
}

/**
 * What a run costs, in a few sentences.
 *
 * @param cost.measured  True if the bytes are those of a run; false if they are computed, without keys.
 */
export function costSentence(cost: Cost, rounds: number): string {
  const { upByteCount, downByteCount, measured, secondsPerRound, seconds } = cost;
  const keys = measured ? "" : ", and keys on top";
  const bytes = `A device sends ${formatBytes(upByteCount)} a round and fetches ${formatBytes(downByteCount)}${keys}.`;
  const time =
    secondsPerRound === null
      ? " No round of this task has been timed."
      : seconds === null
        ? ""
        : ` ${plural(rounds, "round takes", "rounds take")} about ${formatDuration(seconds)}, at the pace of the newest run.`;
  return `${bytes}${time} ${NO_NOISE}`;
}

/** When the run would begin. @param active  The task's run that is not over. */
export function launchNote(
  { deviceCount, task }: Pick<TaskView, "deviceCount" | "task">,
  active: Pick<RunView, "number" | "task" | "state"> | null,
): string {
  if (active !== null) {
    const doing = active.state === "waiting" ? "waits for devices" : "is going";
    return `Run ${active.number} of ${active.task} ${doing}; this one would wait its turn.`;
  }
  const { cohortSizeMin } = task.aggregation;
  const here = `${plural(deviceCount, "device")} of ${task.slug} ${deviceCount === 1 ? "is" : "are"} connected`;
  return deviceCount >= cohortSizeMin
    ? `${capitalise(here)}. The first round opens as soon as enough of them are ready.`
    : `${capitalise(here)}, and a round needs ${formatCount(cohortSizeMin)}. The run waits until they have come.`;
}

/** What is wrong with a typed whole number; null if nothing is. */
export function wholeProblem(typed: string, atLeast: number, atMost: number): string | null {
  const value = typed.trim() === "" ? Number.NaN : Number(typed);
  const isRight = Number.isInteger(value) && value >= atLeast && value <= atMost;
  return isRight ? null : numberError({ kind: "number", whole: true, atLeast, atMost });
}

/** The number that the task's next run gets; "…" if its newest is not among `runs`. */
export function nextNumber(
  slug: string,
  runs: readonly Pick<RunView, "task" | "number">[],
  hasOlder: boolean,
): number | "…" {
  const numbers = runs.filter(({ task }) => task === slug).map(({ number }) => number);
  if (numbers.length === 0 && hasOlder) return "…";
  return Math.max(0, ...numbers) + 1;
}
