import { type TextStyle, textRise, textWidth } from "../ui/text-width.ts";

/*
 * Where the words of a picture go, so that none meets another, at every size and without anything moved by hand. Pure;
 * widths come from the typeface's own table.
 */

/** Pixels between words that stand in the same lane. */
export const GAP = 12;
/** Baselines of neighbouring lanes are this far apart. */
export const LANE = 18;
/** Pixels between a line and its word. */
const BESIDE = 5;
const LANES_MAX = 4;

type Side = "start" | "end";

/** A word that wants to stand beside a line, in the lowest lane. */
export interface LaneLabel {
  readonly text: string;
  readonly style: TextStyle;
  readonly className: string;
  /** Position of its line. */
  readonly x: number;
  /** The side on which the word starts or ends at its line. */
  readonly side: Side;
  /** True if its line goes through the lanes in any case. */
  readonly tall?: boolean;
  /** True if it stands in the lowest lane or nowhere. */
  readonly optional?: boolean;
  /** The bar that rises to the word. */
  readonly barAtS?: number;
}

export interface PlacedLabel extends LaneLabel {
  readonly lane: number;
  /** Where the text starts or ends. */
  readonly textX: number;
  readonly anchor: Side;
}

interface Taken {
  readonly from: number;
  readonly to: number;
  readonly lane: number;
}

/**
 * Places words in lanes above a picture, in the order given. Each takes the first place with `GAP` to everything placed
 * before: its own side of its line, the other side, then one lane up. The line of a word that climbs may not cross a
 * lower lane within 5 px of a word there. A word without a place is left out.
 *
 * @param taken  What stands in the lowest lane already.
 */
export function placeInLanes(
  labels: readonly LaneLabel[],
  span: { readonly from: number; readonly to: number },
  taken: Omit<Taken, "lane">,
): PlacedLabel[] {
  const occupied: Taken[] = [{ ...taken, lane: 0 }];
  const placed: PlacedLabel[] = [];
  for (const label of labels) {
    const place = firstPlace(label, span, occupied);
    if (place === null) continue;
    placed.push({ ...label, lane: place.lane, anchor: place.anchor, textX: place.textX });
    occupied.push(...takenBy(label, place));
  }
  return placed;
}

interface Place extends Taken {
  readonly anchor: Side;
  readonly textX: number;
}

function firstPlace(
  label: LaneLabel,
  span: { readonly from: number; readonly to: number },
  occupied: readonly Taken[],
): Place | null {
  const isFree = (from: number, to: number, lane: number, gap: number) =>
    occupied.every((other) => other.lane !== lane || from >= other.to + gap || to <= other.from - gap);
  const lineIsFree = (lane: number) =>
    lanesOfLine(label, lane).every((crossed) =>
      isFree(label.x - 1, label.x + 1, crossed, crossed === lane ? 2 : 5),
    );
  const sides: readonly Side[] = label.side === "start" ? ["start", "end"] : ["end", "start"];
  for (let lane = 0; lane < (label.optional ? 1 : LANES_MAX); lane += 1) {
    for (const anchor of sides) {
      const place = placeBeside(label, anchor, lane);
      const fits = place.from >= span.from && place.to <= span.to;
      if (fits && isFree(place.from, place.to, lane, GAP) && lineIsFree(lane)) return place;
    }
  }
  return null;
}

function placeBeside(label: LaneLabel, anchor: Side, lane: number): Place {
  const width = textWidth(label.text, label.style);
  const textX = anchor === "start" ? label.x + BESIDE : label.x - BESIDE;
  const from = anchor === "start" ? textX : textX - width;
  return { from, to: from + width, lane, anchor, textX };
}

/** The lanes that the line of a word in `lane` goes through. */
function lanesOfLine({ tall = false }: LaneLabel, lane: number): readonly number[] {
  return Array.from({ length: lane + (tall ? 1 : 0) }, (_, crossed) => crossed);
}

function takenBy(label: LaneLabel, place: Place): readonly Taken[] {
  const line = lanesOfLine(label, place.lane).map((lane) => ({ from: label.x - 1, to: label.x + 1, lane }));
  return [place, ...line];
}

/** True if two texts overlap; each is given where it starts on its baseline. */
export function meet(one: TextAt, other: TextAt): boolean {
  const [a, b] = [spanOf(one), spanOf(other)];
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

export interface TextAt {
  readonly text: string;
  readonly style: TextStyle;
  readonly x: number;
  readonly y: number;
  readonly anchor?: "middle" | "end" | undefined;
}

function spanOf({ text, style, x, y, anchor }: TextAt) {
  const width = textWidth(text, style);
  const left = anchor === "end" ? x - width : anchor === "middle" ? x - width / 2 : x;
  const { above, below } = textRise(style);
  return { left, right: left + width, top: y - above, bottom: y + below };
}

/**
 * Moves the words of a column apart so that they are at least `gap` pixels from each other, within `from` and `to`, as
 * near to where they want to be as their order allows.
 *
 * @returns The items in the order of their place, each with `placedY`.
 */
export function inColumn<Item extends { readonly y: number }>(
  items: readonly Item[],
  [from, to]: readonly [number, number],
  gap = 16,
): (Item & { readonly placedY: number })[] {
  const sorted = items.toSorted((a, b) => a.y - b.y);
  const places = sorted.map(({ y }) => y);
  let least = from;
  for (const [index, y] of places.entries()) {
    places[index] = Math.max(y, least);
    least = (places[index] ?? 0) + gap;
  }
  let most = to;
  for (let index = places.length - 1; index >= 0; index -= 1) {
    places[index] = Math.min(places[index] ?? 0, most);
    most = (places[index] ?? 0) - gap;
  }
  return sorted.map((item, index) => ({ ...item, placedY: places[index] ?? item.y }));
}
