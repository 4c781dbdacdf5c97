import { DOMAINS } from "../crypto/domains.ts";
import { E } from "../crypto/encode.ts";
import { type Bytes, hexToBytes } from "../kernel/bytes.ts";
import type { Position } from "../kernel/places.ts";
import type { LogHead } from "../protocol/ids.ts";

/*
 * All `E(...)` that an identity key or the issuer's key signs. Both signers and verifiers build them here.
 *
 * | item        | fields after the domain                                                              | by     |
 * | ----------- | ------------------------------------------------------------------------------------ | ------ |
 * | certificate | projectId, P                                                                         | issuer |
 * | login       | challenge, projectId, taskSlug, P                                                    | device |
 * | advert      | H, P, C, S, bCommit                                                                  | device |
 * | bundle      | sid, u, root                                                                         | device |
 * | input       | sid, u, setHash(U2), byteLength, root, logSize, logRoot                              | device |
 * | sets        | sid, setHash(U2), setHash(U3)                                                        | device |
 * | unmask      | sid, u, setHash(U2), setHash(U3), count of b-shares, then (owner, share) of b, of z | device |
 * | complaint   | sid, u, v                                                                            | device |
 */

export function certificateItem(projectId: string, identity: Bytes): Bytes {
  return E(DOMAINS.certificate, projectId, identity);
}

export function loginItem(challenge: Bytes, projectId: string, taskSlug: string, identity: Bytes): Bytes {
  return E(DOMAINS.login, challenge, projectId, taskSlug, identity);
}

/** The public keys of one attempt. */
export interface AdvertKeys {
  readonly identity: Bytes;
  /** X25519, for sealing shares. */
  readonly c: Bytes;
  /** X25519, for pair masks. */
  readonly s: Bytes;
  readonly bCommit: Bytes;
}

/** A_i. The session id is made of these too. */
export function advertItem(header: Bytes, keys: AdvertKeys): Bytes {
  return E(DOMAINS.advert, header, keys.identity, keys.c, keys.s, keys.bCommit);
}

export function bundleItem(sid: Bytes, dealer: Position, root: Bytes): Bytes {
  return E(DOMAINS.bundle, sid, dealer, root);
}

/** What is signed if the config names no log. */
const NO_LOG: LogHead = { size: 0, root: "0".repeat(64) as LogHead["root"] };

/** @param log  The state of the public log that the device saw (A42); null if its config names none. */
export function inputItem(
  sid: Bytes,
  position: Position,
  u2Hash: Bytes,
  byteCount: number,
  root: Bytes,
  log: LogHead | null,
): Bytes {
  const head = log ?? NO_LOG;
  return E(DOMAINS.input, sid, position, u2Hash, byteCount, root, head.size, hexToBytes(head.root));
}

export function setsItem(sid: Bytes, u2Hash: Bytes, u3Hash: Bytes): Bytes {
  return E(DOMAINS.sets, sid, u2Hash, u3Hash);
}

/** A share and the device whose secret it is a share of. */
export interface OwnedShare {
  readonly owner: Position;
  readonly share: Bytes;
}

export function unmaskItem(
  sid: Bytes,
  position: Position,
  setHashes: { readonly u2Hash: Bytes; readonly u3Hash: Bytes },
  bShares: readonly OwnedShare[],
  zShares: readonly OwnedShare[],
): Bytes {
  const shares = [...bShares, ...zShares].flatMap(({ owner, share }) => [owner, share]);
  return E(DOMAINS.unmask, sid, position, setHashes.u2Hash, setHashes.u3Hash, bShares.length, ...shares);
}

export function complaintItem(sid: Bytes, position: Position, against: Position): Bytes {
  return E(DOMAINS.complaint, sid, position, against);
}
