import type { RandomBytes } from "#shared/kernel/ports.ts";

/* Names for runs that come without one. */

const QUALITIES = [
  "calm",
  "bright",
  "brave",
  "quiet",
  "swift",
  "gentle",
  "keen",
  "merry",
  "bold",
  "fair",
  "wise",
  "warm",
  "proud",
  "lively",
  "clear",
  "steady",
];
const SINGERS = [
  "lark",
  "wren",
  "thrush",
  "robin",
  "finch",
  "warbler",
  "linnet",
  "oriole",
  "siskin",
  "bulbul",
  "cuckoo",
  "pipit",
  "dunnock",
  "serin",
  "dipper",
  "starling",
];

/** Such as "calm-lark-217". */
export function randomRunName(random: RandomBytes): string {
  const [first = 0, second = 0, third = 0, fourth = 0] = random(4);
  return `${QUALITIES[first % QUALITIES.length]}-${SINGERS[second % SINGERS.length]}-${(third * 256 + fourth) % 1_000}`;
}
