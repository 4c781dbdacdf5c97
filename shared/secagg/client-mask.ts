import { wordsToBytes } from "../codec/vector-bytes.ts";
import { pairMaskSign, selfMaskKey } from "../crypto/key-agreement.ts";
import { addMasks, type Mask } from "../crypto/mask-stream.ts";
import { verifyInclusion } from "../crypto/merkle.ts";
import { verifySignature } from "../crypto/signature.ts";
import { assert, present } from "../kernel/assert.ts";
import { type Bytes, bytesToHex } from "../kernel/bytes.ts";
import type { Position } from "../kernel/places.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import { Secret } from "../kernel/secret.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import type { HashHex } from "../protocol/ids.ts";
import type { CoordinatorMessageOf } from "../protocol/messages/coordinator.ts";
import { agreedVectorLength } from "../task/config.ts";
import { openShares, type SharePair, shareLeafHash, shareMatches } from "./bundle.ts";
import type { ClientTools, Masked, MaskedInput, MessageTools, Shared } from "./client-state.ts";
import { inputRoot } from "./input.ts";
import { type PositionSet, setOfBitmap } from "./position-sets.ts";
import { holdersIn, memberAt, neighboursOf, reachesThreshold } from "./roster.ts";
import { bundleItem, inputItem } from "./signed-items.ts";

type Collect = CoordinatorMessageOf<"collect">;

/** Why R2 is not sent. `against` is the dealer of a wrong signed share, about whom the device complains. */
export interface MaskRefusal {
  readonly code: ErrorCode;
  readonly against: Position | null;
}

/**
 * R2: opens the shares of U2, checks each against its dealer's commitment, and masks the input.
 *
 * Errors: `ME_DROPPED`, `U2_BELOW_T`, `BAD_MESSAGE` if the shares are not those of U2, `SHARE_AUTH` and `SHARE_CTX`.
 * Rules S3, S5, S9.
 */
export async function maskInput(
  tools: MessageTools,
  state: Shared,
  message: Collect,
  heard: Bytes,
): Promise<Result<Masked, MaskRefusal>> {
  const { roster, position } = state;
  const u2 = await setOfBitmap(tools.primitives, roster, message.u2);
  if (!u2.ok) return refuseMasking("BAD_MESSAGE");
  const inU2 = new Set(u2.value.positions);
  if (!inU2.has(position)) return refuseMasking("ME_DROPPED");
  if (inU2.size < roster.thresholds.q) return refuseMasking("U2_BELOW_T");
  const dealers = neighboursOf(roster, position).filter((neighbour) => inU2.has(neighbour));
  // Require t of its own holders: fewer could not rebuild the secrets that open the sum.
  if (!reachesThreshold(roster, position, inU2)) return refuseMasking("U2_BELOW_T");
  if (message.shares.map(({ dealer }) => dealer).join() !== dealers.join())
    return refuseMasking("BAD_MESSAGE");

  const received = new Map<Position, SharePair>();
  const verdicts = await Promise.all(message.shares.map((sealed) => receiveShare(tools, state, sealed)));
  for (const [index, verdict] of verdicts.entries()) {
    if (verdict.ok) received.set(dealers[index] as Position, verdict.value);
  }
  const refused = verdicts.find((verdict) => !verdict.ok);
  if (refused !== undefined) {
    for (const { z, b } of received.values()) for (const share of [z, b]) share.fill(0);
    return refused;
  }

  const { answer, root } = await maskAndSign(tools, state, u2.value, dealers, await tools.makeInput());
  state.b.wipe();
  for (const key of [...state.pairMaskKeys.values(), ...state.openingKeys.values()]) key.wipe();
  const shares = new Map(
    [...received].map(([owner, { z, b }]) => [owner, { z: new Secret(z), b: new Secret(b) }] as const),
  );
  return ok({
    phase: "masked",
    turn: state.turn,
    roster,
    position,
    heard: { ...state.heard, collect: heard },
    u2: u2.value,
    shares: new Map<Position, { z: Secret<Bytes> | null; b: Secret<Bytes> }>([
      ...shares,
      [position, { z: null, b: state.ownBShare }],
    ]),
    inputRoot: root,
    answer,
  });
}

async function receiveShare(
  { primitives }: ClientTools,
  { roster, position, openingKeys }: Shared,
  sealed: Collect["shares"][number],
): Promise<Result<SharePair, MaskRefusal>> {
  const { dealer, root, path, signature } = sealed;
  const included = await verifyInclusion(primitives, {
    leafHash: await shareLeafHash(primitives, position, sealed),
    index: roster.graph.rankOf(dealer, position) - 1,
    size: holdersIn(roster, dealer).length,
    path,
    root,
  });
  const item = bundleItem(roster.sid, dealer, root);
  const signed = await verifySignature(primitives, memberAt(roster, dealer).identity, item, signature);
  // Not signed by the dealer, so the coordinator may have made it up: do not complain about the dealer.
  if (!included || !signed) return refuseMasking("SHARE_AUTH");
  const route = { sid: roster.sid, dealer, holder: position };
  const key = present(openingKeys.get(dealer), "a key for each neighbour");
  const opened = openShares(key.reveal(), route, sealed.ciphertext);
  if (!opened.ok) return err({ code: opened.error, against: dealer });
  const { z, b } = opened.value;
  const zMatches = await shareMatches(primitives, "z", route, z, sealed);
  const bMatches = await shareMatches(primitives, "b", route, b, sealed);
  if (zMatches && bMatches) return opened;
  z.fill(0);
  b.fill(0);
  return err({ code: "SHARE_CTX", against: dealer });
}

/** Computes y = x + PRG(b) + sum of +-PRG(pair) over the neighbours in U2, mod 2^32, in place in `x`. */
async function maskAndSign(
  { primitives, signer }: ClientTools,
  state: Shared,
  u2: PositionSet,
  dealers: readonly Position[],
  x: Uint32Array<ArrayBuffer>,
): Promise<{ readonly answer: MaskedInput; readonly root: Bytes }> {
  const { roster, position } = state;
  assert(x.length === agreedVectorLength(roster.attempt.terms), "the input has the agreed length");
  const selfKey = await selfMaskKey(primitives, state.b.reveal(), roster.sid, position);
  const masks: Mask[] = [{ key: selfKey, sign: 1 }];
  for (const neighbour of dealers) {
    const key = present(state.pairMaskKeys.get(neighbour), "a key for each neighbour").reveal();
    masks.push({ key, sign: pairMaskSign(position, neighbour) });
  }
  await addMasks(primitives, x, masks);
  selfKey.fill(0);
  const body = wordsToBytes(x);
  const root = await inputRoot(primitives, body);
  const { log: seen } = roster.attempt.terms;
  const log = seen === undefined ? null : { size: seen.size, root: seen.root };
  const signature = await signer.sign(inputItem(roster.sid, position, u2.hash, body.length, root, log));
  const headers = {
    sha256: bytesToHex(await primitives.sha256(body)) as HashHex,
    root: bytesToHex(root) as HashHex,
    signature: bytesToHex(signature),
    ...(log === null ? {} : { log }),
  };
  return { answer: { headers, body }, root };
}

function refuseMasking(code: ErrorCode) {
  return err<MaskRefusal>({ code, against: null });
}
