import { DOMAINS, type Domain } from "#shared/crypto/domains.ts";
import { type Bytes, bytesToHex, utf8 } from "#shared/kernel/bytes.ts";
import type { Primitives, Signer } from "#shared/kernel/ports.ts";
import type { DeviceMessage, DeviceMessageOf } from "#shared/protocol/messages/device.ts";

/*
 * Devices that cheat in their own arithmetic: the honest engine over primitives that lie about one thing. So they follow the
 * protocol in every other respect, sign what they send, and are detected only where they should be.
 *
 * | flaw             | lies about                                | detected by                    |
 * | ---------------- | ----------------------------------------- | ------------------------------ |
 * | wrong-b          | the commitment to its self mask's seed    | BAD_B if it survives           |
 * | wrong-z          | the seed of its pair masks' key           | BAD_S if it drops out          |
 * | wrong-mask       | the key of its self mask                  | SENTINEL                       |
 * | wrong-pair-mask  | the keys of its pair masks                | SENTINEL                       |
 * | unreadable-share | the keys that seal its shares             | a complaint, before any input  |
 * | wrong-share      | the last share that it gives in R4        | the share's commitment         |
 */
export type Flaw =
  | "wrong-b"
  | "wrong-z"
  | "wrong-mask"
  | "wrong-pair-mask"
  | "unreadable-share"
  | "wrong-share";

const LIE_ABOUT: Record<Flaw, Domain> = {
  "wrong-share": DOMAINS.unmask,
  "wrong-b": DOMAINS.bCommit,
  "wrong-z": DOMAINS.sKey,
  "wrong-mask": DOMAINS.selfMask,
  "wrong-pair-mask": DOMAINS.pairMask,
  "unreadable-share": DOMAINS.shareEnc,
};

/** The tools with which a device cheats. */
export interface Rogue {
  readonly primitives: Primitives;
  readonly signer: Signer;
  /** What it sends instead of a message. */
  readonly tamper: (message: DeviceMessage) => DeviceMessage;
}

export function honest(primitives: Primitives, signer: Signer): Rogue {
  return { primitives, signer, tamper: (message) => message };
}

/** @param lies  True while it lies. */
export function rogue(primitives: Primitives, signer: Signer, flaw: Flaw, lies: () => boolean): Rogue {
  const domain = utf8(LIE_ABOUT[flaw]);
  /** Items begin with the length of their domain, then the domain. */
  const liesAbout = (item: Bytes) =>
    lies() && item[3] === domain.length && domain.every((byte, index) => item[4 + index] === byte);
  const signedLies = new Set<string>();
  return {
    primitives: {
      ...primitives,
      sha256: async (bytes) => {
        const digest = await primitives.sha256(bytes);
        return liesAbout(bytes) ? changed(digest, 0) : digest;
      },
      hkdfSha256: async (inputKey, salt, info, byteCount) => {
        const key = await primitives.hkdfSha256(inputKey, salt, info, byteCount);
        return liesAbout(info) ? changed(key, 0) : key;
      },
    },
    signer: {
      publicKey: signer.publicKey,
      sign: async (item) => {
        if (!liesAbout(item)) return signer.sign(item);
        // The last bytes of an opening are its last share.
        const signature = await signer.sign(changed(item, item.length - 1));
        signedLies.add(bytesToHex(signature));
        return signature;
      },
    },
    tamper: (message) =>
      message.type === "unmask" && signedLies.has(bytesToHex(message.signature))
        ? wrongShare(message)
        : message,
  };
}

function wrongShare(message: DeviceMessageOf<"unmask">): DeviceMessage {
  const name = message.zShares.length > 0 ? "zShares" : "bShares";
  const last = message[name].length - 1;
  const shares = message[name].map((one, index) =>
    index === last ? { ...one, share: changed(one.share, one.share.length - 1) } : one,
  );
  return { ...message, [name]: shares };
}

/** The same bytes with one changed. */
function changed(bytes: Bytes, at: number): Bytes {
  const other = bytes.slice();
  other[at] = (other[at] as number) ^ 1;
  return other;
}
