import type { TrialView } from "#client/index.ts";
import { type NumberTarget, targetOf } from "#shared/task/target.ts";
import type { Task } from "#shared/task/task.ts";
import { formatCount, formatDecimal, formatFigure, formatMeasure, plural } from "./format.ts";
import { balanced, numberJudged, sum } from "./workshop-trial.ts";

/* The charts of a trial, as data: a figure that people understand, and the loss, each beside guessing. */

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
  readonly yFromZero?: boolean;
  readonly height: number;
}

const HEIGHT = 210;

/** Balanced accuracy over the passes; for a number how far off it is, in the label's unit. */
export function trialChart(view: TrialView, task: Task): Chart {
  const target = targetOf(task.features);
  if (target.kind === "number") return errorChart(view, task, target);
  const points = view.points.flatMap(({ pass, confusion }) => {
    const judged = confusion === null ? null : balanced(confusion);
    return judged === null ? [] : [{ x: pass, y: judged.value, halfWidth: judged.halfWidth }];
  });
  const guess = 1 / target.classes.length;
  const last = points.at(-1);
  const said = last === undefined ? "" : `${formatDecimal(last.y)} ± ${formatDecimal(last.halfWidth)}`;
  return {
    ...frameOf(view, "Balanced accuracy", "balanced accuracy", points, said),
    note: `Mean of the share found in each class, on ${formatCount(view.keptCount)} rows kept back. Band: 95\u00a0% interval.`,
    label:
      last === undefined
        ? "Balanced accuracy; no pass has ended yet."
        : `Balanced accuracy is ${said} after ${plural(last.x, "pass", "passes")}; guessing gives ${formatDecimal(guess)}.`,
    fileName: `trial-${task.slug}-accuracy`,
    references: [{ y: guess, label: `${formatDecimal(guess)} guessing` }],
    yMost: 1,
  };
}

/** The mean error on the rows kept back, beside always saying their mean. */
function errorChart(view: TrialView, task: Task, target: NumberTarget): Chart {
  const judged = view.points.flatMap((point) => {
    const one = numberJudged(point, view, target);
    return one === null ? [] : [{ pass: point.pass, ...one }];
  });
  const points = judged.map(({ pass, off }) => ({ x: pass, y: off.value, halfWidth: off.halfWidth95 }));
  const last = judged.at(-1);
  const { unit } = target;
  const guess = last === undefined ? "" : formatFigure(last.guess, last.off.value);
  return {
    ...frameOf(view, "How far off it is", unit, points, last === undefined ? "" : formatMeasure(last.off)),
    note: `Mean error on ${formatCount(view.keptCount)} rows kept back, in ${unit}; lower is better. Band: 95\u00a0% interval.`,
    label:
      last === undefined
        ? "How far off it is; no pass has ended yet."
        : `It is off by ${formatMeasure(last.off)} on average after ${plural(last.pass, "pass", "passes")}; always saying the mean is off by ${guess} ${unit}.`,
    fileName: `trial-${task.slug}-error`,
    references: last === undefined ? [] : [{ y: last.guess, label: `${guess} the mean` }],
    yFromZero: true,
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
  const points = view.points
    .map(({ pass, kept }) => ({ x: pass, y: kept.lossSum / kept.count }))
    .filter(({ y }) => Number.isFinite(y));
  const last = points.at(-1);
  const said = last === undefined ? "" : formatDecimal(last.y);
  const beside = entropy === null ? "" : `; guessing gives ${formatDecimal(entropy)}`;
  return {
    ...frameOf(view, "Loss", "loss", points, said),
    note: `On the rows kept back, ${unit}; lower is better.`,
    label:
      last === undefined
        ? "Loss; no pass has ended yet."
        : `Loss is ${said} after ${plural(last.x, "pass", "passes")}${beside}.`,
    fileName: `trial-${task.slug}-loss`,
    references: entropy === null ? [] : [{ y: entropy, label: `${formatDecimal(entropy)} guessing` }],
  };
}

/** What all charts of a trial share. @param said  Beside the last point. */
function frameOf(
  view: TrialView,
  title: string,
  yTitle: string,
  points: Chart["series"][number]["points"],
  said: string,
): Pick<Chart, "title" | "xTitle" | "yTitle" | "x" | "series" | "height"> {
  const labels = said === "" ? [] : [said];
  return {
    title,
    xTitle: "pass",
    yTitle,
    x: [0, view.passes],
    series: [{ name: title.toLowerCase(), colour: "ink", shape: "line", points, labels }],
    height: HEIGHT,
  };
}
