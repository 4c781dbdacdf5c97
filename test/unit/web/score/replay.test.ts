import { expect, test } from "vitest";
import { roundViewOf } from "#test/kit/web-views.ts";
import { replayEndS, roundAt } from "#web/score/replay.ts";

const counts = [
  { atS: 1, joined: 4, trained: 0, sent: 0, left: 0 },
  { atS: 5, joined: 4, trained: 4, sent: 0, left: 0 },
  { atS: 9, joined: 4, trained: 4, sent: 3, left: 1 },
];
const round = roundViewOf({
  phase: "committed",
  nowS: 10,
  counts,
  phaseEndsS: { recruiting: 1, training: 4, advertising: 5, sharing: 6, collecting: 9.2, confirming: 9.6 },
  joined: 4,
  trained: 4,
  sent: 3,
  left: 1,
  shared: 4,
  survivors: 3,
  threshold: 3,
  opened: true,
});

test("a replay ends with the round as it ended, one step after its list closed", () => {
  expect(replayEndS(round)).toBe(11);
  expect(roundAt(round, 11)).toBe(round);
  expect(replayEndS({ phaseEndsS: {}, nowS: 7.2 })).toBe(9);
});

test("before that it shows only what had happened by then, and nothing opened", () => {
  expect(roundAt(round, 0)).toMatchObject({ phase: "recruiting", joined: 0, counts: [], threshold: null });
  const early = roundAt(round, 5);
  expect(early).toMatchObject({ phase: "sharing", trained: 4, sent: 0, shared: null, threshold: 3 });
  expect(early.phaseEndsS).toEqual({ recruiting: 1, training: 4, advertising: 5 });
  expect(roundAt(round, 9)).toMatchObject({ phase: "collecting", sent: 3, survivors: null, opened: false });
  expect(roundAt(round, 10)).toMatchObject({ phase: "unmasking", opened: false, left: 1 });
});
