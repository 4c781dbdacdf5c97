import { SEAL_NONCE_BYTES } from "../crypto/aead.ts";
import { pairMaskKey, shareEncryptionKey } from "../crypto/key-agreement.ts";
import { fieldFor, splitSecret } from "../crypto/shamir.ts";
import { assert, present } from "../kernel/assert.ts";
import { type Bytes, equalBytes } from "../kernel/bytes.ts";
import type { Position } from "../kernel/places.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import { Secret } from "../kernel/secret.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import type { CoordinatorMessageOf } from "../protocol/messages/coordinator.ts";
import type { DeviceMessageOf } from "../protocol/messages/device.ts";
import { bundleTree, commitShares, type ShareLeaf, type SharePair, sealShares } from "./bundle.ts";
import type { Advertised, ClientTools, Shared } from "./client-state.ts";
import {
  holdersIn,
  layOutRoster,
  memberAt,
  neighboursOf,
  positionOf,
  type Roster,
  verifyMember,
} from "./roster.ts";
import { bundleItem } from "./signed-items.ts";

/**
 * R1: checks the roster, agrees on keys with every neighbour and deals out shares of z and b.
 *
 * Derives all later keys here, so that z and the secret keys c and s can be wiped at once.
 *
 * Errors: the codes of `layOutRoster` and `verifyMember`; `NOT_IN_ROSTER` if this device's keys are missing or altered;
 * `LOW_ORDER` if a key agreement gives no secret. Rules S5, S6, S8.
 */
export async function dealShares(
  tools: ClientTools,
  state: Advertised,
  message: CoordinatorMessageOf<"roster">,
  heard: Bytes,
): Promise<Result<Shared, ErrorCode>> {
  const { primitives } = tools;
  const laidOut = await layOutRoster(primitives, state.attempt, message.members);
  if (!laidOut.ok) return laidOut;
  const roster = laidOut.value;
  const position = positionOf(roster, state.keys.identity);
  if (position === null) return err("NOT_IN_ROSTER");
  const own = memberAt(roster, position);
  const unchanged = (["c", "s", "bCommit"] as const).every((name) => equalBytes(own[name], state.keys[name]));
  if (!unchanged) return err("NOT_IN_ROSTER");
  const verdicts = roster.members.map((member) => verifyMember(primitives, state.attempt, member));
  for (const verdict of await Promise.all(verdicts)) if (!verdict.ok) return verdict;

  const links = await agreeWithNeighbours(tools, state, roster, position);
  if (!links.ok) return links;
  const { answer, ownBShare } = await deal(tools, state, roster, position, links.value);
  for (const secret of [state.z, state.cSecret, state.sSecret]) secret.wipe();
  const keysBy = (name: "pairMask" | "open") =>
    new Map([...links.value].map(([neighbour, link]) => [neighbour, new Secret(link[name])]));
  return ok({
    phase: "shared",
    turn: state.turn,
    roster,
    position,
    heard: { roster: heard },
    b: state.b,
    ownBShare,
    pairMaskKeys: keysBy("pairMask"),
    openingKeys: keysBy("open"),
    answer,
  });
}

interface LinkKeys {
  readonly pairMask: Bytes;
  /** Seals shares to the neighbour. */
  readonly seal: Bytes;
  /** Opens shares from the neighbour. */
  readonly open: Bytes;
}

async function agreeWithNeighbours(
  tools: ClientTools,
  state: Advertised,
  roster: Roster,
  position: Position,
): Promise<Result<ReadonlyMap<Position, LinkKeys>, "LOW_ORDER">> {
  const { primitives } = tools;
  const agree = async (neighbour: Position): Promise<Result<[Position, LinkKeys], "LOW_ORDER">> => {
    const { c, s } = memberAt(roster, neighbour);
    const sealing = await primitives.x25519(state.cSecret.reveal(), c);
    const masking = await primitives.x25519(state.sSecret.reveal(), s);
    if (!sealing.ok || !masking.ok) return err("LOW_ORDER");
    const { sid } = roster;
    const keys = {
      pairMask: await pairMaskKey(primitives, masking.value, sid, position, neighbour),
      seal: await shareEncryptionKey(primitives, sealing.value, sid, position, neighbour),
      open: await shareEncryptionKey(primitives, sealing.value, sid, neighbour, position),
    };
    sealing.value.fill(0);
    masking.value.fill(0);
    return ok([neighbour, keys]);
  };
  const links = new Map<Position, LinkKeys>();
  for (const link of await Promise.all(neighboursOf(roster, position).map(agree))) {
    if (!link.ok) return link;
    links.set(...link.value);
  }
  return ok(links);
}

async function deal(
  tools: ClientTools,
  state: Advertised,
  roster: Roster,
  position: Position,
  links: ReadonlyMap<Position, LinkKeys>,
): Promise<{ readonly answer: DeviceMessageOf<"share">; readonly ownBShare: Secret<Bytes> }> {
  const { primitives, random, signer } = tools;
  const holders = holdersIn(roster, position);
  const xs = holders.map((_, index) => index + 1);
  const { t } = roster.thresholds;
  const field = fieldFor(holders.length);
  const zShares = splitSecret(state.z.reveal(), t, xs, random, field);
  const bShares = splitSecret(state.b.reveal(), t, xs, random, field);

  const leafFor = async (holder: Position, index: number): Promise<ShareLeaf> => {
    const shares: SharePair = {
      z: present(zShares[index], "a z-share"),
      b: present(bShares[index], "a b-share"),
    };
    const route = { sid: roster.sid, dealer: position, holder };
    const commits = await commitShares(primitives, route, shares);
    // The dealer keeps its own share.
    if (holder === position) return { ciphertext: new Uint8Array(0), ...commits };
    const link = present(links.get(holder), "keys with each neighbour");
    const ciphertext = sealShares(link.seal, random(SEAL_NONCE_BYTES), route, shares);
    link.seal.fill(0);
    return { ciphertext, ...commits };
  };
  const leaves = await Promise.all(holders.map(leafFor));

  const ownIndex = holders.indexOf(position);
  assert(ownIndex >= 0, "a dealer holds a share of its own secrets");
  const ownBShare = new Secret(present(bShares[ownIndex], "its own b-share"));
  for (const share of zShares) share.fill(0);
  bShares.forEach((share, index) => {
    if (index !== ownIndex) share.fill(0);
  });

  const { root } = await bundleTree(primitives, holders, leaves);
  const signature = await signer.sign(bundleItem(roster.sid, position, root));
  return { answer: { type: "share", sid: roster.sidHex, leaves, signature }, ownBShare };
}
