import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  buildMerkleTree,
  merkleLeafHash,
  merklePath,
  merkleRoot,
  verifyInclusion,
} from "#shared/crypto/merkle.ts";
import { webCryptoPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { type Bytes, bytesToHex, hexToBytes } from "#shared/kernel/bytes.ts";

const primitives = webCryptoPrimitives(crypto.subtle);

/** RFC 6962 section 2.1 literally: recursive over the largest power of two below n. */
function oracleRoot(leaves: readonly Bytes[]): Buffer {
  const hash = (...parts: Uint8Array[]) => createHash("sha256").update(Buffer.concat(parts)).digest();
  if (leaves.length === 0) return hash();
  if (leaves.length === 1) return hash(Buffer.of(0), leaves[0] as Bytes);
  let k = 1;
  while (2 * k < leaves.length) k *= 2;
  return hash(Buffer.of(1), oracleRoot(leaves.slice(0, k)), oracleRoot(leaves.slice(k)));
}

describe("Merkle trees of RFC 6962", () => {
  // Inputs and roots of the certificate-transparency-go reference (merkletree tests), sizes 0 to 8.
  const inputs = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
  ].map(hexToBytes);
  const roots = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
  ];

  test.each(roots.map((root, size) => [size, root] as const))(
    "the known root of %i leaves",
    async (size, root) => {
      expect(bytesToHex(await merkleRoot(primitives, inputs.slice(0, size)))).toBe(root);
    },
  );

  test("every path of every tree up to 20 leaves verifies, and only in its own place", async () => {
    for (let size = 1; size <= 20; size++) {
      const leaves = Array.from({ length: size }, (_, index) => Uint8Array.of(index, size));
      const hashes = await Promise.all(leaves.map((leaf) => merkleLeafHash(primitives, leaf)));
      const tree = await buildMerkleTree(primitives, hashes);
      expect(bytesToHex(tree.root)).toBe(oracleRoot(leaves).toString("hex"));
      for (let index = 0; index < size; index++) {
        const leafHash = hashes[index] as Bytes;
        const claim = { leafHash, index, size, path: merklePath(tree, index), root: tree.root };
        expect(await verifyInclusion(primitives, claim)).toBe(true);
        for (let other = 0; other < size; other++) {
          if (other !== index)
            expect(await verifyInclusion(primitives, { ...claim, index: other })).toBe(false);
        }
        const longer = { ...claim, path: [...claim.path, leafHash] };
        expect(await verifyInclusion(primitives, longer)).toBe(false);
        if (claim.path.length > 0) {
          expect(await verifyInclusion(primitives, { ...claim, path: claim.path.slice(1) })).toBe(false);
        }
      }
    }
  });

  test("[S5] malformed claims are false, not a fault", async () => {
    const leafHash = await merkleLeafHash(primitives, Uint8Array.of(1));
    const good = { leafHash, index: 0, size: 1, path: [], root: leafHash };
    expect(await verifyInclusion(primitives, good)).toBe(true);
    for (const bad of [
      { ...good, index: -1 },
      { ...good, index: 0.5 },
      { ...good, index: 1 },
      { ...good, size: 0 },
      { ...good, size: 2 ** 60 },
      { ...good, leafHash: new Uint8Array(31) },
      { ...good, size: 2, path: [new Uint8Array(5)] },
      { ...good, root: new Uint8Array(0) },
    ]) {
      expect(await verifyInclusion(primitives, bad)).toBe(false);
    }
  });

  test("a leaf cannot pass for a node", async () => {
    const [a, b] = [Uint8Array.of(1), Uint8Array.of(2)];
    const [hashA, hashB] = [await merkleLeafHash(primitives, a), await merkleLeafHash(primitives, b)];
    const asLeaf = await merkleRoot(primitives, [new Uint8Array([...hashA, ...hashB])]);
    expect(asLeaf).not.toEqual(await merkleRoot(primitives, [a, b]));
  });
});
