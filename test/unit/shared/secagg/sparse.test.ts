import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { present } from "#shared/kernel/assert.ts";
import type { Position } from "#shared/kernel/places.ts";
import type { ClientStep } from "#shared/secagg/client-state.ts";
import { setOfPositions } from "#shared/secagg/position-sets.ts";
import { holdersIn, neighboursOf } from "#shared/secagg/roster.ts";
import { verifyComplaint, verifyUnmask } from "#shared/secagg/server.ts";
import { complaintItem } from "#shared/secagg/signed-items.ts";
import type { AgreedConfig } from "#shared/task/config.ts";
import { positionNo } from "#test/kit/places.ts";
import { type LastStep, lastSent } from "#test/kit/worlds/cohort-device.ts";
import { runCohort, SecaggCohort } from "#test/kit/worlds/secagg-cohort.ts";

/* The ring of Bell et al. in whole attempts: each device meets k others, and only what those hold opens its masks. */

const sparse = (corruptShare: number, dropoutShare: number) =>
  ({
    securityModel: "honest-but-curious",
    graph: { kind: "k-regular", corruptShare, dropoutShare },
  }) satisfies Partial<AgreedConfig>;

/** 40 devices at 5 % and 5 %: k = 6, t = 3, at most two may leave. */
const FORTY = { count: 40, vectorLength: 16, config: sparse(0.05, 0.05) } as const;

function code(step: ClientStep): string {
  return step.type === "aborted" ? step.state.code : step.type;
}

describe("a cohort on a ring", () => {
  test("[S2] gives the exact sum with real cryptography, with two devices gone", async () => {
    const lastSteps = new Map<number, LastStep>([
      [7, "share"],
      [23, "advertise"],
      [31, "confirm"],
    ]);
    const { cohort, result } = await runCohort({ ...FORTY, lastSteps });
    expect(cohort.roster.thresholds).toEqual({ rosterSize: 40, c: 2, t: 3, q: 38 });
    const u3 = cohort.devices.map(({ position }) => position).filter((p) => p !== 7 && p !== 23);
    expect(result.kind === "committed" && result.sum).toEqual(cohort.oracle(u3));
    for (const device of cohort.devices) {
      // Shares for six neighbours and itself, whatever the size of the cohort.
      if (device.position !== 23) expect(lastSent(device, "share").leaves).toHaveLength(7);
    }
  });

  test("[S2] gives the exact sum or a code, whoever leaves after whichever step", async () => {
    const seen = { committed: 0, ended: 0 };
    const steps = fc.constantFrom<LastStep>("advertise", "share", "input", "confirm");
    const leaving = fc.array(fc.tuple(fc.integer({ min: 1, max: 20 }), steps), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(leaving, fc.integer(), async (lastSteps, seed) => {
        const { cohort, result } = await runCohort({
          count: 20,
          vectorLength: 5,
          // k = 4, t = 2; two may leave before their input.
          config: sparse(0.05, 0.1),
          fake: true,
          seed: `sparse ${seed}`,
          lastSteps: new Map(lastSteps),
        });
        const early = new Map(lastSteps);
        const u3 = cohort.devices
          .map(({ position }) => position)
          .filter((position) => !["advertise", "share"].includes(early.get(position) ?? ""));
        if (u3.length < 18) {
          seen.ended++;
          expect(result).toMatchObject({ kind: "ended" });
        } else {
          // With two of five gone three of the holders of each device are left; devices that stay silent later may reduce it below t.
          if (result.kind === "committed") seen.committed++;
          if (result.kind === "committed") expect(result.sum).toEqual(cohort.oracle(u3));
          else expect(result.code).toMatch(/BELOW_T|NOT_ENOUGH_SIGS/);
        }
      }),
      { numRuns: 25, seed: 20_260_102 },
    );
    expect(seen.committed).toBeGreaterThan(10);
    expect(seen.ended).toBeGreaterThan(0);
  });

  test("[S8] [S17] with more gone than assumed nothing is confirmed", async () => {
    const lastSteps = new Map<number, LastStep>([3, 9, 27].map((position) => [position, "share"]));
    const { result } = await runCohort({ ...FORTY, fake: true, lastSteps });
    expect(result).toMatchObject({ kind: "ended", code: "U3_BELOW_T" });
  });

  test("[S6] [S17] is refused by each device if the coordinator may be active, at any size (control: accepted if it follows the protocol)", async () => {
    for (const count of [5, 40]) {
      const config = { ...FORTY.config, securityModel: "active" } as const;
      const active = await SecaggCohort.create({ ...FORTY, count, fake: true, config });
      expect(await active.advertiseAll()).toBe("CONFIG");
      // The coordinator may still send what it builds for itself: each device rebuilds it.
      const follows = await SecaggCohort.create({ ...FORTY, count, fake: true });
      expect(await follows.advertiseAll()).toBeNull();
      expect(code(await active.deliver(1, follows.rosterMessage()))).toBe("CONFIG");
      expect(code(await follows.deliver(1, follows.rosterMessage()))).toBe("go");
    }
  });

  test("[S6] [S17] is refused if a complete graph was agreed to: a bundle or shares for only a part are not accepted", async () => {
    const cohort = await SecaggCohort.create({ count: 40, fake: true, vectorLength: 16 });
    expect(await cohort.advertiseAll()).toBeNull();
    expect(await cohort.shareAll()).toBeNull();
    // Each device dealt to all forty, whatever graph the coordinator has in mind.
    expect(lastSent(cohort.device(1), "share").leaves).toHaveLength(40);
    const all = cohort.collectMessage(1);
    const part = { ...all, shares: all.shares.slice(0, 6) };
    expect(code(await cohort.deliver(1, part))).toBe("BAD_MESSAGE");
    expect(code(await cohort.deliver(2, cohort.collectMessage(2)))).toBe("go");
  });
});

describe("the neighbours of one device", () => {
  /** 150 at 5 % and 10 %: k = 20, t = 8, fifteen may leave; if all of them are neighbours of one device, six of 21 stay. */
  const LARGE = { count: 150, vectorLength: 4, config: sparse(0.05, 0.1), fake: true } as const;

  async function shared(options: Parameters<typeof SecaggCohort.create>[0]) {
    const cohort = await SecaggCohort.create(options);
    expect(await cohort.advertiseAll()).toBeNull();
    expect(await cohort.shareAll()).toBeNull();
    return cohort;
  }
  const allBut = (cohort: SecaggCohort, gone: readonly number[]) =>
    setOfPositions(
      cohort.primitives,
      cohort.roster,
      cohort.devices.map(({ position }) => position).filter((position) => !gone.includes(position)),
    );

  test("[S8] [S17] a device stops if fewer than t of its holders shared or uploaded, although enough did in total", async () => {
    const cohort = await shared(LARGE);
    const { t, q } = cohort.roster.thresholds;
    const holders = neighboursOf(cohort.roster, positionNo(1));
    expect({ t, q, degree: holders.length }).toEqual({ t: 8, q: 135, degree: 20 });

    const thin = await allBut(cohort, holders.slice(0, 14));
    const enough = await allBut(cohort, holders.slice(0, 13));
    expect(thin.positions.length).toBeGreaterThanOrEqual(q);
    expect(code(await cohort.deliver(1, cohort.collectOver(1, thin)))).toBe("U2_BELOW_T");

    const other = holders[19] as number;
    const farFrom = neighboursOf(cohort.roster, positionNo(other));
    await cohort.deliver(other, cohort.collectMessage(other));
    const sets = (u3: typeof thin) => ({
      type: "sets" as const,
      sid: cohort.roster.sidHex,
      u2: cohort.u2.bitmap,
      u3: u3.bitmap,
      deadlineInMs: 1_000,
    });
    const thinAround = await allBut(cohort, farFrom.slice(0, 14));
    expect(code(await cohort.deliver(other, sets(thinAround)))).toBe("U3_BELOW_T");
    // With one more neighbour, either step continues (positive control).
    const third = present(
      cohort.devices.find(({ position }) => position !== 1 && position !== other),
      "a third device",
    ).position;
    const around = neighboursOf(cohort.roster, third);
    const u2 = await allBut(cohort, around.slice(0, 13));
    expect(enough.positions.length).toBe(137);
    expect(code(await cohort.deliver(third, cohort.collectOver(third, u2)))).toBe("go");
    expect(code(await cohort.deliver(third, { ...sets(u2), u2: u2.bitmap }))).toBe("go");
  });

  test("[S6] [S17] only confirmations from holders count", async () => {
    const cohort = await shared({ ...FORTY, fake: true });
    expect(await cohort.collectAll()).toBeNull();
    expect(await cohort.confirmAll()).toBeNull();
    const holders = holdersIn(cohort.roster, positionNo(1));
    const message = cohort.openMessage();
    const outside = message.confirmations.filter(({ signer }) => !holders.includes(signer));
    const inside = message.confirmations.filter(({ signer }) => holders.includes(signer));
    expect([outside.length, inside.length]).toEqual([33, 7]);
    const two = [...outside, ...inside.slice(0, 2)].sort((left, right) => left.signer - right.signer);
    expect(code(await cohort.deliver(1, { ...message, confirmations: two }))).toBe("NOT_ENOUGH_SIGS");
    const neighbour = cohort.device(holders.find((position) => position !== 1) as number);
    const around = holdersIn(cohort.roster, neighbour.position);
    const three = message.confirmations.filter(({ signer }) => around.includes(signer)).slice(0, 3);
    expect(code(await cohort.deliver(neighbour.position, { ...message, confirmations: three }))).toBe("go");
  });

  test("[S1] [S9] only a neighbour's shares are asked for, accepted or complained about", async () => {
    const cohort = await shared({ ...FORTY, fake: true, lastSteps: new Map([[7, "share"]]) });
    const stranger = present(
      cohort.devices.find(
        ({ position }) => position !== 1 && !neighboursOf(cohort.roster, positionNo(1)).includes(position),
      ),
      "a device that 1 does not meet",
    ).position;
    const item = complaintItem(cohort.roster.sid, positionNo(1), stranger);
    const complaint = {
      sid: cohort.roster.sidHex,
      against: stranger as Position,
      signature: await cohort.device(1).signer.sign(item),
    };
    expect(await verifyComplaint(cohort.primitives, cohort.roster, positionNo(1), complaint)).toEqual({
      ok: false,
      error: "BAD_MESSAGE",
    });
    expect(await cohort.collectAll()).toBeNull();
    expect(await cohort.confirmAll()).toBeNull();
    expect(await cohort.openAll()).toBeNull();
    for (const device of cohort.present("unmask")) {
      const { bShares, zShares } = lastSent(device, "unmask");
      const owners = [...bShares, ...zShares].map(({ owner }): number => owner).sort((a, b) => a - b);
      expect(owners).toEqual(holdersIn(cohort.roster, device.position));
      expect(zShares.map(({ owner }): number => owner)).toEqual(
        neighboursOf(cohort.roster, positionNo(7)).includes(device.position) ? [7] : [],
      );
    }
    // A neighbour's share passed off as a stranger's is refused.
    const message = lastSent(cohort.device(1), "unmask");
    const bShares = message.bShares.with(0, {
      ...present(message.bShares[0], "a share"),
      owner: stranger as Position,
    });
    const { roster, sets, bundles } = cohort;
    expect(
      await verifyUnmask(cohort.primitives, roster, sets, bundles, positionNo(1), { ...message, bShares }),
    ).toEqual({
      ok: false,
      error: "BAD_MESSAGE",
    });
  });
});
