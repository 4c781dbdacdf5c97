import { expect, test } from "vitest";
import { plant } from "#test/kit/planted.ts";

type Threshold = typeof import("#shared/cohort/threshold.ts");
const file = "shared/cohort/threshold.ts";

test("a planted copy differs from the product only in that place", async () => {
  const planted = await plant([{ file, find: "c + 2, cohortSizeMin", replace: "c + 2, 0" }]);
  try {
    const { thresholds } = await planted.load<Threshold>(file);
    const own = await import("#shared/cohort/threshold.ts");
    expect(thresholds(9, "active", 9).q).toBe(7);
    expect(own.thresholds(9, "active", 9).q).toBe(9);
    const client = await planted.load<typeof import("#shared/secagg/client.ts")>("shared/secagg/client.ts");
    expect(client.advertise).toBeTypeOf("function");
  } finally {
    await planted.remove();
  }
});

test("an edit that matches nowhere, or twice, is a fault", async () => {
  await expect(plant([{ file, find: "no such text", replace: "" }])).rejects.toThrow("0 times");
  await expect(plant([{ file, find: "assert", replace: "" }])).rejects.toThrow("not once");
});
