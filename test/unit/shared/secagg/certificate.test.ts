import { expect, test } from "vitest";
import { javascriptPrimitives } from "#shared/crypto/primitives-javascript.ts";
import { localSigner } from "#shared/crypto/signature.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import type { HashHex } from "#shared/protocol/ids.ts";
import { certifies } from "#shared/secagg/certificate.ts";
import { certificateItem } from "#shared/secagg/signed-items.ts";
import { seededRandom } from "#test/kit/secagg-fixtures.ts";

/* What has verified once is remembered, and nothing else. */

async function setUp() {
  let verified = 0;
  const plain = javascriptPrimitives();
  const primitives: Primitives = {
    ...plain,
    ed25519VerifyLoose: (...claim) => {
      verified += 1;
      return plain.ed25519VerifyLoose(...claim);
    },
  };
  const random = seededRandom("certificates");
  const [issuer, other] = [localSigner(random(32)), localSigner(random(32))];
  const identity = localSigner(random(32)).publicKey;
  const config = { projectId: "default", issuerKey: bytesToHex(issuer.publicKey) as HashHex };
  const certificate = await issuer.sign(certificateItem("default", identity));
  return { primitives, other, identity, config, certificate, random, verified: () => verified };
}

test("[S5] a certificate is verified once, and again for any other identity that shows it", async () => {
  const { primitives, other, identity, config, certificate, random, verified } = await setUp();
  for (let round = 0; round < 3; round++)
    expect(await certifies(primitives, config, identity, certificate)).toBe(true);
  expect(verified()).toBe(1);
  const stranger = localSigner(random(32)).publicKey;
  expect(await certifies(primitives, config, stranger, certificate)).toBe(false);
  const elsewhere = { ...config, projectId: "other" };
  expect(await certifies(primitives, elsewhere, identity, certificate)).toBe(false);
  const byAnother = { ...config, issuerKey: bytesToHex(other.publicKey) as HashHex };
  expect(await certifies(primitives, byAnother, identity, certificate)).toBe(false);
  const changed = certificate.slice();
  changed[40] = (changed[40] as number) ^ 1;
  expect(await certifies(primitives, config, identity, changed)).toBe(false);
});

test("[S5] a refusal is not remembered", async () => {
  const { primitives, identity, config, certificate, verified } = await setUp();
  const wrong = certificate.slice();
  wrong[40] = (wrong[40] as number) ^ 1;
  expect(await certifies(primitives, config, identity, wrong)).toBe(false);
  expect(await certifies(primitives, config, identity, certificate)).toBe(true);
  expect(await certifies(primitives, config, identity, wrong)).toBe(false);
  expect(verified()).toBe(3);
});

test("[S5] the memory is bounded: the oldest is verified again", async () => {
  const { primitives, identity, config, certificate } = await setUp();
  let asked = 0;
  const counting: Primitives = {
    ...primitives,
    ed25519VerifyLoose: async () => {
      asked += 1;
      return true;
    },
  };
  await certifies(counting, config, identity, certificate);
  for (let index = 0; index < 4_096; index++) {
    const other = new Uint8Array(identity);
    new DataView(other.buffer).setUint32(0, index);
    await certifies(counting, config, other, certificate);
  }
  expect(asked).toBe(4_097);
  await certifies(counting, config, identity, certificate);
  expect(asked).toBe(4_098);
});
