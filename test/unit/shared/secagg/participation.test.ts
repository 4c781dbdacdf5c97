import { describe, expect, test } from "vitest";
import { provesLeftOut } from "#shared/secagg/left-out.ts";
import { mayAdvertise, mayUse, type Remembered } from "#shared/secagg/participation.ts";
import { setOfPositions } from "#shared/secagg/position-sets.ts";
import { setsItem } from "#shared/secagg/signed-items.ts";
import { positionNo } from "#test/kit/places.ts";
import { SecaggCohort } from "#test/kit/worlds/secagg-cohort.ts";

const NOTHING: Remembered = { mark: null, usedBy: null, revealedIn: null };
const wanted = { runId: "run", round: 2, attempt: 2, noised: false };
const code = (result: ReturnType<typeof mayAdvertise>) => (result.ok ? null : result.error);

describe("[S10] what a device remembers decides", () => {
  test.each([
    ["nothing", {}, null, null],
    ["an earlier round", { mark: { round: 1, attempt: 3 } }, null, null],
    ["an earlier attempt", { mark: { round: 2, attempt: 1 } }, null, null],
    ["this attempt", { mark: { round: 2, attempt: 2 } }, "REPLAY", "REPLAY"],
    ["a later attempt", { mark: { round: 2, attempt: 3 } }, "REPLAY", "REPLAY"],
    ["a later round", { mark: { round: 3, attempt: 1 } }, "REPLAY", "REPLAY"],
    ["an input for the model in this run", { usedBy: "run" }, null, null],
    ["an input for the model in another run", { usedBy: "other" }, "REPLAY", null],
    ["shares given for the model", { revealedIn: "sid" }, "ALREADY_REVEALED", null],
    [
      "shares given for the model in this run",
      { revealedIn: "sid", usedBy: "run" },
      "ALREADY_REVEALED",
      null,
    ],
  ] as const)("with %s remembered", (_, change, withoutNoise, withNoise) => {
    const remembered = { ...NOTHING, ...change };
    expect(code(mayAdvertise(remembered, wanted))).toBe(withoutNoise);
    expect(code(mayAdvertise(remembered, { ...wanted, noised: true }))).toBe(withNoise);
    // Before R2 the mark is this attempt's own; the model's history still counts.
    const { mark: _mark, ...ofModel } = remembered;
    const replayed = "mark" in change;
    expect(code(mayUse(ofModel, wanted))).toBe(replayed ? null : withoutNoise);
    expect(code(mayUse(ofModel, { ...wanted, noised: true }))).toBeNull();
  });
});

describe("[S10] a participation is refunded only against t signatures on a U3 without the device", () => {
  /** Seven devices, t = 5; the seventh shared and sent no input. */
  async function confirmed() {
    const cohort = await SecaggCohort.create({
      count: 7,
      vectorLength: 20,
      lastSteps: new Map([[7, "share"]]),
    });
    for (const step of ["advertiseAll", "shareAll", "collectAll", "confirmAll"] as const)
      expect(await cohort[step]()).toBeNull();
    const { confirmations } = cohort.openMessage();
    const proves = (position: number, given: typeof confirmations, sets = cohort.sets) =>
      provesLeftOut(cohort.primitives, cohort.roster, sets, positionNo(position), given);
    return { cohort, confirmations, proves };
  }

  test("proves it for the device that is left out", async () => {
    const { confirmations, proves } = await confirmed();
    expect(confirmations.length).toBeGreaterThanOrEqual(5);
    expect(await proves(7, confirmations)).toBe(true);
  });

  test("proves nothing for a survivor, with fewer than t, with one twice, or with an invalid one", async () => {
    const { confirmations, proves } = await confirmed();
    expect(await proves(3, confirmations)).toBe(false);
    expect(await proves(7, confirmations.slice(0, 4))).toBe(false);
    expect(await proves(7, [...confirmations.slice(0, 4), ...confirmations.slice(3, 4)])).toBe(false);
    const bad = confirmations.map((one, index) =>
      index === 2
        ? { ...one, signature: one.signature.map((byte, at) => (at === 40 ? byte ^ 1 : byte)) }
        : one,
    );
    expect(await proves(7, bad)).toBe(false);
  });

  test("proves nothing if the signatures are on the U3 that contains it, or by the device itself", async () => {
    const { cohort, confirmations, proves } = await confirmed();
    const { roster, primitives } = cohort;
    const withIt = await setOfPositions(primitives, roster, [
      positionNo(1),
      positionNo(2),
      positionNo(3),
      positionNo(4),
      positionNo(5),
      positionNo(6),
      positionNo(7),
    ]);
    const other = { u2: cohort.sets.u2, u3: withIt };
    const item = setsItem(roster.sid, other.u2.hash, other.u3.hash);
    const signed = await Promise.all(
      confirmations.map(async (one) => ({
        ...one,
        signature: await cohort.device(one.signer).signer.sign(item),
      })),
    );
    // These do open a sum, with the device in it.
    expect(await proves(7, signed)).toBe(false);
    expect(await proves(7, signed, other)).toBe(false);
    const own = setsItem(roster.sid, cohort.sets.u2.hash, cohort.sets.u3.hash);
    const byItself = { ...confirmations[0], signer: 7, signature: await cohort.device(7).signer.sign(own) };
    expect(await proves(7, [...confirmations.slice(0, 4), byItself as never])).toBe(false);
  });
});
