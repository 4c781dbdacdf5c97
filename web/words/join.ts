import type {
  ConsentView,
  OutcomeView,
  OwnRound,
  ParticipantView,
  Stage,
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

export { CONSENT_TITLES, type ConsentWords, consentText, consentWords } from "#shared/model/consent-words.ts";

/*
 * The words of the participant's page. Every number in a sentence about consent and privacy comes from the task's
 * config, never from the number of devices in a round.
 */

/** A connection counts as lost after this time. */
export const LOST_AFTER_MS = 3_000;

/** The sentence under the page's title. */
export function leadSentence(slice: TaskSlice): string {
  return `Your ${slice.task.exampleNoun.many} stay in this browser. What leaves is one list of numbers, masked so that nobody can read it alone. The masks cancel only once it is added to at least ${plural(slice.othersMin, "other")}; what remains is the sum.`;
}

export function consentNote(consent: ConsentView): string {
  return `Version ${consent.version}, agreed on ${formatInstant(consent.agreedAt)}. Kept on this device.`;
}

/** Before the agreement, and again if what was agreed to is no longer the task's version. */
export function askNote(consent: Pick<ConsentView, "version"> | null, version: number): string {
  if (consent === null) return "Nothing is sent before you agree.";
  return `You agreed to version ${consent.version}. The task now has version ${version}: read it and agree again, or leave it.`;
}

export const formatInstant = (unixMs: number): string => formatInstantUtc(new Date(unixMs).toISOString());
export const formatTime = (unixMs: number): string => formatTimeUtc(new Date(unixMs).toISOString());

/** What the page knows besides the view; Unix milliseconds. */
export interface Moment {
  /** Short gaps in the connection are not mentioned. */
  readonly now: number;
  /** When the tab was last hidden; null if it never was. */
  readonly hiddenAt: number | null;
}

export interface StateLine {
  readonly title: string;
  readonly detail: string;
  /** For the bar at the bottom on a phone. */
  readonly short: string;
  /** Progress of each part, 0 to 1; null if it cannot be measured. */
  readonly progress: { readonly label: string; readonly parts: readonly number[] } | null;
}

/** The part of a run's view that these sentences need. */
export interface SeenRun extends Pick<RunView, "waiting"> {
  /** none: no run of the task is open. */
  readonly state: RunView["state"] | "none";
}

/**
 * The current state, for the line under the title.
 *
 * @param run     The run, if the page knows about it.
 * @param moment  What the page knows besides.
 */
export function stateLine(view: ParticipantView, run: SeenRun | null, moment: Moment): StateLine {
  const { stage, connection, task, data, budget } = view;
  const { many } = task.task.exampleNoun;
  const takesPart = stage === "connecting" || stage === "waiting" || stage === "in-round";
  if (takesPart && isLost(connection, moment.now)) {
    return quiet(
      `No connection since ${formatTime(connection.since)} UTC`,
      `${lostDetail(view)} Figures date from then.`,
      "No connection",
    );
  }
  if (task.archivedAt !== null && !takesPart) return archivedLine(task, data.count);
  switch (stage) {
    case "consent":
      return quiet(
        "You have not agreed to anything yet",
        "Read part 1. Nothing is sent before you agree.",
        "Not taking part",
      );
    case "data":
      return quiet(
        `Next: your ${many}`,
        `Add a few in part 2. They stay in this browser; nothing is sent.`,
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
        "This device identifies itself to the coordinator. None of your data is sent.",
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

/** No new version has taken the task up again, else the page would show that. */
function archivedLine({ archivedAt, task }: TaskSlice, count: number): StateLine {
  const kept =
    count === 0
      ? ""
      : ` Your ${task.exampleNoun.many} and receipts stay in this browser until you delete them.`;
  return quiet(
    "This task is archived",
    `It takes no devices since ${formatInstant(archivedAt ?? 0)}. Nothing is sent, and its models stay.${kept}`,
    "Archived",
  );
}

/** What goes on without a connection. */
function lostDetail({ stage, round }: ParticipantView): string {
  if (stage !== "in-round" || round === null) return "Until it is back, no round can invite this device.";
  if (round.step === "training") return "Training goes on here; nothing is sent.";
  return `Round ${round.round} goes on without this device unless the connection is back in time.`;
}

/** A gap that ends at once is not mentioned. Silence has already lasted for some seconds, and the browser knows its network. */
function isLost({ state, since }: ParticipantView["connection"], now: number): boolean {
  return state === "silent" || state === "cut" || (state !== "online" && now - since > LOST_AFTER_MS);
}

const quiet = (title: string, detail: string, short: string): StateLine => ({
  title,
  detail,
  short,
  progress: null,
});

/** Beside the button that starts, under the data. @param many  What the examples are called: "drawings". */
export function takesPartWords(stage: Stage, many: string): string {
  switch (stage) {
    case "consent":
    case "data":
    case "ready":
      return "Nothing is sent until you start.";
    case "locked":
      return "Another tab of this browser takes part.";
    case "paused":
      return "Paused. Nothing is sent until you go on.";
    case "left":
      return "You have left. Nothing more is sent.";
    case "connecting":
    case "waiting":
    case "in-round":
    case "mending":
      return `You take part with these ${many}.`;
  }
}

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

function downloadWords(download: OwnRound["download"]): string {
  if (download === null) return NOTHING_LEFT;
  const again = download.tries > 1 ? ` The download stopped; this is try ${download.tries}.` : "";
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
        round.attempt > 1
          ? "The round starts over under fresh keys, with the same update."
          : "Its public keys are out, its update is not. It waits until the others have trained.",
        "Trained, waiting",
      );
    case "shared":
      return quiet(
        `${head}: keys are being agreed on`,
        `With ${plural((round.rosterSize ?? 1) - 1, "other device")}. They make the masks; the update itself stays here.`,
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

/** Between rounds: how the last one ended, and what this device waits for. */
function waitingLine(view: ParticipantView, run: SeenRun | null, moment: Moment): StateLine {
  if (run?.state === "waiting" && (run.waiting == null || run.waiting.ready < run.waiting.needed))
    return quiet(
      "Too few devices are here yet",
      `${waitingSentence(run)} Until then this device has nothing to do; it stays checked in while this page is open.`,
      "Waiting for devices",
    );
  // A run that is evaluating has no more rounds.
  const evaluating = run?.state === "evaluating";
  const none = run?.state === "none";
  const over = none || evaluating || run?.state === "completed" || run?.state === "failed";
  const paused = run?.state === "paused";
  const title = over ? "Waiting for the next run" : "Waiting for the next round";
  const next = none
    ? "No run of this task is open. This device has checked in and is invited once someone launches one."
    : evaluating
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

function lastOutcome(round: OwnRound, view: ParticipantView, moment: Moment): string | null {
  const { outcome } = round;
  if (outcome === null) return null;
  const lost = engineLossSentence(round.round, outcome, view.engine);
  if (lost !== null) return lost;
  if (outcome.kind !== "committed") return lossSentence(round, outcome, moment);
  return `Round ${round.round}: you were one of ${formatCount(outcome.survivorCount)} voices in one sum.`;
}

/** If the round was lost because the tab was hidden, say so: the person can change that. */
function lossSentence(
  round: OwnRound,
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

function endedLine(round: OwnRound, head: string, moment: Moment): StateLine {
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

/** One part for each pass; a single part if there are more than ten. */
function trainingProgress(training: TrainingView | null): StateLine["progress"] {
  if (training === null || training.stepCount === 0) return null;
  const done = training.step / training.stepCount;
  const partCount = training.epochCount > 10 ? 1 : training.epochCount;
  const parts = Array.from({ length: partCount }, (_, part) =>
    Math.min(1, Math.max(0, done * partCount - part)),
  );
  return { label: "Training", parts };
}
