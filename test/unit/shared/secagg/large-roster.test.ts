import { describe, expect, test } from "vitest";
import { merklePath } from "#shared/crypto/merkle.ts";
import { fieldFor, GF_65536 } from "#shared/crypto/shamir.ts";
import { decodeFrame, encodeFrame } from "#shared/protocol/frame.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { coordinatorMessageSchema } from "#shared/protocol/messages/coordinator.ts";
import { deviceMessageSchema } from "#shared/protocol/messages/device.ts";
import { bundleTree, SEALED_SHARE_BYTES, type ShareLeaf } from "#shared/secagg/bundle.ts";
import { shardOf, shardPlanOf } from "#shared/secagg/shard-plan.ts";
import { fakePrimitives, fakeSigner } from "#test/kit/fakes/fake-primitives.ts";
import { positionNo } from "#test/kit/places.ts";
import { seededRandom } from "#test/kit/secagg-fixtures.ts";
import { type LastStep, lastSent } from "#test/kit/worlds/cohort-device.ts";
import { SecaggCohort } from "#test/kit/worlds/secagg-cohort.ts";

const random = seededRandom("large roster");
const MAX = LIMITS.rosterSizeMax;
const list = <Item>(count: number, item: (index: number) => Item) =>
  Array.from({ length: count }, (_, index) => item(index));

describe("messages of the largest roster", () => {
  const leaf = (): ShareLeaf => ({
    ciphertext: random(SEALED_SHARE_BYTES),
    zShareCommit: random(32),
    bShareCommit: random(32),
  });
  const sid = "ab".repeat(32);
  const signature = random(64);
  const bitmap = new Uint8Array(125).fill(255);
  const attempt = { runId: "01".repeat(16), round: 100_000, attempt: 3 };

  /** Each with `count` entries of the largest size. */
  async function messagesOf(count: number) {
    const leaves = list(count, leaf);
    const holders = list(count, (index) => index + 1);
    const tree = await bundleTree(fakePrimitives(), holders.map(positionNo), leaves);
    const share = (owner: number) => ({ owner, share: random(32) });
    const fromCoordinator = {
      roster: {
        type: "roster",
        ...attempt,
        members: list(count, () => ({
          identity: random(32),
          c: random(32),
          s: random(32),
          bCommit: random(32),
          certificate: signature,
          signature,
        })),
        deadlineInMs: 30_000,
      },
      collect: {
        type: "collect",
        sid,
        u2: bitmap,
        shares: list(count, (index) => ({
          ...(leaves[index] as ShareLeaf),
          dealer: index + 1,
          path: merklePath(tree, 0),
          root: tree.root,
          signature,
        })),
        slot: "s".repeat(43),
        deadlineInMs: 30_000,
      },
      open: {
        type: "open",
        sid,
        u2: bitmap,
        u3: bitmap,
        confirmations: holders.map((signer) => ({ signer, signature })),
        deadlineInMs: 30_000,
      },
    };
    const fromDevice = {
      share: { type: "share", sid, leaves, signature },
      unmask: { type: "unmask", sid, bShares: holders.map(share), zShares: [], signature },
    };
    return { fromCoordinator, fromDevice };
  }

  test("[W3] those of 1,000 devices fit a frame with room to spare, and are read", async () => {
    const { fromCoordinator, fromDevice } = await messagesOf(MAX);
    expect(MAX).toBe(1_000);
    const byteCounts: number[] = [];
    for (const message of Object.values(fromCoordinator)) {
      const frame = encodeFrame(message);
      byteCounts.push(frame.length);
      expect(decodeFrame(frame, coordinatorMessageSchema)).toMatchObject({ ok: true });
    }
    for (const message of Object.values(fromDevice)) {
      const frame = encodeFrame(message);
      byteCounts.push(frame.length);
      expect(decodeFrame(frame, deviceMessageSchema)).toMatchObject({ ok: true });
    }
    expect(Math.max(...byteCounts)).toBeLessThan(0.9 * LIMITS.frameByteCountMax);
  });

  test("[W3] one entry more is refused", async () => {
    const { fromCoordinator, fromDevice } = await messagesOf(MAX + 1);
    for (const message of Object.values(fromCoordinator)) {
      expect(decodeFrame(encodeFrame(message), coordinatorMessageSchema)).toMatchObject({ ok: false });
    }
    for (const message of Object.values(fromDevice)) {
      expect(decodeFrame(encodeFrame(message), deviceMessageSchema)).toMatchObject({ ok: false });
    }
  });
});

describe("one complete graph above 255 devices", () => {
  test("[S2] shares over GF(2^16) open the exact sum of 130 of 256", async () => {
    // Few of them share, to keep the test fast: t = 129 if the coordinator follows the protocol.
    const lastSteps = new Map<number, LastStep>(
      list(126, (index) => [2 * index + 1, index < 3 ? "share" : "advertise"] as const),
    );
    const config = { cohortSizeMax: 256, securityModel: "honest-but-curious" } as const;
    const cohort = await SecaggCohort.create({ count: 256, fake: true, vectorLength: 8, config, lastSteps });
    const result = await cohort.run();
    expect(cohort.roster.thresholds).toMatchObject({ rosterSize: 256, t: 129 });
    expect(fieldFor(cohort.roster.members.length)).toBe(GF_65536);
    const survivors = cohort.devices.map(({ position }) => position).filter((p) => !lastSteps.has(p));
    expect(survivors).toHaveLength(130);
    expect(result.kind === "committed" && result.sum).toEqual(cohort.oracle(survivors));
    const last = cohort.device(256);
    expect(lastSent(last, "share").leaves).toHaveLength(256);
    // z of the three that shared and sent no input, b of all others.
    expect(lastSent(last, "unmask").zShares.map(({ owner }): number => owner)).toEqual([1, 3, 5]);
  });
});

describe("a roster of one shard", () => {
  const config = { graph: { kind: "shards", size: 8, count: 3 } } as const;
  const terms = { runId: "0192f0c0ffee7000800000000000beef", round: 1, modelHash: "33".repeat(32) };
  const plan = shardPlanOf({ ...terms, config });
  const candidates = list(200, () => fakeSigner(random(32)));
  const signersOf = (shard: number, count: number) =>
    candidates.filter(({ publicKey }) => shardOf(plan, publicKey) === shard).slice(0, count);
  const cohortOf = (signers: typeof candidates, shard: number) =>
    SecaggCohort.create({
      count: signers.length,
      signers,
      fake: true,
      config,
      terms: { ...terms, shard },
    });

  test("[S6] [S16] is refused if one member belongs elsewhere, or if the shard is not its own", async () => {
    const home = signersOf(1, 12);
    expect(home).toHaveLength(12);
    const strangers = await cohortOf([...home.slice(1), ...signersOf(2, 1)], 1);
    expect(await strangers.advertiseAll()).toBe("CONFIG");
    const elsewhere = await cohortOf(home, 0);
    expect(await elsewhere.advertiseAll()).toBe("CONFIG");
    // All of one shard succeed (positive control).
    const all = await cohortOf(home, 1);
    expect(await all.run()).toMatchObject({ kind: "committed" });
    expect(all.roster.thresholds.c).toBe(2);
  });
});
