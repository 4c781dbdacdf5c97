import type { EventView, Phase, RoundView, RunView, TaskView } from "#shared/protocol/api.ts";
import type { Measure } from "#shared/stats/measure.ts";
import type { ScoreRound } from "../score/geometry.ts";
import { endingOf, endSentence, givenUp, isOver, whoEnded } from "./endings.ts";
import {
  capitalise,
  countInWords,
  formatCount,
  formatDecimal,
  formatDuration,
  formatFigure,
  plural,
} from "./format.ts";
import { compareHeadlines, headlineFigure, headlineWords } from "./measures.ts";
import { curveOf, newestFigures } from "./run-curve.ts";
import {
  allDone,
  betweenSentence,
  committedWords,
  evaluatedModel,
  evaluatingSentence,
  missingFigures,
  queueSentence,
  roundModel,
  waitingSentence,
} from "./waiting.ts";

/*
 * The sentences of the pages: plain, short, exact. Pure functions of the API's answers. They use the product's words,
 * not the field's: masked update, left, opened, given up. They never make up a number that is not known.
 */

type Noun = { readonly one: string; readonly many: string };

export const EMPTY_RUNS = "No runs yet. Launch one, or try the digits demo: about a minute.";
export const NOTHING_YET =
  "No runs yet, and no task to run. The demo makes both in about a minute; a task of your own takes about ten.";
/** What a task without differential privacy says about itself (P). */
export const NO_NOISE =
  "This task adds no noise. A device is hidden by the others in the sum, not by mathematics.";

/** A run as people call it: "digits, run 3". */
export function runName(run: Pick<RunView, "task" | "number">): string {
  return `${run.task}, run ${run.number}`;
}

const isGoing = ({ state }: RunView): boolean =>
  state === "running" || state === "stopping" || state === "evaluating";

/** The run that ended last; null if none has. */
export function lastEnded(runs: readonly RunView[]): RunView | null {
  return runs.filter(isOver).toSorted((a, b) => (b.endedAt ?? "").localeCompare(a.endedAt ?? ""))[0] ?? null;
}

/** The state of all runs, in one sentence. @param taskCount  Null if it is not known. */
export function homeSentence(runs: readonly RunView[], taskCount: number | null = null): string {
  if (runs.length === 0) return taskCount === 0 ? NOTHING_YET : EMPTY_RUNS;
  const going = runs.filter(isGoing);
  const waiting = runs.filter((run) => run.state === "waiting").length;
  const paused = runs.filter((run) => run.state === "paused").length;
  const queued = runs.filter((run) => run.state === "queued").length;
  const moving = going.length;
  const parts = [
    moving > 0 && `${countInWords(moving)} ${moving === 1 ? "run is" : "runs are"} active`,
    waiting > 0 && `${countInWords(waiting)} ${waiting === 1 ? "waits" : "wait"} for devices`,
    paused > 0 && `${countInWords(paused)} ${paused === 1 ? "is" : "are"} paused`,
    queued > 0 && `${countInWords(queued)} ${queued === 1 ? "is" : "are"} queued`,
  ].filter((part) => part !== false);
  if (parts.length === 0) {
    const last = lastEnded(runs);
    return last === null ? "No run is active." : `No run is active. ${endedSentence(last)}`;
  }
  const [first = "", ...rest] = parts;
  const head = moving > 0 ? first : withNoun(first);
  return `${capitalise([head, ...rest].join(", "))}.`;
}

/** "one waits" becomes "one run waits", if no earlier part names the runs. */
function withNoun(part: string): string {
  const [count = "", ...rest] = part.split(" ");
  return `${count} ${count === "one" ? "run" : "runs"} ${rest.join(" ")}`;
}

function endedSentence(run: RunView): string {
  const last = newestFigures(run);
  const known = headlineFigure(last?.measures ?? null);
  const figure = known === null ? "" : ` at ${known}`;
  const name = capitalise(runName(run));
  if (run.state === "completed" && run.roundsCommitted >= run.roundsPlanned)
    return `${name} finished${figure}.`;
  return `${name} ended with ${committedWords(run)}${figure === "" ? "" : `,${figure}`}.`;
}

/** A run in one sentence, by its newest round; for lists: "Round 15 is collecting: 36 are in, 39 are needed." */
export function roundLine(run: RunView): string {
  if (isOver(run)) return endedSentence(run);
  if (run.state === "queued") return queueSentence(run);
  if (run.state === "waiting") return waitingSentence(run);
  if (run.state === "evaluating") return evaluatingSentence(run);
  if (run.state === "paused") return `Paused, ${committedWords(run)}.`;
  const round = run.currentRound;
  if (round === null) return betweenSentence(run);
  const name = `Round ${round.round}`;
  switch (round.phase) {
    case "recruiting":
      return `${name} gathers devices: ${plural(round.joined, "has", "have")} joined, ${formatCount(round.goal)} are wanted.`;
    case "training":
      return `${name} is training on ${plural(round.joined, "device")}.`;
    case "advertising":
    case "sharing":
      return `${name} agrees on keys: ${plural(round.advertised ?? round.trained, "device has", "devices have")} trained.`;
    case "collecting":
      return round.threshold === null
        ? `${name} is collecting: ${formatCount(round.sent)} are in.`
        : `${name} is collecting: ${formatCount(round.sent)} are in, ${formatCount(round.threshold)} are needed.`;
    case "confirming":
      return `${name} is closed: ${plural(round.sent, "masked update is", "masked updates are")} in, ${formatCount(round.confirmed)} confirmed.`;
    case "unmasking":
      return `${name} is being opened: one sum of ${formatCount(round.survivors ?? round.sent)}.`;
    case "committed":
      return `${name} is done: ${formatCount(round.survivors ?? round.sent)} voices, one sum.`;
    case "voided":
    case "failed":
      return givenUp(round, run.endedBy);
  }
}

/** "version 15 is right for 68.1 % of drawings it has never seen" */
function versionSentence(round: RoundView, noun: Noun): string {
  const words = headlineWords(round.measures, noun.many);
  return words === null
    ? `${roundModel(round)} is published, ${missingFigures(round)}`
    : `${roundModel(round)} ${words}`;
}

/** The state of a run: the sentence that opens its page. */
export function runSentence(run: RunView, noun: Noun): string {
  const round = run.currentRound;
  const last = newestFigures(run);
  const words = headlineWords(last?.measures ?? null, noun.many);
  const right = last === null || words === null ? "" : ` ${capitalise(evaluatedModel(last.round))} ${words}.`;
  if (run.state === "queued") return queueSentence(run);
  if (run.state === "waiting") return waitingSentence(run);
  if (run.state === "evaluating") return `${evaluatingSentence(run)}${right}`;
  if (run.state === "completed") {
    return run.roundsCommitted >= run.roundsPlanned
      ? `${allDone(run)}${right}`
      : `Stopped, ${committedWords(run)}.${right}`;
  }
  if (run.state === "failed") {
    const why = endSentence(run);
    return `The run ended, ${committedWords(run)}.${why === null ? "" : ` ${why}`}${right}`;
  }
  if (run.state === "paused")
    return `Paused, ${committedWords(run)}. Nothing is sent until someone resumes it.${right}`;
  if (round === null) return `${betweenSentence(run)}${right}`;
  const more = (round.threshold ?? 0) - round.sent;
  const name = `Round ${round.round}`;
  switch (round.phase) {
    case "collecting": {
      const tail =
        round.threshold === null
          ? ""
          : more > 0
            ? ` ${capitalise(countInWords(more))} more ${more === 1 ? "is" : "are"} needed to open the sum.`
            : " That is enough to open the sum. Nothing has been opened yet.";
      return `${name} is collecting. ${capitalise(plural(round.sent, "masked update is", "masked updates are"))} in.${tail}`;
    }
    case "training":
      return `${name} is training. ${plural(round.joined - round.left, "device is", "devices are")} at work; nothing has left them yet.`;
    case "committed":
      return `Round ${round.round} is done. ${formatCount(round.survivors ?? round.sent)} voices, one sum: ${versionSentence(round, noun)}.`;
    default:
      return roundLine(run);
  }
}

/** "3 devices are asked last: they, or others at their address, left at least 3 rounds ..." Null if there are none. */
export function askedLastSentence(round: Pick<RoundView, "askedLast"> | null): string | null {
  const last = round?.askedLast;
  if (last === undefined) return null;
  const who = plural(last.devices, "device is", "devices are");
  return `${capitalise(who)} asked last: they, or others at their address, left at least ${plural(last.departures, "round")} in the last ${formatCount(last.minutes)} minutes. They are asked only if places remain. Each round that they complete cancels one that they left.`;
}

/** The state of a round: the sentence that opens its page. @param endedBy  Who ended its run. */
export function roundSentence(round: RoundView, noun: Noun, endedBy?: string | null): string {
  if (round.phase === "committed") {
    return `${formatCount(round.survivors ?? round.sent)} voices, one sum: ${versionSentence(round, noun)}.`;
  }
  if (round.phase === "voided" || round.phase === "failed") return givenUp(round, endedBy);
  return `This round is ${PHASE_WORDS[round.phase].doing}. Nothing has been opened.`;
}

/** A score in one sentence, for people who cannot see it. @param endedBy  Who ended its run. */
export function scoreSentence(round: ScoreRound, endedBy?: string | null): string {
  const counts = `${plural(round.joined, "device")} joined, ${formatCount(round.trained)} trained, ${formatCount(round.sent)} sent a masked update, ${formatCount(round.left)} left`;
  const name = `Round ${round.round} after ${formatCount(round.nowS)} seconds: ${counts}`;
  if (round.phase === "committed")
    return `${name}; the sum of ${formatCount(round.survivors ?? round.sent)} was opened.`;
  if (round.phase === "failed" && round.code === "ABORTED_BY_OPERATOR")
    return `${name}; not opened, ${whoEnded(endedBy)} ended it.`;
  if (round.phase === "failed") return `${name}; given up, never opened.`;
  if (round.phase === "voided")
    return `${name}; given up, ${round.opened ? "the sum was discarded" : "never opened"}.`;
  return round.threshold === null
    ? `${name}; keys come first.`
    : `${name}; ${formatCount(round.threshold)} are needed to open the sum.`;
}

/** The product's name of each phase; the pages show the field's word beside it in a monospaced font. */
export const PHASE_WORDS: Record<Phase, { readonly name: string; readonly doing: string }> = {
  recruiting: { name: "Join", doing: "gathering devices" },
  training: { name: "Train", doing: "training" },
  advertising: { name: "Agree on keys", doing: "agreeing on keys" },
  sharing: { name: "Share keys", doing: "sharing keys" },
  collecting: { name: "Send", doing: "collecting" },
  confirming: { name: "Confirm", doing: "confirming the list" },
  unmasking: { name: "Open the sum", doing: "being opened" },
  committed: { name: "Done", doing: "done" },
  voided: { name: "Discarded", doing: "given up" },
  failed: { name: "Given up", doing: "given up" },
};

/** The state of a run, in a few words beside its mark. */
export function runStatus(run: RunView): string {
  if (isOver(run)) return endingOf(run).words;
  if (run.state === "queued") return "queued";
  if (run.state === "waiting") return "waiting for devices";
  const committed = committedWords(run);
  if (run.state === "paused") return `paused, ${committed}`;
  if (run.state === "stopping") return "stops after this round";
  if (run.state === "evaluating") return "evaluating";
  const left = run.secondsLeft === null ? "" : `, about ${formatDuration(run.secondsLeft)} left`;
  if (run.pausing) return `running, ${committed}, pauses after this round`;
  return `running, ${committed}${left}`;
}

/** Why a run makes no progress, for lists: the first sentence of its notice. Null if it has none. */
export function noticeLine({ notice }: Pick<RunView, "notice">): string | null {
  return notice?.message.match(/^.*?\.(?= |$)/s)?.[0] ?? notice?.message ?? null;
}

/** The note beside a run's buttons: why one is off, or what it does in this state. Null if the buttons are clear. */
export function actionsNote({ state }: Pick<RunView, "state">): string | null {
  switch (state) {
    case "queued":
      return "It has not begun, so there is nothing to pause. Stopping it takes it out of the queue.";
    case "evaluating":
      return "Its rounds are over, so there is nothing to pause. Stopping it only skips the figures that are still missing.";
    case "stopping":
      return "The run stops as soon as its round allows.";
    default:
      return null;
  }
}

/** Compares the newest version with the one before. If their intervals overlap, it is too close to tell. */
export function newestAgainstBefore(run: RunView): string | null {
  const [before, newest] = curveOf(run).points.slice(-2);
  if (before === undefined || newest === undefined) return null;
  const version = evaluatedModel(newest.round);
  const other = before.round === 0 ? "the untrained model" : `that of round ${before.round}`;
  const said = compareHeadlines(newest.measures, before.measures);
  if (said === null) return null;
  return said === "too close to tell"
    ? `${version} and ${other}: too close to tell`
    : `${version} is ${said} than ${other}`;
}

/** Fewer than ten devices hide little in a sum; the page says so. */
export function fewWarning(deviceCount: number): string | null {
  if (deviceCount >= 10) return null;
  return `${plural(deviceCount, "device")}: too few to hide anyone, for trying out only.`;
}

/** What people bring to a task, in a few words. */
export function broughtBy(task: TaskView["task"]): string {
  const { features, exampleNoun } = task;
  if (features.kind === "image") return `${exampleNoun.many}, ${features.height} × ${features.width}`;
  if (features.kind === "series") {
    const { length, channels } = features;
    return `${exampleNoun.many}, ${plural(length, "step")} of ${plural(channels.length, "channel")}`;
  }
  return `CSV, ${features.columns.length + 1} columns`;
}

/** "Accuracy rose from 0.507 to 0.679 plus or minus 0.008 over 14 rounds." */
export function trendSentence(name: string, history: readonly Omit<Measure, "count">[]): string {
  const first = history[0];
  const last = history.at(-1);
  if (first === undefined || last === undefined) return `${name}: no figures.`;
  const rounds = plural(history.length - 1, "round");
  const gap = last.value - first.value;
  const words = (value: number) =>
    last.unit === undefined ? formatDecimal(value) : formatFigure(value, last.value);
  const verb =
    words(first.value) === words(last.value) || Math.abs(gap) < 0.0005 ? "stayed" : gap > 0 ? "rose" : "fell";
  const from = verb === "stayed" ? "" : ` from ${words(first.value)}`;
  const unit = last.unit === undefined ? "" : ` ${last.unit}`;
  return `${name} ${verb}${from} ${verb === "stayed" ? "at" : "to"} ${words(last.value)} plus or minus ${words(last.halfWidth95)}${unit} over ${rounds}.`;
}

/** What still holds after the connection was lost. */
export function offlineSentence(sinceUtc: string): string {
  return `No connection since ${sinceUtc}. Figures date from then.`;
}

/** A run and each of its rounds number their events separately. */
export function eventKey({ roundId, sequence }: Pick<EventView, "roundId" | "sequence">): string {
  return `${roundId ?? "run"}-${sequence}`;
}

/** Newest first, without duplicates. */
export function mergeEvents(old: readonly EventView[], more: readonly EventView[]): EventView[] {
  const byKey = new Map([...more, ...old].map((event) => [eventKey(event), event]));
  // The sort is stable: among events of one instant, later arrivals stay first.
  return [...byKey.values()].toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at));
}
