import { createHash, createPublicKey, verify } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { hexToBytes } from "#shared/kernel/bytes.ts";
import { configHash, openAttempt, roundIdOf } from "#shared/secagg/attempt.ts";
import { testConfig } from "#test/kit/secagg-fixtures.ts";
import { lastSent } from "#test/kit/worlds/cohort-device.ts";
import { SecaggCohort } from "#test/kit/worlds/secagg-cohort.ts";

/*
 * The signed and hashed bytes of a whole attempt, written a second time from the protocol's tables with Node's own
 * buffers, hashes and signatures.
 */

type Item = string | number | Uint8Array;

function encode(...items: readonly Item[]): Buffer {
  return Buffer.concat(
    items.flatMap((item) => {
      const bytes = typeof item === "number" ? Buffer.alloc(4) : Buffer.from(item as string);
      if (typeof item === "number") bytes.writeUInt32BE(item);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
}
const sha256 = (...parts: readonly Uint8Array[]) =>
  createHash("sha256").update(Buffer.concat(parts)).digest();

function isSigned(identity: Uint8Array, item: Buffer, signature: Uint8Array): boolean {
  const der = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), identity]);
  return verify(null, item, createPublicKey({ key: der, format: "der", type: "spki" }), signature);
}

/** RFC 6962 section 2.1, by its recursive definition. */
function treeHead(leaves: readonly Uint8Array[]): Buffer {
  if (leaves.length === 1) return sha256(Uint8Array.of(0), leaves[0] as Uint8Array);
  let split = 1;
  while (2 * split < leaves.length) split *= 2;
  return sha256(Uint8Array.of(1), treeHead(leaves.slice(0, split)), treeHead(leaves.slice(split)));
}

describe("bytes on the wire", () => {
  let cohort: SecaggCohort;
  let header: Buffer;
  let sid: Buffer;
  beforeAll(async () => {
    // 20,000 words are 80,000 bytes: two chunks. Position 4 leaves after sharing.
    cohort = await SecaggCohort.create({
      count: 5,
      vectorLength: 20_000,
      lastSteps: new Map([[4, "share"]]),
    });
    const result = await cohort.run();
    expect(result.kind).toBe("committed");
    const { terms } = cohort.attempt;
    const hash = (value: object) => JSON.stringify(value, [...keysOf(value)].sort());
    header = encode(
      "chorus/1/header",
      terms.runId,
      terms.round,
      terms.attempt,
      0,
      sha256(encode("chorus/1/config", hash(terms.config))),
      sha256(encode("chorus/1/round-params", hash(terms.roundParams))),
      Buffer.from(terms.modelHash, "hex"),
    );
    const adverts = cohort.members.map(({ identity, c, s, bCommit }) =>
      encode("chorus/1/advert", header, identity, c, s, bCommit),
    );
    sid = sha256(encode("chorus/1/sid", header, ...adverts));
  });

  test("[S5] the header and the session id bind the terms and the roster", () => {
    expect(Buffer.from(cohort.attempt.header)).toEqual(header);
    expect(cohort.roster.sidHex).toBe(sid.toString("hex"));
    for (const { identity, c, s, bCommit, signature } of cohort.members) {
      const advert = encode("chorus/1/advert", header, identity, c, s, bCommit);
      expect(isSigned(identity, advert, signature)).toBe(true);
    }
  });

  test("[S5] bundles, inputs, confirmations and openings are signed as the tables say", () => {
    const setOf = (bits: number) => sha256(encode("chorus/1/set", sid, Uint8Array.of(bits)));
    const [u2, u3] = [setOf(0b11111), setOf(0b10111)];
    for (const device of cohort.devices) {
      const { position, body } = device;
      const identity = device.signer.publicKey;
      const share = lastSent(device, "share");
      const leaves = share.leaves.map(({ ciphertext, zShareCommit, bShareCommit }, index) =>
        encode("chorus/1/share-leaf", index + 1, sha256(ciphertext), zShareCommit, bShareCommit),
      );
      const bundle = encode("chorus/1/bundle", sid, position, treeHead(leaves));
      expect(isSigned(identity, bundle, share.signature)).toBe(true);
      if (position === 4) continue;

      const bytes = Buffer.from(body as Uint8Array);
      const root = treeHead([bytes.subarray(0, 65_536), bytes.subarray(65_536)]);
      const input = encode("chorus/1/input", sid, position, u2, 80_000, root, 0, Buffer.alloc(32));
      const signature = cohort.inputHeaders.get(position)?.signature as string;
      expect(isSigned(identity, input, hexToBytes(signature))).toBe(true);
      expect(cohort.inputHeaders.get(position)?.sha256).toBe(sha256(bytes).toString("hex"));
      expect(cohort.inputHeaders.get(position)?.root).toBe(root.toString("hex"));

      const sets = encode("chorus/1/sets", sid, u2, u3);
      expect(isSigned(identity, sets, lastSent(device, "confirm").signature)).toBe(true);

      const unmask = lastSent(device, "unmask");
      expect(unmask.bShares.map(({ owner }) => owner)).toEqual([1, 2, 3, 5]);
      expect(unmask.zShares.map(({ owner }) => owner)).toEqual([4]);
      const shares = [...unmask.bShares, ...unmask.zShares].flatMap(({ owner, share: value }) => [
        owner,
        value,
      ]);
      const item = encode("chorus/1/unmask", sid, position, u2, u3, 4, ...shares);
      expect(isSigned(identity, item, unmask.signature)).toBe(true);
    }
  });

  test("[S6] each field of the config and of the terms changes the header", async () => {
    const { primitives, attempt } = cohort;
    const { terms } = attempt;
    const base = testConfig();
    const changed = Object.keys(base).map((key) => ({ ...base, [key]: "changed" }));
    const hashes = await Promise.all([base, ...changed].map((config) => configHash(primitives, config)));
    expect(new Set(hashes.map(String)).size).toBe(Object.keys(base).length + 1);
    const training = { ...terms.roundParams.training, epochs: 2 };
    const variants = [
      terms,
      { ...terms, runId: "0".repeat(32) },
      { ...terms, round: 2 },
      { ...terms, attempt: 2 },
      { ...terms, config: { ...terms.config, cohortSizeMin: 4 } },
      { ...terms, roundParams: { ...terms.roundParams, training } },
      { ...terms, roundParams: { ...terms.roundParams, purpose: "evaluate" as const } },
      { ...terms, modelHash: "0".repeat(64) },
    ];
    const headers = await Promise.all(variants.map((variant) => openAttempt(primitives, variant)));
    expect(new Set(headers.map(({ header: bytes }) => String(bytes))).size).toBe(variants.length);
  });

  test("a round's id does not depend on the attempt", async () => {
    const { runId } = cohort.attempt.terms;
    const expected = sha256(encode("chorus/1/round-id", runId, 3))
      .toString("hex")
      .slice(0, 32);
    expect(await roundIdOf(cohort.primitives, runId, 3)).toBe(expected);
  });
});

/** All keys of a tree, for the replacer of JSON.stringify, which then writes them in this order at every level. */
function keysOf(value: object): Set<string> {
  const keys = new Set<string>();
  JSON.stringify(value, (key, inner) => {
    if (key !== "") keys.add(key);
    return inner;
  });
  return keys;
}
