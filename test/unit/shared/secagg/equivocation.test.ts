import { describe, expect, test } from "vitest";
import type { Bytes } from "#shared/kernel/bytes.ts";
import type { Position } from "#shared/kernel/places.ts";
import type { AttemptTerms } from "#shared/secagg/attempt.ts";
import { advertise } from "#shared/secagg/client.ts";
import type { ClientStep } from "#shared/secagg/client-state.ts";
import { setOfPositions } from "#shared/secagg/position-sets.ts";
import {
  type Bundle,
  buildRoster,
  collectFor,
  rosterMembers,
  verifyShareBundle,
} from "#shared/secagg/server.ts";
import { setsItem } from "#shared/secagg/signed-items.ts";
import { positionNo } from "#test/kit/places.ts";
import { lastSent } from "#test/kit/worlds/cohort-device.ts";
import { SecaggCohort } from "#test/kit/worlds/secagg-cohort.ts";

/*
 * A coordinator that tells devices different things and has c colluding devices sign whatever it likes. Seven devices:
 * t = 5, c = 2.
 */
const COUNT = 7;
const COLLUDERS = [6, 7];

function code(step: ClientStep): string {
  return step.type === "aborted" ? step.state.code : step.type;
}

describe("what devices were told before they advertised", () => {
  const lies: readonly (readonly [string, Partial<AttemptTerms>])[] = [
    ["model", { modelHash: "77".repeat(32) }],
    ["attempt", { attempt: 2 }],
    ["round", { round: 2 }],
    [
      "training plan",
      {
        roundParams: {
          purpose: "train",
          training: { epochs: 9, batchSize: 1, optimizer: { kind: "adam", learningRate: 1 }, proximalMu: 0 },
        },
      },
    ],
  ];

  test.each(lies)("[S6] another %s for one device stops all others at the roster", async (_, lie) => {
    const cohort = await SecaggCohort.create({ count: COUNT, vectorLength: 8 });
    const misled = cohort.device(3);
    misled.state = { phase: "idle", terms: { ...cohort.attempt.terms, ...lie } };
    await collectAdverts(cohort);
    for (const { position } of cohort.devices) {
      const { runId, round, attempt } =
        position === 3 ? { ...cohort.attempt.terms, ...lie } : cohort.attempt.terms;
      const step = await cohort.deliver(position, {
        ...cohort.rosterMessage(),
        runId: runId as never,
        round,
        attempt,
      });
      expect(code(step)).toBe("BAD_ADVERT_SIG");
    }
    for (const device of cohort.devices) expect(device.sent.map(({ type }) => type)).toEqual(["advertise"]);
  });

  test("[S6] another config for one device stops all others at the roster", async () => {
    const cohort = await SecaggCohort.create({ count: COUNT, vectorLength: 8 });
    const { terms } = cohort.attempt;
    cohort.device(3).state = {
      phase: "idle",
      terms: { ...terms, config: { ...terms.config, cohortSizeMin: 5 } },
    };
    await collectAdverts(cohort);
    for (const { position } of cohort.devices) {
      expect(code(await cohort.deliver(position, cohort.rosterMessage()))).toBe("BAD_ADVERT_SIG");
    }
  });

  test("[S6] the same for all succeeds (positive control)", async () => {
    const cohort = await SecaggCohort.create({ count: COUNT, vectorLength: 8 });
    await collectAdverts(cohort);
    for (const { position } of cohort.devices) {
      expect(code(await cohort.deliver(position, cohort.rosterMessage()))).toBe("go");
    }
  });

  /** Without the coordinator's own checks, which a dishonest one skips. */
  async function collectAdverts(cohort: SecaggCohort): Promise<void> {
    for (const device of cohort.devices) cohort.members.push(await cohort.advertise(device));
    await cohort.layOut();
  }
});

describe("U1", () => {
  test("[S6] two rosters: shares of one do not open in the other, and no attempt gets its inputs", async () => {
    const cohort = await SecaggCohort.create({ count: COUNT, vectorLength: 8 });
    await cohort.advertiseAll();
    // The second roster has other keys for position 7, a colluder, which signs both.
    const colluder = cohort.device(7);
    const second = await advertise(colluder.tools, { phase: "idle", terms: cohort.attempt.terms });
    const advert = second.type === "go" && second.send?.kind === "message" ? second.send.message : null;
    if (advert?.type !== "advertise") throw new Error("an advert");
    const { c, s, bCommit, signature } = advert;
    const { primitives, attempt } = cohort;
    const otherMembers = cohort.members.map((member, index) =>
      index === 6 ? { ...member, c, s, bCommit, signature } : member,
    );
    const other = await buildRoster(primitives, attempt, otherMembers);
    if (!other.ok) throw new Error(other.error);

    const rosters = { first: cohort.roster, second: other.value };
    const shown = (position: number) => (position <= 3 ? "first" : "second");
    const bundles = new Map<Position, Bundle>();
    for (const position of [1, 2, 3, 4, 5, 6]) {
      const members = rosterMembers(rosters[shown(position)]);
      expect(code(await cohort.deliver(position, { ...cohort.rosterMessage(), members }))).toBe("go");
      const message = lastSent(cohort.device(position), "share");
      const bundle = await verifyShareBundle(
        primitives,
        rosters[shown(position)],
        positionNo(position),
        message,
      );
      if (!bundle.ok) throw new Error(bundle.error);
      bundles.set(positionNo(position), bundle.value);
    }
    expect(rosters.first.sidHex).not.toBe(rosters.second.sidHex);
    for (const position of [1, 2, 3, 4, 5]) {
      const roster = rosters[shown(position)];
      const u2 = await setOfPositions(primitives, roster, [
        positionNo(1),
        positionNo(2),
        positionNo(3),
        positionNo(4),
        positionNo(5),
        positionNo(6),
      ]);
      const shares = collectFor(roster, u2, bundles, positionNo(position));
      const collect = { ...collectShell, sid: roster.sidHex, u2: u2.bitmap, shares };
      expect(code(await cohort.deliver(position, collect))).toBe("SHARE_AUTH");
      expect(cohort.device(position).body).toBeNull();
    }
  });

  test("[S6] a second roster for the same device is noticed", async () => {
    const cohort = await SecaggCohort.create({ count: COUNT, vectorLength: 8 });
    await cohort.advertiseAll();
    expect(code(await cohort.deliver(1, cohort.rosterMessage()))).toBe("go");
    const without = cohort.rosterMessage().members.slice(0, 6);
    expect(code(await cohort.deliver(1, { ...cohort.rosterMessage(), members: without }))).toBe(
      "EQUIVOCATION",
    );
  });

  test("[S6] a device whose own advert was left out or altered stops", async () => {
    for (const change of ["missing", "altered"]) {
      const cohort = await SecaggCohort.create({ count: COUNT, vectorLength: 8 });
      await cohort.advertiseAll();
      const { members, ...rest } = cohort.rosterMessage();
      const own = members[0] as (typeof members)[number];
      // An earlier advert of its own: correctly signed, but not the one whose secrets it has.
      const earlier = await SecaggCohort.create({
        count: COUNT,
        vectorLength: 8,
        seed: "earlier",
        identitySeed: "cohort",
      });
      const previous = await earlier.advertise(earlier.device(1));
      const { c, s, bCommit, signature } = previous;
      const changed =
        change === "missing" ? members.slice(1) : [{ ...own, c, s, bCommit, signature }, ...members.slice(1)];
      expect(code(await cohort.deliver(1, { ...rest, members: changed }))).toBe("NOT_IN_ROSTER");
      expect(code(await cohort.deliver(2, { ...rest, members: changed }))).toBe("go");
    }
  });
});

const collectShell = { type: "collect", slot: "s".repeat(43), deadlineInMs: 0 } as const;

describe("U2 and U3", () => {
  async function shared(): Promise<SecaggCohort> {
    const cohort = await SecaggCohort.create({ count: COUNT, vectorLength: 8 });
    await cohort.advertiseAll();
    await cohort.shareAll();
    return cohort;
  }
  const setOf = (cohort: SecaggCohort, positions: readonly number[]) =>
    setOfPositions(cohort.primitives, cohort.roster, positions.map(positionNo));

  test("[S6] another U2 than the one that it masked for stops a device", async () => {
    const cohort = await shared();
    const [all, six] = [await setOf(cohort, [1, 2, 3, 4, 5, 6, 7]), await setOf(cohort, [1, 2, 3, 4, 5, 6])];
    for (const position of [1, 2, 3, 4, 5]) {
      await cohort.deliver(position, cohort.collectOver(position, position <= 3 ? all : six));
    }
    // Any one U2 for both groups contradicts what one of them has seen.
    const sets = {
      type: "sets",
      sid: cohort.roster.sidHex,
      u2: all.bitmap,
      u3: six.bitmap,
      deadlineInMs: 0,
    } as const;
    expect(code(await cohort.deliver(1, sets))).toBe("go");
    for (const position of [4, 5]) expect(code(await cohort.deliver(position, sets))).toBe("EQUIVOCATION");
  });

  /** Shows each group its own sets, has the colluders sign both, and asks everyone to open what they confirmed. */
  async function split(
    lie: (position: number) => { readonly u2: number[]; readonly u3: number[] },
  ): Promise<string[]> {
    const cohort = await shared();
    const { roster } = cohort;
    const shown = async (position: number) => {
      const { u2, u3 } = lie(position);
      return { u2: await setOf(cohort, u2), u3: await setOf(cohort, u3) };
    };
    const honest = [1, 2, 3, 4, 5];
    for (const position of honest) {
      const { u2, u3 } = await shown(position);
      await cohort.deliver(position, cohort.collectOver(position, u2));
      const sets = {
        type: "sets",
        sid: roster.sidHex,
        u2: u2.bitmap,
        u3: u3.bitmap,
        deadlineInMs: 0,
      } as const;
      expect(code(await cohort.deliver(position, sets))).toBe("go");
    }
    const signatures = async (position: number) => {
      const { u2, u3 } = await shown(position);
      const item = setsItem(roster.sid, u2.hash, u3.hash);
      const agreed: [number, Bytes][] = [];
      for (const signer of u3.positions) {
        const confirm = cohort.device(signer).sent.findLast(({ type }) => type === "confirm");
        const sameView =
          lie(signer).u3.join() === lie(position).u3.join() &&
          lie(signer).u2.join() === lie(position).u2.join();
        if (COLLUDERS.includes(signer)) agreed.push([signer, await cohort.device(signer).signer.sign(item)]);
        else if (sameView && confirm?.type === "confirm") agreed.push([signer, confirm.signature]);
      }
      return agreed.map(([signer, signature]) => ({ signer: signer as Position, signature }));
    };
    const codes: string[] = [];
    for (const position of honest) {
      const { u2, u3 } = await shown(position);
      const confirmations = await signatures(position);
      const open = {
        type: "open",
        sid: roster.sidHex,
        u2: u2.bitmap,
        u3: u3.bitmap,
        confirmations,
        deadlineInMs: 0,
      } as const;
      codes.push(code(await cohort.deliver(position, open)));
    }
    expect(cohort.devices.some((device) => device.sent.some(({ type }) => type === "unmask"))).toBe(
      codes.includes("go"),
    );
    return codes;
  }

  const all = [1, 2, 3, 4, 5, 6, 7];
  test("[S1] [S6] U3 split in two: at most one group reaches t, with the colluders in both", async () => {
    const codes = await split((position) => ({
      u2: all,
      u3: position <= 2 ? [1, 2, 5, 6, 7] : [2, 3, 4, 5, 6, 7],
    }));
    // Two honest devices and two colluders are fewer than t = 5. The other three and the colluders are just enough, so
    // only that group opens, and nobody honest gave a b-share of device 1, about which the groups differ.
    expect(codes).toEqual(["NOT_ENOUGH_SIGS", "NOT_ENOUGH_SIGS", "go", "go", "go"]);
  });

  test("[S6] U3 split in three: no group reaches t", async () => {
    const codes = await split((position) => ({
      u2: all,
      u3: all.filter((other) => other !== (position % 3) + 1),
    }));
    expect(codes.filter((result) => result === "go")).toEqual([]);
  });

  test("[S6] U2 split in two: no group reaches t", async () => {
    const six = [1, 2, 3, 4, 5, 6];
    const codes = await split((position) => (position <= 2 ? { u2: all, u3: six } : { u2: six, u3: six }));
    expect(codes).toEqual(Array(5).fill("NOT_ENOUGH_SIGS"));
  });

  test("[S6] told the same, the same devices open (positive control)", async () => {
    expect(await split(() => ({ u2: all, u3: all }))).toEqual(Array(5).fill("go"));
  });

  test("[S6] confirmations of other sets, duplicates, and those from outside U3 do not count", async () => {
    const cases = {
      "of other sets": "BAD_SET_SIG",
      twice: "BAD_SET_SIG",
      "from outside": "BAD_SET_SIG",
      unordered: "BAD_SET_SIG",
      "too few": "NOT_ENOUGH_SIGS",
      enough: "go",
    } as const;
    for (const [name, expected] of Object.entries(cases)) {
      const cohort = await SecaggCohort.create({
        count: COUNT,
        vectorLength: 8,
        lastSteps: new Map([[7, "share"]]),
      });
      await cohort.advertiseAll();
      await cohort.shareAll();
      await cohort.collectAll();
      await cohort.confirmAll();
      const { confirmations, ...rest } = cohort.openMessage();
      const [first, second, ...others] = confirmations as [never, never, ...never[]];
      const { u2 } = cohort.sets;
      const other = await cohort.device(1).signer.sign(setsItem(cohort.roster.sid, u2.hash, u2.hash));
      const outsider = {
        signer: 7 as Position,
        signature: await cohort
          .device(7)
          .signer.sign(setsItem(cohort.roster.sid, u2.hash, cohort.sets.u3.hash)),
      };
      const lists: Record<keyof typeof cases, typeof confirmations> = {
        "of other sets": [{ signer: 1 as Position, signature: other }, second, ...others],
        twice: [first, first, second, ...others],
        "from outside": [first, second, ...others, outsider],
        unordered: [second, first, ...others],
        "too few": [first, second],
        enough: confirmations,
      };
      const step = await cohort.deliver(2, { ...rest, confirmations: lists[name as keyof typeof cases] });
      expect({ name, code: code(step) }).toEqual({ name, code: expected });
    }
  });

  test("[S6] with a config that names a public log, nothing is opened without its proof", async () => {
    const cohort = await SecaggCohort.create({
      count: COUNT,
      vectorLength: 8,
      config: { logKey: "11".repeat(32) as never },
    });
    const result = await cohort.run();
    expect(result).toMatchObject({ kind: "ended", code: "NOT_LOGGED" });
    expect(cohort.devices.some((device) => device.sent.some(({ type }) => type === "unmask"))).toBe(false);
  });

  test("[S1] [S6] asked for other sets after it opened, a device says nothing more", async () => {
    const cohort = await shared();
    await cohort.collectAll();
    await cohort.confirmAll();
    await cohort.openAll();
    const six = await setOf(cohort, [1, 2, 3, 4, 5, 6]);
    expect(code(await cohort.deliver(1, { ...cohort.openMessage(), u3: six.bitmap }))).toBe("EQUIVOCATION");
    expect(cohort.device(1).sent.filter(({ type }) => type === "unmask").length).toBe(1);
  });
});
