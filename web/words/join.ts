import type {
  ConsentView,
  OutcomeView,
  ParticipantView,
  RoundView,
  TaskSlice,
  TrainingView,
} from "#client/index.ts";
import { unreachable } from "#shared/kernel/assert.ts";
import type { RunView } from "#shared/protocol/api.ts";
import { engineLossSentence, mendingWords, noEngineWords } from "./engine.ts";
import {
  capitalise,
  countInWords,
  formatBytes,
  formatCount,
  formatInstantUtc,
  formatKilobytes,
  formatSeconds,
  formatTimeUtc,
  plural,
} from "./format.ts";
import { waitingSentence } from "./waiting.ts";

/*
 * What the participant's page says. Every number in a sentence about consent and privacy comes from the task's config,
 * never from how many happen to be in a round.
 */

/** Fewer devices than this hide nobody. */
const DEMO_BELOW = 10;

/** A connection that is gone for longer is said to be lost. */
export const LOST_AFTER_MS = 3_000;

export interface ConsentWords {
  readonly paragraph: string;
  /** Unticked box. */
  readonly box: string;
  /** What one should know before agreeing. */
  readonly warnings: readonly string[];
  readonly staysHere: readonly string[];
  readonly leaves: readonly string[];
}

/** @param logged  Whether the coordinator keeps a public log; null while that is not known. */
export function consentWords(slice: TaskSlice, logged: boolean | null): ConsentWords {
  const { task, othersMin } = slice;
  const { one, many } = task.exampleNoun;
  const { goal, cohortSizeMin } = task.aggregation;
  const warnings = ["This task adds no noise. You are hidden by the others in the sum, not by mathematics."];
  if (Math.min(goal, cohortSizeMin) < DEMO_BELOW) {
    warnings.unshift(`Demo: ${plural(goal, "device")}. Too few to hide anyone; for trying out only.`);
  }
  warnings.push(
    "You trust this page to do as it says. It comes from the coordinator; the edge program does not.",
    "What is in a sum cannot be taken out again.",
  );
  if (logged === false) {
    warnings.push("This coordinator keeps no public log, so nobody outside can check what it did.");
  }
  return {
    paragraph: `Your ${many} stay in this browser. What leaves, each round, is one masked list of numbers, which means nothing until it is added to at least ${plural(othersMin, "other")}, and the keys to mask it. The coordinator sees that this browser takes part, and when. What is in a sum cannot be taken out again. You can stop at any time.`,
    box: `I agree that this browser takes part in ${task.slug}, version ${task.version}.`,
    warnings,
    staysHere: [
      `Your ${many} and their labels`,
      "What your device learns from them, in clear",
      `How many ${many} you have, and how well the model does on them`,
    ],
    leaves: [
      `One masked list of ${formatCount(slice.vectorLength)} numbers, ${formatBytes(slice.maskedByteCount)}; your count of ${many} is in it, masked`,
      `Keys and signatures that mask and unmask it, about ${formatBytes(slice.keysByteCountAbout)}`,
      `That this browser took part, and when; no ${one}`,
    ],
  };
}

/** Under the title of the page. */
export function leadSentence(slice: TaskSlice): string {
  return `Your ${slice.task.exampleNoun.many} stay in this browser. What leaves is one list of numbers, masked so that nobody can read it alone. The masks cancel only once it is added to at least ${plural(slice.othersMin, "other")}; what remains is the sum.`;
}

export function consentNote(consent: ConsentView): string {
  return `Version ${consent.version}, agreed on ${formatInstant(consent.agreedAt)}. Kept on this device.`;
}

export const formatInstant = (unixMs: number): string => formatInstantUtc(new Date(unixMs).toISOString());
export const formatTime = (unixMs: number): string => formatTimeUtc(new Date(unixMs).toISOString());

/** What the page knows beside the view; Unix milliseconds. */
export interface Moment {
  /** A connection that comes back at once is not worth a word. */
  readonly now: number;
  /** When the tab was last hidden; null if it never was. */
  readonly hiddenAt: number | null;
}

export interface StateLine {
  readonly title: string;
  readonly detail: string;
  /** For the bar at the bottom of a phone. */
  readonly short: string;
  /** Filled share of each part, 0 to 1; null if nothing can be measured. */
  readonly progress: { readonly label: string; readonly parts: readonly number[] } | null;
}

/** What the page says of the run that everyone sees. */
type SeenRun = Pick<RunView, "state" | "waiting">;

/**
 * How things stand, for the line under the title.
 *
 * @param run  As everyone sees it, if the page knows it.
 * @param moment  What the page knows besides.
 */
export function stateLine(view: ParticipantView, run: SeenRun | null, moment: Moment): StateLine {
  const { stage, connection, task, data, budget } = view;
  const { many } = task.task.exampleNoun;
  const takesPart = stage === "connecting" || stage === "waiting" || stage === "in-round";
  if (takesPart && connection.state !== "online" && moment.now - connection.since > LOST_AFTER_MS) {
    return quiet(
      `No connection since ${formatTime(connection.since)} UTC`,
      "Training goes on here; nothing is sent. Figures date from then.",
      "No connection",
    );
  }
  switch (stage) {
    case "consent":
      return quiet(
        "Nothing is agreed to yet",
        "Read part 1. Nothing is sent before you agree.",
        "Not taking part",
      );
    case "data":
      return quiet(
        `Next: your ${many}`,
        `Bring a few in part 2. They stay in this browser; nothing is sent.`,
        `Needs ${many}`,
      );
    case "ready": {
      const broken = noEngineWords(view.engine);
      if (broken !== null) return quiet(broken.title, broken.detail, "No engine works");
      return quiet(
        "Ready when you are",
        `${capitalise(countedExamples(data, task))} in this browser. Nothing is sent until you start.`,
        "Ready",
      );
    }
    case "mending": {
      const { title, detail } = mendingWords(view);
      return quiet(title, detail, "Trying the next engine");
    }
    case "locked":
      return quiet(
        "Another tab of this browser takes part",
        "One browser counts once. Close the other tab, or go on there.",
        "Another tab takes part",
      );
    case "connecting":
      return quiet(
        "Connecting",
        "This device says hello to the coordinator. Nothing of yours is sent.",
        "Connecting",
      );
    case "waiting":
      if (budget.used >= budget.limit) return budgetSpent(budget.limit);
      return waitingLine(view, run, moment);
    case "in-round":
      return roundLine(view, moment);
    case "paused":
      return quiet("Paused", "Rounds go on without this device. Nothing is sent until you go on.", "Paused");
    case "left":
      return quiet(
        "You have left",
        `Nothing more is sent. Your ${many} and receipts stay in this browser until you delete them.`,
        "Left",
      );
    default:
      return unreachable(stage);
  }
}

const quiet = (title: string, detail: string, short: string): StateLine => ({
  title,
  detail,
  short,
  progress: null,
});

const budgetSpent = (limit: number): StateLine =>
  quiet(
    `This device has taken part ${limit === 1 ? "once" : `${formatCount(limit)} times`}, its own limit`,
    "It refuses further rounds.",
    "Own limit reached",
  );

/** "32 drawings", "1 drawing". */
export function countedExamples(data: Pick<ParticipantView["data"], "count">, slice: TaskSlice): string {
  const { one, many } = slice.task.exampleNoun;
  return plural(data.count, one, many);
}

const NOTHING_LEFT = "Nothing has left this device in this round yet.";

function downloadWords(download: RoundView["download"]): string {
  if (download === null) return NOTHING_LEFT;
  const again = download.tries > 1 ? ` The download stopped on the way; this is try ${download.tries}.` : "";
  return `${amount(download)} are here.${again} ${NOTHING_LEFT}`;
}

function roundLine(view: ParticipantView, moment: Moment): StateLine {
  const { round, task } = view;
  if (round === null)
    return quiet("Waiting for the next round", "This device has checked in.", "Waiting for a round");
  const others = plural(task.othersMin, "other");
  const head = `Round ${round.round}`;
  const { step } = round;
  switch (step) {
    case "downloading":
      return {
        title: `${head}: this device fetches the model`,
        detail: downloadWords(round.download),
        short: "Fetching the model",
        progress: shareOf("Fetching the model", round.download),
      };
    case "training":
      return {
        title: `${head}: this device is training`,
        detail: `${trainingWords(round.training, view)} ${NOTHING_LEFT}`,
        short:
          round.training === null
            ? "Training"
            : `Training, pass ${round.training.epoch} of ${round.training.epochCount}`,
        progress: trainingProgress(round.training),
      };
    case "advertised":
      return quiet(
        `${head}: this device has trained`,
        "Its public keys are out, its update is not. It waits until the others have trained.",
        "Trained, waiting",
      );
    case "shared":
      return quiet(
        `${head}: keys are being agreed on`,
        `With ${plural((round.rosterSize ?? 1) - 1, "other device")}. They make the masks; the update is still here.`,
        "Agreeing on keys",
      );
    case "masking":
      return quiet(`${head}: masks are being added`, "The update itself stays here.", "Adding masks");
    case "uploading":
      return {
        title: `${head}: the masked list leaves`,
        detail: `${round.upload === null ? "" : `${amount(round.upload)} sent. `}It means nothing until it is added to at least ${others}.`,
        short: "Sending the masked list",
        progress: shareOf("Sending the masked list", round.upload),
      };
    case "uploaded":
    case "confirmed":
      return quiet(
        `${head}: your masked list is in`,
        round.inputsNeeded === null
          ? "It waits for the others."
          : `The sum opens only if ${formatCount(round.inputsNeeded)} are in.`,
        "Masked list is in",
      );
    case "opened":
      return quiet(
        `${head}: the sum is being opened`,
        "Only the sum; nobody's part in it.",
        "Opening the sum",
      );
    case "ended":
      return endedLine(round, head, moment);
    default:
      return unreachable(step);
  }
}

/** Between rounds: what became of the last one, and what this device waits for. */
function waitingLine(view: ParticipantView, run: SeenRun | null, moment: Moment): StateLine {
  if (run?.state === "waiting")
    return quiet(
      "Too few devices are here yet",
      `${waitingSentence(run)} Until then nothing is asked of this device; it stays checked in while this page is open.`,
      "Waiting for devices",
    );
  // A run that is evaluating has no more rounds.
  const evaluating = run?.state === "evaluating";
  const over = evaluating || run?.state === "completed" || run?.state === "failed";
  const paused = run?.state === "paused";
  const title = over ? "Waiting for the next run" : "Waiting for the next round";
  const next = evaluating
    ? "The rounds of the last run are over."
    : over
      ? "The last run has ended."
      : paused
        ? "Someone has paused the run."
        : "This device has checked in. A round opens when enough devices have.";
  const last = view.round === null ? null : lastOutcome(view.round, view, moment);
  return quiet(
    title,
    last === null || over || paused ? next : last,
    over ? "Waiting for a run" : "Waiting for a round",
  );
}

function lastOutcome(round: RoundView, view: ParticipantView, moment: Moment): string | null {
  const { outcome } = round;
  if (outcome === null) return null;
  const lost = engineLossSentence(round.round, outcome, view.engine);
  if (lost !== null) return lost;
  if (outcome.kind !== "committed") return lossSentence(round, outcome, moment);
  return `Round ${round.round}: you were one of ${formatCount(outcome.survivorCount)} voices in one sum.`;
}

/** A round lost because the tab was hidden is said so: the person can do something about it. */
function lossSentence(
  round: RoundView,
  outcome: Exclude<OutcomeView, { kind: "committed" }>,
  moment: Moment,
): string {
  const { hiddenAt } = moment;
  const startedAt = Math.min(...Object.values(round.stepsAt));
  const hidden = hiddenAt !== null && hiddenAt >= startedAt && hiddenAt <= outcome.at;
  if (outcome.kind !== "dropped" || outcome.sent || !hidden) return outcome.sentence;
  return "This device lost the round when the tab was hidden. Nothing of yours is in the sum. It may join the next one.";
}

const ENDED_TITLES = {
  dropped: "went on without this device",
  "given-up": "was given up",
  voided: "was discarded",
  "refused-by-device": "was refused by this device",
} as const;

function endedLine(round: RoundView, head: string, moment: Moment): StateLine {
  const { outcome } = round;
  if (outcome === null) {
    return quiet(`${head} has ended`, "This device waits for the next one.", "Waiting for a round");
  }
  if (outcome.kind === "committed") {
    const voices = `one of ${formatCount(outcome.survivorCount)} voices`;
    return quiet(
      `${head}: you were ${voices}`,
      "The sum became the next model. This device waits for the next round.",
      capitalise(voices),
    );
  }
  const words = ENDED_TITLES[outcome.kind];
  return quiet(`${head} ${words}`, lossSentence(round, outcome, moment), `Round ${round.round} ${words}`);
}

type Transfer = { readonly doneByteCount: number; readonly byteCount: number };

const amount = (transfer: Transfer): string =>
  `${formatKilobytes(transfer.doneByteCount)} of ${formatBytes(transfer.byteCount)}`;

function shareOf(label: string, transfer: Transfer | null): StateLine["progress"] {
  if (transfer === null || transfer.byteCount === 0) return null;
  return { label, parts: [Math.min(1, transfer.doneByteCount / transfer.byteCount)] };
}

const ORDINALS = ["First", "Second", "Third", "Fourth", "Fifth", "Sixth"];

/** "Second of three passes over your 32 drawings, about 2 s left." */
export function trainingWords(
  training: TrainingView | null,
  view: Pick<ParticipantView, "data" | "task">,
): string {
  if (training === null) return "It is getting ready.";
  const { epoch, epochCount, secondsLeft } = training;
  const { one, many } = view.task.task.exampleNoun;
  const rows = plural(view.data.count - view.data.localCount, one, many);
  const left =
    secondsLeft === null ? "" : `, about ${formatSeconds(Math.max(1, Math.round(secondsLeft)))} left`;
  const ordinal = ORDINALS[epoch - 1];
  const pass =
    ordinal === undefined || epochCount > ORDINALS.length
      ? `Pass ${epoch} of ${epochCount}`
      : `${ordinal} of ${countInWords(epochCount)} ${epochCount === 1 ? "pass" : "passes"}`;
  return `${pass} over your ${rows}${left}.`;
}

/** One part a pass; more than ten passes are one part. */
function trainingProgress(training: TrainingView | null): StateLine["progress"] {
  if (training === null || training.stepCount === 0) return null;
  const done = training.step / training.stepCount;
  const partCount = training.epochCount > 10 ? 1 : training.epochCount;
  const parts = Array.from({ length: partCount }, (_, part) =>
    Math.min(1, Math.max(0, done * partCount - part)),
  );
  return { label: "Training", parts };
}
