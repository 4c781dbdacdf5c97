import { assert } from "../kernel/assert.ts";
import type { ParticipationPattern } from "./matrix.ts";

/**
 * Squared L2 sensitivity of the binary tree over `steps` leaves: the most that the squared numbers of participations below
 * each node can add up to. A node exists if its whole span lies within the steps.
 *
 * Source: Kairouz et al. 2021, arXiv:2103.00039, appendix D.
 */
export function treeSensitivitySquared({
  steps,
  participationMax,
  separation,
}: ParticipationPattern): number {
  assert(steps >= 1 && participationMax >= 1 && separation >= 1, "a pattern has steps and participations");
  const block = blocks(separation);
  // The largest complete trees, from the left: 7 steps are trees of 4, 2 and 1.
  let states = new Map<number, Outcomes>([[0, new Map([[0, 0]])]]);
  for (let level = Math.floor(Math.log2(steps)); level >= 0; level--) {
    if ((Math.floor(steps / 2 ** level) & 1) === 0) continue;
    const next = new Map<number, Outcomes>();
    for (const [used, outcomes] of states) {
      for (const [value, wait] of outcomes) {
        for (let count = 0; used + count <= participationMax; count++) {
          for (const [more, left] of block(level, wait, count)) {
            const into = next.get(used + count) ?? new Map<number, number>();
            keepEarliest(into, value + more, left);
            next.set(used + count, into);
          }
        }
      }
    }
    states = next;
  }
  return Math.max(...[...states.values()].flatMap((outcomes) => [...outcomes.keys()]));
}

/** For each sum that can be had, the fewest leaves that one must wait after the block. */
type Outcomes = Map<number, number>;

/** Outcomes of a complete block of 2^level leaves, with `count` participations, none in its first `wait` leaves. */
function blocks(separation: number): (level: number, wait: number, count: number) => Outcomes {
  const known = new Map<string, Outcomes>();
  return function block(level, wait, count) {
    const size = 2 ** level;
    if (count === 0) return new Map([[0, Math.max(0, wait - size)]]);
    if (wait + (count - 1) * separation >= size) return new Map();
    if (level === 0) return new Map([[1, separation - 1]]);
    const key = `${level} ${wait} ${count}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const outcomes: Outcomes = new Map();
    for (let onLeft = 0; onLeft <= count; onLeft++) {
      for (const [left, between] of block(level - 1, wait, onLeft)) {
        for (const [right, after] of block(level - 1, between, count - onLeft)) {
          keepEarliest(outcomes, left + right + count * count, after);
        }
      }
    }
    known.set(key, outcomes);
    return outcomes;
  };
}

function keepEarliest(outcomes: Outcomes, value: number, wait: number): void {
  outcomes.set(value, Math.min(wait, outcomes.get(value) ?? Number.POSITIVE_INFINITY));
}
