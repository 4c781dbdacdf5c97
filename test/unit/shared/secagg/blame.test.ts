import { describe, expect, test } from "vitest";
import type { Bytes } from "#shared/kernel/bytes.ts";
import { bundleTree } from "#shared/secagg/bundle.ts";
import type { ClientStep } from "#shared/secagg/client-state.ts";
import { shareCounts } from "#shared/secagg/opening.ts";
import { holdersIn } from "#shared/secagg/roster.ts";
import { verifyComplaint, verifyShareBundle } from "#shared/secagg/server.ts";
import { bundleItem, unmaskItem } from "#shared/secagg/signed-items.ts";
import { positionNo } from "#test/kit/places.ts";
import { type CohortDevice, lastSent, type Unmask } from "#test/kit/worlds/cohort-device.ts";
import { SecaggCohort } from "#test/kit/worlds/secagg-cohort.ts";

type Leaves = ReturnType<typeof lastSent<"share">>["leaves"];

/**
 * Seven devices, t = 5. The dealer at position 2 changes its leaves and signs them again, so that the bundle is well
 * formed.
 */
async function withBundleOf2(change: (leaves: Leaves) => Leaves): Promise<SecaggCohort> {
  const cohort = await SecaggCohort.create({ count: 7, vectorLength: 20 });
  await cohort.advertiseAll();
  await cohort.shareAll();
  const { primitives, roster } = cohort;
  const dealer = cohort.device(2);
  const leaves = change(lastSent(dealer, "share").leaves);
  const { root } = await bundleTree(primitives, holdersIn(roster, positionNo(2)), leaves);
  const signature = await dealer.signer.sign(bundleItem(roster.sid, positionNo(2), root));
  const bundle = await verifyShareBundle(primitives, roster, positionNo(2), {
    sid: roster.sidHex,
    leaves,
    signature,
  });
  if (!bundle.ok) throw new Error(bundle.error);
  cohort.bundles.set(positionNo(2), bundle.value);
  return cohort;
}

function changed(
  leaves: Leaves,
  holder: number,
  change: (leaf: Leaves[number]) => Partial<Leaves[number]>,
): Leaves {
  return leaves.map((leaf, index) => (index === holder - 1 ? { ...leaf, ...change(leaf) } : leaf));
}
const flip = (bytes: Uint8Array): Bytes =>
  Uint8Array.from(bytes, (byte, index) => (index === 30 ? byte ^ 4 : byte));

describe("a wrong share in R1", () => {
  const cases = [
    ["does not open", "SHARE_AUTH", (leaf: Leaves[number]) => ({ ciphertext: flip(leaf.ciphertext) })],
    [
      "has another z than committed",
      "SHARE_CTX",
      (leaf: Leaves[number]) => ({ zShareCommit: flip(leaf.zShareCommit) }),
    ],
    [
      "has another b than committed",
      "SHARE_CTX",
      (leaf: Leaves[number]) => ({ bShareCommit: flip(leaf.bShareCommit) }),
    ],
  ] as const;

  test.each(cases)(
    "[S9] that %s causes a signed complaint about its dealer, and no key is revealed",
    async (_, code, change) => {
      const cohort = await withBundleOf2((leaves) => changed(leaves, 5, change));
      // Its other holders have nothing to complain about.
      expect((await cohort.deliver(4, cohort.collectMessage(4))).type).toBe("go");
      const step: ClientStep = await cohort.deliver(5, cohort.collectMessage(5));
      expect(step).toMatchObject({ type: "aborted", state: { code }, complaint: { against: 2 } });
      const complaint = step.type === "aborted" && step.complaint;
      if (!complaint) throw new Error("a complaint");
      expect(await verifyComplaint(cohort.primitives, cohort.roster, positionNo(5), complaint)).toEqual({
        ok: true,
        value: undefined,
      });
      expect((await verifyComplaint(cohort.primitives, cohort.roster, positionNo(4), complaint)).ok).toBe(
        false,
      );
      const { sent, body } = cohort.device(5);
      expect(sent.map(({ type }) => type)).toEqual(["advertise", "share", "complaint"]);
      expect(body).toBeNull();
      expect(Object.keys(complaint).sort()).toEqual(["against", "sid", "signature", "type"]);
    },
  );

  test("[S9] one holder's box given to another does not open there", async () => {
    const cohort = await withBundleOf2((leaves) =>
      changed(leaves, 5, () => ({ ciphertext: leaves[5]?.ciphertext as Bytes })),
    );
    const step = await cohort.deliver(5, cohort.collectMessage(5));
    expect(step).toMatchObject({ state: { code: "SHARE_AUTH" }, complaint: { against: 2 } });
  });

  test("[S9] the coordinator's own changes cause no complaint about an honest dealer", async () => {
    for (const field of ["ciphertext", "zShareCommit", "root", "signature"] as const) {
      const cohort = await SecaggCohort.create({ count: 7, vectorLength: 20 });
      await cohort.advertiseAll();
      await cohort.shareAll();
      const { shares, ...rest } = cohort.collectMessage(5);
      const damaged = shares.map((share) =>
        share.dealer === 2 ? { ...share, [field]: flip(share[field]) } : share,
      );
      const step = await cohort.deliver(5, { ...rest, shares: damaged });
      expect(step).toMatchObject({ type: "aborted", state: { code: "SHARE_AUTH" }, complaint: null });
    }
  });

  test("[S9] a false complaint ends the attempt, but no message makes an honest device reveal anything for it", async () => {
    const cohort = await SecaggCohort.create({ count: 7, vectorLength: 20 });
    await cohort.run();
    const kinds = cohort.devices.flatMap(({ sent }) => sent.map(({ type }) => type));
    expect(new Set(kinds)).toEqual(new Set(["advertise", "share", "confirm", "unmask"]));
    // A device cannot complain about itself or about a stranger.
    for (const against of [5, 8]) {
      const complaint = {
        sid: cohort.roster.sidHex,
        against: against as never,
        signature: new Uint8Array(64),
      };
      const verdict = await verifyComplaint(cohort.primitives, cohort.roster, positionNo(5), complaint);
      expect(verdict).toEqual({ ok: false, error: "BAD_MESSAGE" });
    }
  });
});

/** The holder signs what it sends, so the signature does not expose it. */
async function resigned(cohort: SecaggCohort, device: CohortDevice, message: Unmask): Promise<Unmask> {
  const { roster, sets } = cohort;
  const hashes = { u2Hash: sets.u2.hash, u3Hash: sets.u3.hash };
  const item = unmaskItem(roster.sid, device.position, hashes, message.bShares, message.zShares);
  return { ...message, signature: await device.signer.sign(item) };
}

describe("a wrong share in R4", () => {
  /** Holders in `liars` give a wrong share of b of position 1 and of z of position 7, which dropped out. */
  async function opened(liars: readonly number[]): Promise<{ cohort: SecaggCohort; code: string | null }> {
    const cohort = await SecaggCohort.create({
      count: 7,
      vectorLength: 20,
      lastSteps: new Map([[7, "share"]]),
    });
    for (const step of ["advertiseAll", "shareAll", "collectAll", "confirmAll"] as const) {
      expect(await cohort[step]()).toBeNull();
    }
    const code = await cohort.openAll(async (device, message) => {
      if (!liars.includes(device.position)) return message;
      const wrong = (shares: Unmask["bShares"], owner: number) =>
        shares.map((held) => (held.owner === owner ? { ...held, share: flip(held.share) } : held));
      return resigned(cohort, device, {
        ...message,
        bShares: wrong(message.bShares, 1),
        zShares: wrong(message.zShares, 7),
      });
    });
    return { cohort, code };
  }

  test("[S9] names its holder, and spare shares make up for it", async () => {
    const { cohort, code } = await opened([3]);
    expect(code).toBeNull();
    expect([...cohort.openings.values()].map(({ holder, offCommitment }) => [holder, offCommitment])).toEqual(
      [
        [1, []],
        [2, []],
        [3, [1, 7]],
        [4, []],
        [5, []],
        [6, []],
      ],
    );
    const result = await cohort.finish();
    expect(result.kind === "committed" && result.sum).toEqual(cohort.oracle([1, 2, 3, 4, 5, 6]));
  });

  test("[S9] without spare shares the sum stays closed", async () => {
    const { cohort, code } = await opened([3, 4]);
    expect(code).toBe("BELOW_T");
    const counts = shareCounts(cohort.roster, cohort.sets, [...cohort.openings.values()]);
    expect([...counts]).toEqual(
      [1, 2, 3, 4, 5, 6, 7].map((owner) => [owner, [1, 7].includes(owner) ? 4 : 6]),
    );
    expect(await cohort.finish()).toMatchObject({ kind: "ended", code: "BELOW_T" });
  });
});

describe("shares of another secret than announced", () => {
  /** The dealer at position 2 deals well-committed shares of a different secret. */
  async function dealtWrongly(secret: "b" | "z", leaves: boolean): Promise<SecaggCohort> {
    const lastSteps = new Map<number, "share">(leaves ? [[2, "share"]] : []);
    const cohort = await SecaggCohort.create({ count: 7, vectorLength: 20, lastSteps });
    await cohort.advertiseAll();
    const { state } = cohort.device(2);
    if (state.phase !== "advertised") throw new Error("advertised");
    state[secret].reveal().fill(42);
    return cohort;
  }
  async function rest(cohort: SecaggCohort) {
    for (const step of ["shareAll", "collectAll", "confirmAll", "openAll"] as const)
      expect(await cohort[step]()).toBeNull();
    return cohort.finish();
  }

  test("[S9] name the dealer: BAD_B for a survivor", async () => {
    const cohort = await dealtWrongly("b", false);
    expect(await rest(cohort)).toMatchObject({ kind: "ended", code: "BAD_B", dealers: [2] });
    for (const { offCommitment } of cohort.openings.values()) expect(offCommitment).toEqual([]);
  });

  test("[S9] name the dealer: BAD_S for a dropout", async () => {
    expect(await rest(await dealtWrongly("z", true))).toMatchObject({
      kind: "ended",
      code: "BAD_S",
      dealers: [2],
    });
  });

  test("[S2] do no harm if that secret is not needed (positive control)", async () => {
    const survivor = await dealtWrongly("z", false);
    const sum = await rest(survivor);
    expect(sum.kind === "committed" && sum.sum).toEqual(survivor.oracle([1, 2, 3, 4, 5, 6, 7]));
    const dropout = await dealtWrongly("b", true);
    const without = await rest(dropout);
    expect(without.kind === "committed" && without.sum).toEqual(dropout.oracle([1, 3, 4, 5, 6, 7]));
  });
});
