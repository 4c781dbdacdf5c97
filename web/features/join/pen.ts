import { penSentence } from "../../words/drawing.ts";
import type { PadPoint, Stroke } from "./drawing.ts";

/** The keyboard's pen moves over 17 x 17 positions, two for each square of an 8 x 8 picture. */
export const PEN_STEPS = 16;

/** The pen, moved with arrows and space. `stroke` is the path since the pen was put down; null while it is up. */
export interface Pen {
  readonly column: number;
  readonly row: number;
  readonly stroke: Stroke | null;
}

export const PEN_AT_START: Pen = { column: PEN_STEPS / 2, row: PEN_STEPS / 2, stroke: null };

/** The effect of a key; null if the pad leaves the key to the page. */
export interface PenMove {
  readonly pen: Pen;
  /** The path that this key finished. */
  readonly finished: Stroke | null;
  /** For screen readers. */
  readonly said: string;
}

const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** Arrows move the pen, and draw while it is down. Space puts the pen down or lifts it. */
export function movePen(pen: Pen, key: string): PenMove | null {
  if (key === " ") {
    if (pen.stroke !== null) {
      return { pen: { ...pen, stroke: null }, finished: pen.stroke, said: penSentence("lifted", pen) };
    }
    return { pen: { ...pen, stroke: [pointOf(pen)] }, finished: null, said: penSentence("put down", pen) };
  }
  const arrow = ARROWS[key];
  if (arrow === undefined) return null;
  const moved = { ...pen, column: inside(pen.column + arrow[0]), row: inside(pen.row + arrow[1]) };
  const next: Pen = pen.stroke === null ? moved : { ...moved, stroke: [...pen.stroke, pointOf(moved)] };
  return {
    pen: next,
    finished: null,
    said: penSentence(pen.stroke === null ? "moved" : "drawn", moved),
  };
}

/** The pen's position on the pad. */
export function pointOf(pen: Pick<Pen, "column" | "row">): PadPoint {
  return { x: 0.1 + (0.8 * pen.column) / PEN_STEPS, y: 0.1 + (0.8 * pen.row) / PEN_STEPS };
}

const inside = (place: number): number => Math.min(PEN_STEPS, Math.max(0, place));
