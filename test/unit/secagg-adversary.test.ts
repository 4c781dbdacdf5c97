import { describe, expect, test } from "vitest";
import { ATTACKS } from "#test/kit/adversary/attacks.ts";
import { isWorth, World } from "#test/kit/adversary/attack.ts";
import { plant } from "#test/kit/planted.ts";
import { engineOf, PRODUCT } from "#test/kit/secagg-engine.ts";

describe.each(ATTACKS)("$name", ({ run, stoppedBy, without }) => {
  test("gains nothing", async () => {
    const world = new World(PRODUCT);
    expect(await isWorth(await run(world))).toBe(false);
    expect(world.codes).toContain(stoppedBy);
  });

  test("succeeds without the counter-measure (positive control)", async () => {
    const planted = await plant(without);
    try {
      const world = new World(await engineOf(planted));
      const loot = await run(world);
      expect({ worth: await isWorth(loot), codes: world.codes }).toMatchObject({ worth: true });
    } finally {
      await planted.remove();
    }
  });
});
