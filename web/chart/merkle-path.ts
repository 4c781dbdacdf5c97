import { type PathStep, pathSteps } from "#shared/audit/path.ts";
import { entriesRange, formatEntries } from "../words/audit-path.ts";

/*
 * How an entry's fingerprint is joined with others, step by step, until one stands for the whole log. Drawn downwards: the
 * path in the middle, what it is joined with at its side. Pure.
 */

export interface PathDrawing {
  readonly height: number;
  /** Where the path stands, and where its words begin. */
  readonly x: number;
  readonly textX: number;
  readonly joints: readonly PathJoint[];
  /** Centres of the nodes on the path, from the entry to the root. */
  readonly nodesY: readonly number[];
}

export interface PathJoint extends PathStep {
  /** The joined fingerprint's own place. */
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  readonly width: number;
  /** The curve into the path. */
  readonly d: string;
  /** The stretch of the path above the joint, and its width: what it covers so far. */
  readonly stretch: { readonly fromY: number; readonly toY: number; readonly width: number };
  readonly text: string;
  readonly note: string;
  readonly textY: number;
}

const TOP = 14;
const STEP = 60;
const LAST_EXTRA = 14;
const BOTTOM = 26;
const NARROW_PX = 400;

/** Widths grow with the logarithm of how many entries a line stands for. */
const strokeOf = (count: number): number => 1.2 + 0.62 * Math.log2(count);
const round1 = (value: number): number => Math.round(10 * value) / 10;

/** Lays the path out in a box of `width` pixels. */
export function layOutPath(index: number, size: number, width: number): PathDrawing {
  const isNarrow = width < NARROW_PX;
  const [x, textX, reach] = isNarrow ? [36, 80, 22] : [62, 132, 40];
  const steps = pathSteps(index, size);
  const nodesY = [TOP];
  let covered = 1;
  const joints = steps.map((step, at): PathJoint => {
    const count = step.to - step.from;
    const fromY = TOP + at * STEP;
    const toY = fromY + STEP + (at === steps.length - 1 ? LAST_EXTRA : 0);
    const [sideX, y] = [x + (step.side === "left" ? -reach : reach), fromY + 27];
    const joint = {
      ...step,
      x: sideX,
      y,
      radius: round1(Math.max(2.6, 0.75 * strokeOf(count))),
      width: round1(strokeOf(count)),
      d: `M${sideX} ${y + 2}C${sideX} ${toY - 4} ${x} ${toY - 18} ${x} ${toY}`,
      stretch: { fromY, toY, width: round1(strokeOf(covered)) },
      text: `with ${entriesRange(step.from, step.to)}`,
      note: formatEntries(count),
      textY: y + 4,
    };
    covered += count;
    nodesY.push(toY);
    return joint;
  });
  return { height: (nodesY.at(-1) ?? TOP) + BOTTOM, x, textX, joints, nodesY };
}
