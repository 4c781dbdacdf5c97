import { expect, test } from "vitest";
import type { HashHex } from "#shared/protocol/ids.ts";
import type { HeldOutSet } from "#shared/task/held-out.ts";
import { USUAL_POINT } from "#shared/task/operating-point.ts";
import { judgingKey } from "#shared/task/settings.ts";

test("what judges versions is told by its rows and the costs of errors", () => {
  const rows = (digit: string) => ({ hash: digit.repeat(64) as HashHex }) as HeldOutSet;
  const keys = [
    judgingKey({ heldOut: null }),
    judgingKey({ heldOut: rows("a") }),
    judgingKey({ heldOut: rows("b") }),
    judgingKey({ heldOut: rows("b"), operatingPoint: { ...USUAL_POINT, missCost: 5 } }),
  ];
  expect(new Set(keys).size).toBe(4);
  expect(judgingKey({ heldOut: rows("a"), operatingPoint: USUAL_POINT })).toBe(keys[1]);
});
