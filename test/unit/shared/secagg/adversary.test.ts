import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { isWorth, World } from "#test/kit/adversary/attack.ts";
import { ATTACKS, OPEN_ATTACKS } from "#test/kit/adversary/attacks.ts";
import { type Edit, type Planted, plant } from "#test/kit/planted.ts";
import { type Engine, engineOf, PRODUCT } from "#test/kit/secagg-engine.ts";

/** Several attacks may be stopped by the same lines. */
const copies = new Map<string, { readonly planted: Planted; readonly engine: Engine }>();

async function engineWithout(edits: readonly Edit[]): Promise<Engine> {
  const key = JSON.stringify(edits);
  const planted = copies.get(key)?.planted ?? (await plant(edits));
  const engine = copies.get(key)?.engine ?? (await engineOf(planted));
  copies.set(key, { planted, engine });
  return engine;
}

afterAll(() => Promise.all([...copies.values()].map(({ planted }) => planted.remove())));

// Not `describe.each`, which truncates long names.
for (const { name, run, stoppedBy, without } of ATTACKS) {
  describe(name, () => {
    test("gains nothing", async () => {
      const world = new World(PRODUCT);
      expect(await isWorth(await run(world))).toBe(false);
      if (stoppedBy === null) expect(world.codes).toEqual([]);
      else expect(world.codes).toContain(stoppedBy);
    });

    test("succeeds without the counter-measure (positive control)", async () => {
      const world = new World(await engineWithout(without));
      const loot = await run(world);
      expect({ worth: await isWorth(loot), codes: world.codes }).toMatchObject({ worth: true });
    });
  });
}

for (const { name, run, answer } of OPEN_ATTACKS) {
  describe(name, () => {
    test("succeeds by design, and is handled elsewhere", async () => {
      expect(answer.length).toBeGreaterThan(20);
      expect(await isWorth(await run(new World(PRODUCT)))).toBe(true);
    });
  });
}

/** Rules that no script of messages attacks, and the tests that cover them instead. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  S11: "secrets.test.ts",
  S12: "secrets.test.ts",
  S14: "secrets.test.ts",
};

test("each of S1 to S15 is attacked, or tested elsewhere by its ID", () => {
  const attacked = new Set(ATTACKS.flatMap(({ name }) => name.match(/S\d+/g) ?? []));
  for (let number = 1; number <= 15; number++) {
    const id = `S${number}`;
    const file = ELSEWHERE[id];
    expect({ id, isAttacked: attacked.has(id) }).toEqual({ id, isAttacked: file === undefined });
    if (file === undefined) continue;
    expect(readFileSync(new URL(file, import.meta.url), "utf8")).toMatch(`test("[${id}]`);
  }
});

test("no two attacks have the same name, and each names the section of the protocol that it attacks", () => {
  const all = [...ATTACKS, ...OPEN_ATTACKS];
  expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
  for (const { section } of all) expect(section).toMatch(/^\d+( [A-Z0-9]+)?$/);
});
