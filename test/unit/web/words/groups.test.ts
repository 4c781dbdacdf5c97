import { expect, test } from "vitest";
import { groupState, groupsSentence } from "#web/words/groups.ts";

const group = (shard: number, leftOut: "U3_BELOW_T" | "BELOW_T" | "SENTINEL" | null = null) => ({
  shard,
  sid: null,
  advertised: 96,
  shared: 90,
  survivors: leftOut === null ? 88 : null,
  threshold: 65,
  leftOut,
});

test("[R23] a split round says how many groups are in it and whether the others were opened", () => {
  expect(groupsSentence([group(0), group(1)], "committed")).toBe("2 groups; all of them are in the round.");
  expect(groupsSentence([group(0), group(1, "U3_BELOW_T")], "committed")).toBe(
    "2 groups; 1 is left out and never opened. The round's sum is that of the others.",
  );
  expect(groupsSentence([group(0), group(1, "U3_BELOW_T"), group(2, "SENTINEL")], "committed")).toBe(
    "3 groups; 1 is left out and never opened, the sum of 1 was opened and discarded. The round's sum is that of the others.",
  );
});

test("[R23] it says if too few of the requested shares came, and mentions a sum only if there is one", () => {
  expect(groupsSentence([group(0), group(1, "BELOW_T")], "committed")).toBe(
    "2 groups; too few shares came to open 1. The round's sum is that of the others.",
  );
  expect(groupsSentence([group(0), group(1, "U3_BELOW_T")], "collecting")).toBe(
    "2 groups; 1 is left out and never opened. The round goes on with the others.",
  );
  for (const phase of ["voided", "failed"] as const)
    expect(groupsSentence([group(0), group(1, "U3_BELOW_T")], phase)).toBe(
      "2 groups; 1 is left out and never opened. The round ended without a sum.",
    );
});

test("a group that is left out says why", () => {
  expect(groupState(group(0))).toBe("in the round");
  expect(groupState(group(0, "U3_BELOW_T"))).toBe("left out: too few masked updates");
  expect(groupState(group(0, "SENTINEL"))).toBe("left out: its sum did not check (SENTINEL)");
});
