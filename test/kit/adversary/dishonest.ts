import { hexToBytes } from "#shared/kernel/bytes.ts";
import { bundleTree } from "#shared/secagg/bundle.ts";
import { bundleItem } from "#shared/secagg/signed-items.ts";
import type { MemoryDevice } from "../devices/memory-device.ts";
import { positionNo } from "../places.ts";

/** Puts noise for one holder into the first bundle and signs it like a share; only that holder can tell. */
export function noiseForOne(dealer: MemoryDevice): MemoryDevice["tamper"] {
  let spoiled = false;
  return async (message) => {
    if (message.type !== "share" || spoiled) return message;
    spoiled = true;
    const own = message.leaves.findIndex((leaf) => leaf.ciphertext.length === 0);
    const victim = own === 0 ? 1 : 0;
    const leaves = message.leaves.map((leaf, index) =>
      index === victim ? { ...leaf, ciphertext: new Uint8Array(leaf.ciphertext.length).fill(7) } : leaf,
    );
    const holders = leaves.map((_, index) => index + 1);
    const { root } = await bundleTree(dealer.tools.primitives, holders.map(positionNo), leaves);
    const signature = await dealer.tools.signer.sign(
      bundleItem(hexToBytes(message.sid), positionNo(own + 1), root),
    );
    return { ...message, leaves, signature };
  };
}
