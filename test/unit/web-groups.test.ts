import { expect, test } from "vitest";
import { groupState, groupsSentence } from "#web/lib/groups.ts";

const group = (shard: number, leftOut: "U3_BELOW_T" | "SENTINEL" | null = null) => ({
  shard,
  sid: null,
  advertised: 96,
  shared: 90,
  survivors: leftOut === null ? 88 : null,
  threshold: 65,
  leftOut,
});

test("a split round says how many groups are in it and whether the others were opened", () => {
  expect(groupsSentence([group(0), group(1)])).toBe("2 groups; all of them are in the round.");
  expect(groupsSentence([group(0), group(1, "U3_BELOW_T")])).toBe(
    "2 groups; 1 is left out and never opened. The round's sum is of the others.",
  );
  expect(groupsSentence([group(0), group(1, "U3_BELOW_T"), group(2, "SENTINEL")])).toBe(
    "3 groups; 1 is left out and never opened, the sum of 1 was opened and discarded. The round's sum is of the others.",
  );
});

test("a group that is left out says why", () => {
  expect(groupState(group(0))).toBe("in the round");
  expect(groupState(group(0, "U3_BELOW_T"))).toBe("left out: too few masked updates");
  expect(groupState(group(0, "SENTINEL"))).toBe("left out: its sum did not check (SENTINEL)");
});
