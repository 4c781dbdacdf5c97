import { DOMAINS } from "../crypto/domains.ts";
import { E } from "../crypto/encode.ts";
import { bytesToHex, hexToBytes } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import type { HashHex } from "../protocol/ids.ts";
import type { OwnCode } from "../protocol/own-code.ts";

/** The hash is SHA-256(E("chorus/1/code", version, shell hash, commit)); what is not known is empty (A51). */
export async function ownCode(
  primitives: Primitives,
  version: string,
  { shellHash, commit }: Omit<OwnCode, "hash">,
): Promise<OwnCode> {
  const item = E(DOMAINS.code, version, hexToBytes(shellHash ?? ""), commit ?? "");
  return { hash: bytesToHex(await primitives.sha256(item)) as HashHex, shellHash, commit };
}
