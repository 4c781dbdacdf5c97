import { beforeAll, describe, expect, test } from "vitest";
import { hexToBytes } from "#shared/kernel/bytes.ts";
import { decodeFrame, encodeFrame } from "#shared/protocol/frame.ts";
import { coordinatorMessageSchema } from "#shared/protocol/messages/coordinator.ts";
import { openAttempt } from "#shared/secagg/attempt.ts";
import { openShares, sealShares } from "#shared/secagg/bundle.ts";
import type { AttemptMessage } from "#shared/secagg/client.ts";
import { committedOutcome, inputsTree } from "#shared/secagg/opening.ts";
import {
  verifyAdvert,
  verifyComplaint,
  verifyConfirmation,
  verifyInput,
  verifyShareBundle,
  verifyUnmask,
} from "#shared/secagg/server.ts";
import { advertItem, complaintItem } from "#shared/secagg/signed-items.ts";
import { mutations } from "#test/kit/adversary/mutations.ts";
import { positionNo } from "#test/kit/places.ts";
import { seededRandom } from "#test/kit/secagg-fixtures.ts";
import { type CohortOptions, lastSent } from "#test/kit/worlds/cohort-device.ts";
import { SecaggCohort } from "#test/kit/worlds/secagg-cohort.ts";

/*
 * Refusals at every step and on both sides (S5). Each kind is paired with a message that is accepted, so that nothing
 * is refused for any other reason than the one under test.
 */

const STEPS = ["roster", "collect", "sets", "open", "outcome"] as const;
type Step = (typeof STEPS)[number];

const BASE: CohortOptions = {
  count: 4,
  vectorLength: 20,
  seed: "refusals",
  lastSteps: new Map([[4, "share"]]),
};

/**
 * A cohort whose position 1 is about to receive `step`. All have the same seeds, hence the same session and messages.
 */
async function cohortBefore(step: Step): Promise<SecaggCohort> {
  const cohort = await SecaggCohort.create(BASE);
  const runs = ["advertiseAll", "shareAll", "collectAll", "confirmAll", "openAll"] as const;
  for (const run of runs) {
    if (runs.indexOf(run) > STEPS.indexOf(step)) break;
    await cohort[run]();
  }
  return cohort;
}

async function messageOf(cohort: SecaggCohort, step: Step, position = 1): Promise<AttemptMessage> {
  switch (step) {
    case "roster":
      return cohort.rosterMessage();
    case "collect":
      return cohort.collectMessage(position);
    case "sets":
      return cohort.setsMessage();
    case "open":
      return cohort.openMessage();
    case "outcome": {
      const roots = cohort.sets.u3.positions.map((survivor) => cohort.inputs.get(survivor)?.root as never);
      const tree = await inputsTree(cohort.primitives, roots);
      return committedOutcome(cohort.roster, cohort.sets, tree, positionNo(position), "44".repeat(32));
    }
  }
}

async function finished(options: Partial<CohortOptions>): Promise<SecaggCohort> {
  const cohort = await SecaggCohort.create({ ...BASE, ...options });
  expect((await cohort.run()).kind).toBe("committed");
  return cohort;
}

/** Other attempts of the same devices, each different in exactly one thing. */
const FOREIGN: readonly (readonly [string, Partial<CohortOptions>])[] = [
  ["another round", { terms: { round: 2 } }],
  ["another attempt", { terms: { attempt: 2 } }],
  ["another run", { terms: { runId: "0192f0c0ffee70008000000000000bad" } }],
  ["another model", { terms: { modelHash: "77".repeat(32) } }],
  ["another task", { config: { task: "hmda" as never } }],
  ["the same terms, other keys", { seed: "refusals again", identitySeed: "refusals" }],
];

describe.each(STEPS)("a device that waits for %s", (step) => {
  test("[S5] accepts the message itself (positive control)", async () => {
    const cohort = await cohortBefore(step);
    expect((await cohort.deliver(1, await messageOf(cohort, step))).type).toBe("go");
  });

  test.each(FOREIGN)(
    "[S5] refuses the one of %s, also when it is relabelled as this one",
    async (_, options) => {
      const other = await finished(options);
      const foreign = await messageOf(other, step);
      for (const relabel of [false, true]) {
        const cohort = await cohortBefore(step);
        const { runId, round, attempt } = cohort.attempt.terms;
        const label = foreign.type === "roster" ? { runId, round, attempt } : { sid: cohort.roster.sidHex };
        const sentBefore = cohort.device(1).sent.length;
        const step1 = await cohort.deliver(
          1,
          (relabel ? { ...foreign, ...label } : foreign) as AttemptMessage,
        );
        // Sets alone do not say where they come from: relabelled, they are these very sets, and so is their
        // confirmation over this session's id. Everything that follows is bound by signatures.
        if (relabel && step === "sets") expect(step1.type).toBe("go");
        else {
          expect(["refused", "aborted"]).toContain(step1.type);
          expect(
            cohort
              .device(1)
              .sent.slice(sentBefore)
              .filter(({ type }) => type !== "complaint"),
          ).toEqual([]);
        }
      }
    },
  );

  test("[S5] refuses the message for another device", async () => {
    // The roster, the sets and the confirmations are for everyone.
    if (step !== "collect" && step !== "outcome") return;
    const cohort = await cohortBefore(step);
    const answer = await cohort.deliver(1, await messageOf(cohort, step, 2));
    expect(answer.type).toBe("aborted");
  });

  test.each([0, 253])("[S5] refuses it with bit %i of any field flipped", async (bit) => {
    const honest = await messageOf(await cohortBefore(step), step);
    // Not part of the agreement: the time left, the upload slot, and the next model, which a device hashes itself.
    const exempt = new Set(["deadlineInMs", "slot", "result.modelHash"]);
    const tried = mutations(honest, bit).filter(({ path }) => !exempt.has(path));
    expect(tried.length).toBeGreaterThan(2);
    for (const { path, message } of tried) {
      const decoded = decodeFrame(encodeFrame(message), coordinatorMessageSchema);
      if (!decoded.ok) continue;
      const cohort = await cohortBefore(step);
      const answer = await cohort.deliver(1, message);
      expect({ path, type: answer.type }).not.toEqual({ path, type: "go" });
    }
  });
});

describe("the coordinator", () => {
  let home: SecaggCohort;
  let away: readonly (readonly [string, SecaggCohort])[];
  beforeAll(async () => {
    home = await finished({});
    away = await Promise.all(
      FOREIGN.map(async ([name, options]) => [name, await finished(options)] as const),
    );
  });

  /** The verdict on each message of position `of` in `from`, relabelled as one of `home` by position `as`. */
  async function verdicts(from: SecaggCohort, of = 1, as = of): Promise<Record<string, boolean>> {
    const { primitives, roster, sets, bundles, attempt } = home;
    const device = from.device(of);
    const sid = roster.sidHex;
    const signer = home.device(as).signer.publicKey;
    const member = { ...(from.members[of - 1] as (typeof from.members)[number]), identity: signer };
    const certified = { ...member, certificate: home.device(as).certificate };
    const complaint = {
      sid,
      against: 3 as never,
      signature: await device.signer.sign(complaintItem(from.roster.sid, positionNo(of), positionNo(3))),
    };
    const headers = from.inputHeaders.get(positionNo(of));
    const claim = {
      byteCount: 80,
      root: hexToBytes(headers?.root as string),
      signature: hexToBytes(headers?.signature as string),
    };
    const [share, confirm, unmask] = [
      lastSent(device, "share"),
      lastSent(device, "confirm"),
      lastSent(device, "unmask"),
    ];
    const results = {
      advert: await verifyAdvert(primitives, attempt, certified, []),
      share: await verifyShareBundle(primitives, roster, positionNo(as), { ...share, sid }),
      input: await verifyInput(primitives, roster, sets.u2, positionNo(as), claim),
      confirm: await verifyConfirmation(primitives, roster, sets, positionNo(as), { ...confirm, sid }),
      unmask: await verifyUnmask(primitives, roster, sets, bundles, positionNo(as), { ...unmask, sid }),
      complaint: await verifyComplaint(primitives, roster, positionNo(as), complaint),
    };
    return Object.fromEntries(Object.entries(results).map(([name, result]) => [name, result.ok]));
  }
  const all = (accepted: boolean) => ({
    advert: accepted,
    share: accepted,
    input: accepted,
    confirm: accepted,
    unmask: accepted,
    complaint: accepted,
  });

  test("[S5] accepts each message of its own session (positive control)", async () => {
    expect(await verdicts(home)).toEqual(all(true));
  });

  test("[S5] refuses each message of every other attempt of the same devices", async () => {
    for (const [name, cohort] of away) {
      const expected = all(false);
      // With the same terms the advert is valid, with another set of keys; the session then differs in its roster.
      if (name === "the same terms, other keys") expected.advert = true;
      expect({ name, ...(await verdicts(cohort)) }).toEqual({ name, ...expected });
    }
  });

  test("[S5] refuses each message under another device's name", async () => {
    expect(await verdicts(home, 1, 2)).toEqual(all(false));
  });

  test("[S5] refuses each message that belongs to a session by its label only", async () => {
    const { primitives, roster, sets, bundles } = home;
    const device = home.device(1);
    const sid = "ab".repeat(32) as never;
    const refused = [
      await verifyShareBundle(primitives, roster, positionNo(1), { ...lastSent(device, "share"), sid }),
      await verifyConfirmation(primitives, roster, sets, positionNo(1), {
        ...lastSent(device, "confirm"),
        sid,
      }),
      await verifyUnmask(primitives, roster, sets, bundles, positionNo(1), {
        ...lastSent(device, "unmask"),
        sid,
      }),
      await verifyComplaint(primitives, roster, positionNo(1), {
        sid,
        against: 2 as never,
        signature: new Uint8Array(64),
      }),
    ];
    for (const result of refused) expect(result).toEqual({ ok: false, error: "STATE" });
    // Position 4 shared and left: it takes no part in R3 and R4.
    const confirm = await verifyConfirmation(
      primitives,
      roster,
      sets,
      positionNo(4),
      lastSent(device, "confirm"),
    );
    expect(confirm).toEqual({ ok: false, error: "STATE" });
    const unmask = await verifyUnmask(
      primitives,
      roster,
      sets,
      bundles,
      positionNo(4),
      lastSent(device, "unmask"),
    );
    expect(unmask).toEqual({ ok: false, error: "STATE" });
    const claim = { byteCount: 80, root: new Uint8Array(32), signature: new Uint8Array(64) };
    const input = await verifyInput(primitives, roster, sets.u3, positionNo(4), claim);
    expect(input).toEqual({ ok: false, error: "STATE" });
    const short = await verifyInput(primitives, roster, sets.u2, positionNo(1), { ...claim, byteCount: 76 });
    expect(short).toEqual({ ok: false, error: "BAD_LENGTH" });
  });

  test.each([0, 253])("[S5] refuses each message with bit %i of any field flipped", async (bit) => {
    const { primitives, roster, sets, bundles, attempt } = home;
    const device = home.device(1);
    const member = home.members[0] as (typeof home.members)[number];
    for (const { path, message } of mutations(member, bit)) {
      expect({ path, ok: (await verifyAdvert(primitives, attempt, message, [])).ok }).toEqual({
        path,
        ok: false,
      });
    }
    for (const { path, message } of mutations(lastSent(device, "share"), bit)) {
      expect({ path, ok: (await verifyShareBundle(primitives, roster, positionNo(1), message)).ok }).toEqual({
        path,
        ok: false,
      });
    }
    for (const { path, message } of mutations(lastSent(device, "confirm"), bit)) {
      const { ok } = await verifyConfirmation(primitives, roster, sets, positionNo(1), message);
      expect({ path, ok }).toEqual({ path, ok: false });
    }
    for (const { path, message } of mutations(lastSent(device, "unmask"), bit)) {
      const { ok } = await verifyUnmask(primitives, roster, sets, bundles, positionNo(1), message);
      expect({ path, ok }).toEqual({ path, ok: false });
    }
    const headers = home.inputHeaders.get(positionNo(1));
    const claim = {
      root: hexToBytes(headers?.root as string),
      signature: hexToBytes(headers?.signature as string),
    };
    for (const { path, message } of mutations({ byteCount: 80, ...claim }, bit)) {
      const { ok } = await verifyInput(primitives, roster, sets.u2, positionNo(1), message);
      expect({ path, ok }).toEqual({ path, ok: false });
    }
  });

  test("[S5] refuses shares to the wrong owners, twice, cut short or missing", async () => {
    const { primitives, roster, sets, bundles } = home;
    const device = home.device(1);
    const honest = lastSent(device, "unmask");
    const check = (change: object) =>
      verifyUnmask(primitives, roster, sets, bundles, positionNo(1), { ...honest, ...change });
    const [first, ...rest] = honest.bShares as [never, never, never];
    expect((await check({})).ok).toBe(true);
    const cut = honest.bShares.map(({ owner, share }) => ({ owner, share: share.slice(1) }));
    const changes = [
      { bShares: rest },
      { bShares: [first, first, ...rest] },
      { bShares: [...honest.bShares].reverse() },
      { bShares: cut },
      { bShares: [...honest.bShares, ...honest.zShares], zShares: [] },
      { zShares: [] },
      { zShares: honest.bShares },
    ];
    for (const change of changes) expect(await check(change)).toEqual({ ok: false, error: "BAD_MESSAGE" });
  });

  test("[S5] refuses bundles of another shape", async () => {
    const { primitives, roster } = home;
    const { leaves, ...rest } = lastSent(home.device(1), "share");
    const check = (changed: typeof leaves) =>
      verifyShareBundle(primitives, roster, positionNo(1), { ...rest, leaves: changed });
    expect((await check(leaves)).ok).toBe(true);
    const sealed = leaves.map((leaf) => ({
      ...leaf,
      ciphertext: new Uint8Array(leaf.ciphertext.length + 1),
    }));
    for (const changed of [leaves.slice(1), leaves.slice(0, -1), [...leaves, ...leaves], sealed]) {
      expect(await check(changed)).toEqual({ ok: false, error: "BAD_MESSAGE" });
    }
    expect(await check([...leaves].reverse())).toEqual({ ok: false, error: "BAD_MESSAGE" });
  });

  test("[S5] refuses an advert with a key of small order, a key already taken, or a foreign certificate", async () => {
    const { primitives, attempt, members } = home;
    const [first, second] = members as [(typeof members)[number], (typeof members)[number]];
    const check = (change: object) => verifyAdvert(primitives, attempt, { ...first, ...change }, [second]);
    expect((await check({})).ok).toBe(true);
    // RFC 7748 section 6.1 and the low-order points of the curve: 0, 1, and a point of order 8.
    const lowOrder = [
      "00".repeat(32),
      `01${"00".repeat(31)}`,
      "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    ];
    for (const point of lowOrder) {
      expect(await check({ c: hexToBytes(point) })).toEqual({ ok: false, error: "LOW_ORDER" });
      expect(await check({ s: hexToBytes(point) })).toEqual({ ok: false, error: "LOW_ORDER" });
    }
    for (const key of [first.identity, first.s, second.identity, second.c, second.s]) {
      expect(await check({ c: key })).toEqual({ ok: false, error: "DUP_KEY" });
    }
    expect(await check({ certificate: second.certificate })).toEqual({ ok: false, error: "BAD_CERTIFICATE" });
    const elsewhere = { ...attempt.terms, config: { ...attempt.terms.config, projectId: "other" } };
    const verdict = await verifyAdvert(primitives, await openAttempt(primitives, elsewhere), first, []);
    expect(verdict).toEqual({ ok: false, error: "BAD_CERTIFICATE" });
  });
});

test("[S5] a device refuses a roster with a key of small order, even correctly signed", async () => {
  for (const [name, expected] of [
    ["c", "LOW_ORDER"],
    ["s", "LOW_ORDER"],
    ["neither", "go"],
  ] as const) {
    const cohort = await SecaggCohort.create(BASE);
    for (const device of cohort.devices) cohort.members.push(await cohort.advertise(device));
    const colluder = cohort.members[2] as (typeof cohort.members)[number];
    const degenerate = name === "neither" ? colluder : { ...colluder, [name]: new Uint8Array(32) };
    const signature = await cohort.device(3).signer.sign(advertItem(cohort.attempt.header, degenerate));
    cohort.members[2] = { ...degenerate, signature };
    await cohort.layOut();
    const step = await cohort.deliver(1, cohort.rosterMessage());
    expect(step.type === "aborted" ? step.state.code : step.type).toBe(expected);
  }
});

test("[S5] a device refuses a roster with a member that the issuer did not certify", async () => {
  const cohort = await SecaggCohort.create(BASE);
  for (const device of cohort.devices) cohort.members.push(await cohort.advertise(device));
  const [first, , third] = cohort.members as (typeof cohort.members)[number][];
  cohort.members[2] = { ...(third as NonNullable<typeof third>), certificate: first?.certificate as never };
  await cohort.layOut();
  const step = await cohort.deliver(1, cohort.rosterMessage());
  expect(step).toMatchObject({ type: "aborted", state: { code: "BAD_CERTIFICATE" } });
});

describe("a sealed share", () => {
  const route = { sid: new Uint8Array(32).fill(7), dealer: positionNo(2), holder: positionNo(5) };
  const key = new Uint8Array(32).fill(9);
  const shares = { z: new Uint8Array(32).fill(1), b: new Uint8Array(32).fill(2) };
  const sealed = sealShares(key, seededRandom("nonce")(24), route, shares);

  test("[S5] opens for its session, dealer and holder, and for nothing else", () => {
    expect(openShares(key, route, sealed)).toEqual({ ok: true, value: shares });
    const elsewhere = [
      { sid: new Uint8Array(32) },
      { dealer: route.holder },
      { holder: route.dealer },
      { dealer: route.holder, holder: route.dealer },
    ];
    for (const other of elsewhere) {
      expect(openShares(key, { ...route, ...other }, sealed)).toEqual({ ok: false, error: "SHARE_CTX" });
    }
    expect(openShares(new Uint8Array(32), route, sealed)).toEqual({ ok: false, error: "SHARE_AUTH" });
    for (let byte = 0; byte < sealed.length; byte += 13) {
      const damaged = sealed.map((value, index) => (index === byte ? value ^ 1 : value));
      expect(openShares(key, route, damaged)).toEqual({ ok: false, error: "SHARE_AUTH" });
    }
    expect(openShares(key, route, sealed.subarray(0, 20))).toEqual({ ok: false, error: "SHARE_AUTH" });
  });
});
