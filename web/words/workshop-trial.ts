import type { TrialPoint, TrialView } from "#client/index.ts";
import { targetOf } from "#shared/task/target.ts";
import type { Task } from "#shared/task/task.ts";
import { formatCount, formatDecimal, formatSeconds, plural } from "./format.ts";

/* What a trial on the sample shows: how well the model does on rows that it did not see, beside guessing. */

/** 97.5 % quantile of the standard normal distribution. */
const Z95 = 1.959963984540054;

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
function balanced(confusion: NonNullable<TrialPoint["confusion"]>): Judged | null {
  const classes = confusion
    .map((row, index) => ({ hits: row[index] ?? 0, rows: row.reduce((sum, count) => sum + count, 0) }))
    .filter(({ rows }) => rows > 0);
  if (classes.length < 2) return null;
  const recalls = classes.map(({ hits, rows }) => hits / rows);
  const variance = classes.reduce((sum, { rows }, index) => {
    const recall = recalls[index] ?? 0;
    return sum + (recall * (1 - recall)) / rows;
  }, 0);
  const value = recalls.reduce((sum, recall) => sum + recall, 0) / recalls.length;
  return { value, halfWidth: (Z95 * Math.sqrt(variance)) / recalls.length, guess: 1 / recalls.length };
}

/** The sentence above the curves: cases, not shares. */
export function trialSentence(view: TrialView, task: Task): string {
  if (view.problem !== null) return view.problem;
  const point = view.points.at(-1);
  if (point === undefined) return view.state === "stopped" ? "Stopped before the first pass had ended." : "";
  const target = targetOf(task.features);
  if (target.kind === "number") return numberSentence(point, target.unit, task);
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

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

/** How far off the answers are, beside always saying the mean. */
function numberSentence(point: TrialPoint, unit: string, task: Task): string {
  const { kept } = point;
  if (!("errorSquareSum" in kept)) return "";
  const { count, errorSquareSum, labelSum, labelSquareSum } = kept;
  const off = Math.sqrt(errorSquareSum / count);
  const guess = Math.sqrt(Math.max(0, labelSquareSum / count - (labelSum / count) ** 2));
  const said = (value: number) => `${Number(value.toPrecision(3))} ${unit}`;
  const against = off < guess ? "That is better than guessing." : "That is no better than guessing.";
  return `For ${formatCount(count)} ${task.exampleNoun.many} that it did not see it is off by ${said(off)}, as a root of the mean square; always saying their mean is off by ${said(guess)}. ${against}`;
}

interface Chart {
  readonly title: string;
  readonly note: string;
  readonly label: string;
  readonly fileName: string;
  readonly xTitle: string;
  readonly yTitle: string;
  readonly x: readonly [number, number];
  readonly series: readonly {
    readonly name: string;
    readonly colour: "ink";
    readonly shape: "line";
    readonly points: readonly { readonly x: number; readonly y: number; readonly halfWidth?: number }[];
    readonly labels: readonly string[];
  }[];
  readonly references: readonly { readonly y: number; readonly label: string }[];
  readonly yMost?: number;
  readonly height: number;
}

const HEIGHT = 210;

/** Balanced accuracy over the passes; for a number the loss while training, since nothing is right or wrong. */
export function trialChart(view: TrialView, task: Task): Chart {
  const target = targetOf(task.features);
  if (target.kind === "number")
    return lossChart(
      view,
      "Loss while training",
      "On the rows that train, of each pass’s last epoch.",
      (point) => point.trainLoss,
      null,
    );
  const points = view.points.flatMap(({ pass, confusion }) => {
    const judged = confusion === null ? null : balanced(confusion);
    return judged === null ? [] : [{ x: pass, y: judged.value, halfWidth: judged.halfWidth }];
  });
  const guess = 1 / target.classes.length;
  const last = points.at(-1);
  const said = last === undefined ? "" : `${formatDecimal(last.y)} ± ${formatDecimal(last.halfWidth)}`;
  return {
    title: "Balanced accuracy",
    note: `Mean of the share found in each class, on ${formatCount(view.keptCount)} rows kept back. Band: 95 % interval.`,
    label:
      last === undefined
        ? "Balanced accuracy; no pass has ended yet."
        : `Balanced accuracy is ${said} after ${last.x} passes; guessing gives ${formatDecimal(guess)}.`,
    fileName: `trial-${task.slug}-accuracy`,
    xTitle: "pass",
    yTitle: "balanced accuracy",
    x: [0, view.passes],
    series: [
      { name: "balanced accuracy", colour: "ink", shape: "line", points, labels: said === "" ? [] : [said] },
    ],
    references: [{ y: guess, label: `${formatDecimal(guess)} guessing` }],
    yMost: 1,
    height: HEIGHT,
  };
}

/** Loss on the rows kept back, beside what guessing by the classes' shares would lose. */
export function trialLossChart(view: TrialView, task: Task): Chart {
  const shares = view.keptByClass;
  const all = shares === null ? 0 : sum(shares);
  const entropy =
    shares === null || all === 0
      ? null
      : shares.reduce((total, rows) => (rows === 0 ? total : total - (rows / all) * Math.log(rows / all)), 0);
  const unit = targetOf(task.features).kind === "number" ? "in scaled units" : "in nats";
  const note = `On the rows kept back, ${unit}; lower is better.`;
  return lossChart(view, "Loss", note, ({ kept }) => kept.lossSum / kept.count, entropy);
}

function lossChart(
  view: TrialView,
  title: string,
  note: string,
  of: (point: TrialPoint) => number,
  guess: number | null,
): Chart {
  const points = view.points
    .map((point) => ({ x: point.pass, y: of(point) }))
    .filter(({ y }) => Number.isFinite(y));
  const last = points.at(-1);
  const said = last === undefined ? "" : formatDecimal(last.y);
  const beside = guess === null ? "" : `; guessing gives ${formatDecimal(guess)}`;
  return {
    title,
    note,
    label:
      last === undefined
        ? `${title}; no pass has ended yet.`
        : `${title} is ${said} after ${last.x} passes${beside}.`,
    fileName: `trial-${title.toLowerCase().replaceAll(" ", "-")}`,
    xTitle: "pass",
    yTitle: "loss",
    x: [0, view.passes],
    series: [
      { name: title.toLowerCase(), colour: "ink", shape: "line", points, labels: said === "" ? [] : [said] },
    ],
    references: guess === null ? [] : [{ y: guess, label: `${formatDecimal(guess)} guessing` }],
    height: HEIGHT,
  };
}
