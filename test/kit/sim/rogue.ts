import { DOMAINS, type Domain } from "#shared/crypto/domains.ts";
import { type Bytes, utf8 } from "#shared/kernel/bytes.ts";
import type { Primitives } from "#shared/kernel/ports.ts";

/*
 * Devices that cheat in their own arithmetic: the honest engine over primitives that lie about one thing. So they keep to
 * the protocol in every other respect, sign what they send, and are found out only where they should be.
 *
 * | flaw             | lies about                                | found by                       |
 * | ---------------- | ----------------------------------------- | ------------------------------ |
 * | wrong-b          | the commitment to its self mask's seed    | BAD_B where it survives        |
 * | wrong-z          | the seed of its key of the pair masks     | BAD_S where it drops out       |
 * | wrong-mask       | the key of its self mask                  | SENTINEL                       |
 * | wrong-pair-mask  | the keys of its pair masks                | SENTINEL                       |
 * | unreadable-share | the keys that seal its shares             | a complaint, before any input  |
 */
export type Flaw = "wrong-b" | "wrong-z" | "wrong-mask" | "wrong-pair-mask" | "unreadable-share";

const LIE_ABOUT: Record<Flaw, Domain> = {
  "wrong-b": DOMAINS.bCommit,
  "wrong-z": DOMAINS.sKey,
  "wrong-mask": DOMAINS.selfMask,
  "wrong-pair-mask": DOMAINS.pairMask,
  "unreadable-share": DOMAINS.shareEnc,
};

/** @param lies  Whether it lies at this moment. */
export function flawedPrimitives(honest: Primitives, flaw: Flaw, lies: () => boolean): Primitives {
  const domain = utf8(LIE_ABOUT[flaw]);
  /** Items begin with the length of their domain and the domain. */
  const concerns = (item: Bytes) =>
    item[3] === domain.length && domain.every((byte, index) => item[4 + index] === byte);
  const lie = (bytes: Bytes) => bytes.map((byte, index) => (index === 0 ? byte ^ 1 : byte));
  return {
    ...honest,
    sha256: async (bytes) => {
      const digest = await honest.sha256(bytes);
      return lies() && concerns(bytes) ? lie(digest) : digest;
    },
    hkdfSha256: async (inputKey, salt, info, byteCount) => {
      const key = await honest.hkdfSha256(inputKey, salt, info, byteCount);
      return lies() && concerns(info) ? lie(key) : key;
    },
  };
}
