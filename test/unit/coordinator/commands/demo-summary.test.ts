import { expect, test } from "vitest";
import { summarise } from "#coordinator/commands/demo/follow.ts";
import { roundViewOf, runViewOf } from "#test/kit/web-views.ts";

const openedAt = (seconds: number) => new Date(1_700_000_000_000 + 1_000 * seconds).toISOString();
const rounds = (...seconds: number[]) =>
  seconds.map((at, index) => roundViewOf({ round: index + 1, openedAt: openedAt(at) }));

test.each([
  [[0, 0.7, 1.5, 5], 0.8],
  [[0, 2, 3], 1],
  // In whatever order they arrived.
  [[3, 0, 2], 1],
  [[0, 0.25], 0.25],
  [[0], null],
  [[], null],
])("the demo's last line has the median from one round's opening to the next: %j", (seconds, expected) => {
  expect(summarise(runViewOf({}), rounds(...seconds)).secondsPerRound).toBe(expected);
});
