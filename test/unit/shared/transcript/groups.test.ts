import { expect, test } from "vitest";
import { GroupTotals, groupsLine } from "#shared/transcript/check-groups.ts";

test("[A2] sums of one attempt add up, and a sum of another attempt is named", () => {
  const totals = new GroupTotals();
  expect([totals.add(0, 2, 5).ok, totals.add(2, 2, 4).ok, totals.survivorCount]).toEqual([true, true, 9]);
  const other = totals.add(3, 1, 4);
  expect(other.ok ? null : other.error.code).toBe("GROUPS");
});

test("[A2] the groups in a sum and those left out are named if there are several", () => {
  expect(groupsLine(1, [0])).toBeNull();
  expect(groupsLine(3, [0, 1, 2])).toBe("3 of 3 groups are in the sum; left out: none.");
  expect(groupsLine(4, [1])).toBe("1 of 4 groups are in the sum; left out: 0, 2, 3.");
});
