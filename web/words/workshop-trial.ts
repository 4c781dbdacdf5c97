import type { TrialPoint, TrialView } from "#client/index.ts";
import { shareMeasure } from "#shared/stats/intervals.ts";
import type { Measure } from "#shared/stats/measure.ts";
import { meanAbsoluteError } from "#shared/task/measures/mean-absolute-error.ts";
import { type NumberTarget, targetOf } from "#shared/task/target.ts";
import type { Task } from "#shared/task/task.ts";
import { formatCount, formatFigure, formatMeasure, formatSeconds, plural } from "./format.ts";

/* What a trial on the sample shows: how well the model does on rows that it did not see, beside guessing. */

/** Why no trial can begin; null if one can. */
export function trialObstacle(
  rows: "none" | "reading" | "refused" | "read",
  count: number | null,
  hasModel: boolean,
): string | null {
  if (rows === "none") return "A trial needs a sample. Choose one in part 1.";
  if (rows === "reading") return "The sample is being read.";
  if (rows === "refused") return "The sample does not fit the columns of part 2 yet.";
  if ((count ?? 0) < TRIAL_ROWS_MIN) return `A trial needs ${TRIAL_ROWS_MIN} rows or more.`;
  return hasModel ? null : "Columns, model and rules have to fit before they can be tried.";
}
const TRIAL_ROWS_MIN = 10;

/** "Trained on 960 rows of the sample, judged on 240. One pool of rows; in a federation expect somewhat less." */
export function trialNote({ trainCount, keptCount }: TrialView): string {
  return `Trained on ${plural(trainCount, "row")} of the sample, judged on ${formatCount(keptCount)} others. One pool of rows; in a federation expect somewhat less.`;
}

/** Figures stay until there are others, but not as if they were of the draft that one sees. */
export const TRIAL_IS_OLD =
  "What follows is of the draft or the sample before your last change. Try again to see what holds now.";

export function trialProgress({ state, points, passes, msLeft }: TrialView): string {
  if (state === "starting") return "Starting an engine.";
  const left = msLeft === null ? "" : `, about ${formatSeconds(Math.max(0.1, msLeft / 1_000))} left`;
  return `Pass ${Math.min(passes, points.length + 1)} of ${passes}${left}.`;
}

const ENGINES = {
  webgpu: "WebGPU",
  webgl: "WebGL",
  wasm: "WebAssembly",
  cpu: "the processor, slowly",
} as const;

export function trialEnd({ state, points, backend }: TrialView): string {
  const passes = plural(points.length, "pass", "passes");
  const engine = backend === null ? "" : `, with ${ENGINES[backend]}`;
  if (state === "stopped") return `Stopped after ${passes}.`;
  return state === "done" ? `${passes} in this browser${engine}. Nothing was sent.` : "";
}

/** A figure with the half width of its 95 % interval, and what guessing gives. */
interface Judged {
  readonly value: number;
  readonly halfWidth: number;
  readonly guess: number;
}

/** The mean of the classes' recalls, so that a rare class counts as much as a frequent one. */
export function balanced(confusion: NonNullable<TrialPoint["confusion"]>): Judged | null {
  const classes = confusion
    .map((row, index) => ({ hits: row[index] ?? 0, rows: row.reduce((sum, count) => sum + count, 0) }))
    .filter(({ rows }) => rows > 0);
  if (classes.length < 2) return null;
  const recalls = classes.map(({ hits, rows }) => hits / rows);
  // A class of which all rows or none were found still has an interval, by Wilson; the classes are independent.
  const squares = classes.reduce(
    (sum, { hits, rows }) => sum + (shareMeasure(hits, rows)?.halfWidth95 ?? 1) ** 2,
    0,
  );
  const value = recalls.reduce((sum, recall) => sum + recall, 0) / recalls.length;
  return { value, halfWidth: Math.sqrt(squares) / recalls.length, guess: 1 / recalls.length };
}

/** The sentence above the curves: cases, not shares. */
export function trialSentence(view: TrialView, task: Task): string {
  if (view.problem !== null) return view.problem;
  const point = view.points.at(-1);
  if (point === undefined) return view.state === "stopped" ? "Stopped before the first pass had ended." : "";
  const target = targetOf(task.features);
  if (target.kind === "number") return numberSentence(point, view, target, task);
  const { confusion } = point;
  if (confusion === null) return "";
  const judged = balanced(confusion);
  const against = judged === null ? "" : ` ${againstGuessing(judged)}`;
  const many = task.exampleNoun.many;
  if (target.classes.length === 2) {
    const [negatives = [], positives = []] = confusion;
    const [all, none] = [sum(positives), sum(negatives)];
    const positive = target.classes[1] ?? "";
    return `It finds ${formatCount(positives[1] ?? 0)} of the ${formatCount(all)} ${many} that are “${positive}”, and wrongly says so of ${formatCount(negatives[1] ?? 0)} of the ${formatCount(none)} that are not.${against}`;
  }
  const right = confusion.reduce((total, row, index) => total + (row[index] ?? 0), 0);
  const rows = confusion.reduce((total, row) => total + sum(row), 0);
  const most = Math.max(...confusion.map(sum));
  return `It is right for ${formatCount(right)} of ${formatCount(rows)} ${many} that it did not see; always guessing the most frequent class is right for ${formatCount(most)}.${against}`;
}

function againstGuessing({ value, halfWidth, guess }: Judged): string {
  if (value - halfWidth > guess) return "That is better than guessing.";
  return value + halfWidth < guess
    ? "That is worse than guessing."
    : "That is too close to tell from guessing.";
}

export const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

/** How far off a number is on average, in the label's unit, beside always saying the mean of the same rows. */
export interface NumberJudged {
  readonly off: Measure;
  readonly guess: number;
}

/** Null if nothing was kept back. */
export function numberJudged(
  { kept }: Pick<TrialPoint, "kept">,
  { keptDeviation: guess }: Pick<TrialView, "keptDeviation">,
  target: NumberTarget,
): NumberJudged | null {
  const off = meanAbsoluteError.onDevices?.(kept, target) ?? null;
  return off === null || guess === null ? null : { off, guess };
}

function numberSentence(point: TrialPoint, view: TrialView, target: NumberTarget, task: Task): string {
  const judged = numberJudged(point, view, target);
  if (judged === null) return "";
  const { off, guess } = judged;
  const rows = `${formatCount(off.count)} ${task.exampleNoun.many}`;
  // Less is better, so the sides change.
  const against = againstGuessing({ value: -off.value, halfWidth: off.halfWidth95, guess: -guess });
  return `For ${rows} that it did not see it is off by ${formatMeasure(off)} on average; always saying their mean is off by ${formatFigure(guess, off.value)} ${target.unit}. ${against}`;
}
