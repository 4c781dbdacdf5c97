import { expect, test } from "vitest";
import { merklePath, merkleRoot } from "#shared/crypto/merkle.ts";
import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import { inputsTree } from "#shared/secagg/opening.ts";
import { type OwnInput, ownInputShown } from "#shared/transcript/own-input.ts";
import { seededRandom } from "#test/kit/secagg-fixtures.ts";
import { proofsOf } from "#web/words/contribution.ts";

const primitives = await selectPrimitives(globalThis.crypto.subtle);
const random = seededRandom("own input");
const roots = Array.from({ length: 5 }, () => random(32));
const tree = await inputsTree(primitives, roots);
const inputsRoot = bytesToHex(tree.root);
const own = (index: number): OwnInput => ({
  root: bytesToHex(roots[index] ?? new Uint8Array(32)),
  survivorCount: 5,
  proof: { inputsRoot, leafIndex: index, path: merklePath(tree, index).map(bytesToHex) },
});
const other = "ab".repeat(32);

test("[A7] a device's list is in the sum that everyone is shown, with one sum or several", async () => {
  for (const index of roots.keys()) {
    expect(await ownInputShown(primitives, own(index), { inputsRoot })).toBe("shown");
  }
  const sessions = [{ inputsRoot: other }, { inputsRoot }];
  const over = bytesToHex(await merkleRoot(primitives, [Buffer.from(other, "hex"), tree.root]));
  expect(await ownInputShown(primitives, own(2), { inputsRoot: over, transcript: { sessions } })).toBe(
    "shown",
  );
});

test("[A7] it is not if everyone is shown another root, or if the list leads to none", async () => {
  expect(await ownInputShown(primitives, own(1), { inputsRoot: other })).toBe("other-root");
  expect(await ownInputShown(primitives, own(1), { inputsRoot: null })).toBe("not-published");
  // Sessions that do not make up the round's root prove nothing.
  const sessions = [{ inputsRoot: other }, { inputsRoot }];
  expect(await ownInputShown(primitives, own(1), { inputsRoot: other, transcript: { sessions } })).toBe(
    "other-root",
  );
  for (const wrong of [{ root: other }, { survivorCount: 4 }, { proof: { ...own(1).proof, leafIndex: 2 } }]) {
    expect(await ownInputShown(primitives, { ...own(1), ...wrong }, { inputsRoot })).toBe("not-under-root");
  }
});

test("[A7] the page says which of them, in words", () => {
  const { proof } = own(0);
  const outcome = {
    kind: "committed",
    survivorCount: 5,
    modelHash: other,
    included: true,
    proof,
    at: 0,
  } as const;
  const kinds = (["shown", "other-root", "not-under-root", "not-published"] as const).map((shown) => {
    const known = { needed: null, helped: false, logged: null };
    expect(proofsOf(outcome, { ...known, shown: null })).toHaveLength(1);
    return proofsOf(outcome, { ...known, shown })[1]?.kind;
  });
  expect(kinds).toEqual(["done", "refused", "refused", "unknown"]);
});
