import { assert, present } from "../kernel/assert.ts";
import type { Features } from "./features.ts";
import type { Scaled } from "./scaling.ts";

/*
 * What a task's model answers. Pages, measures and engines follow it, so that none of them looks into the features itself.
 */

/** The model puts a row into one of two or more classes. Labels of a dataset are indices of `classes`. */
export interface ClassTarget {
  readonly kind: "classes";
  readonly classes: readonly string[];
}

/** The model gives a number. Labels of a dataset are in `unit`. */
export interface NumberTarget extends Scaled {
  readonly kind: "number";
  /** Column of the label. */
  readonly name: string;
  /** Name of the number for people, e.g. "hourly earnings". The column's name if the task gives none. */
  readonly title: string;
  /** e.g. "dollars an hour". */
  readonly unit: string;
}

export type Target = ClassTarget | NumberTarget;

/** What a task's model answers, whatever kind of rows it takes. */
export function targetOf(features: Features): Target {
  if (features.classes !== undefined) return { kind: "classes", classes: features.classes };
  assert(features.kind !== "image", "pictures have classes");
  const { name, title = name, unit, range, scaling } = features.label;
  return {
    kind: "number",
    name,
    title,
    unit: present(unit, "a number has a unit"),
    range: present(range, "a number has a range"),
    ...(scaling !== undefined && { scaling }),
  };
}

/** The classes of a task's labels; none if they are numbers. */
export function classesOf(features: Features): readonly string[] {
  return features.classes ?? [];
}

/** The column of a row's label. Pictures in a CSV have theirs in `label`. */
export function labelName(features: Features): string {
  return features.kind === "image" ? "label" : features.label.name;
}

/** Groups that numbers are counted in: tenths of the label's range. */
const NUMBER_GROUPS = 10;

/** How many groups the labels of a task fall into: its classes, or tenths of a number's range. */
export function groupCountOf(target: Target): number {
  return target.kind === "classes" ? target.classes.length : NUMBER_GROUPS;
}

/** The group of a label. */
export function groupOf(target: Target, label: number): number {
  if (target.kind === "classes") return label;
  const [from, to] = target.range;
  const group = Math.floor((NUMBER_GROUPS * (label - from)) / (to - from));
  return Math.max(0, Math.min(NUMBER_GROUPS - 1, group));
}

/** Rows of each group. */
export function countByGroup(target: Target, labels: ArrayLike<number>): number[] {
  const counts = Array.from({ length: groupCountOf(target) }, () => 0);
  for (let row = 0; row < labels.length; row++) {
    const group = groupOf(target, labels[row] as number);
    counts[group] = (counts[group] ?? 0) + 1;
  }
  return counts;
}
