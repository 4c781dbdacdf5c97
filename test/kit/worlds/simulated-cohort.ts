import { SEAL_NONCE_BYTES } from "#shared/crypto/aead.ts";
import { bCommit } from "#shared/crypto/commitments.ts";
import {
  type AgreementKeyPair,
  freshKeyPair,
  maskKeyPairFromSeed,
  pairMaskKey,
  pairMaskSign,
  selfMaskKey,
  shareEncryptionKey,
} from "#shared/crypto/key-agreement.ts";
import { keystreamWords } from "#shared/crypto/mask-stream.ts";
import { fieldFor, splitSecret } from "#shared/crypto/shamir.ts";
import { localSigner } from "#shared/crypto/signature.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import { type Bytes, compareBytes } from "#shared/kernel/bytes.ts";
import type { Position } from "#shared/kernel/places.ts";
import type { Primitives, Signer } from "#shared/kernel/ports.ts";
import type { DeviceMessageOf } from "#shared/protocol/messages/device.ts";
import { type Attempt, type AttemptTerms, openAttempt } from "#shared/secagg/attempt.ts";
import {
  bundleTree,
  commitShares,
  SEALED_SHARE_BYTES,
  type ShareLeaf,
  type SharePair,
  sealShares,
} from "#shared/secagg/bundle.ts";
import type { SessionSets } from "#shared/secagg/position-sets.ts";
import { without } from "#shared/secagg/position-sets.ts";
import { holdersIn, memberAt, type Roster, type RosterMember } from "#shared/secagg/roster.ts";
import {
  advertItem,
  bundleItem,
  certificateItem,
  inputItem,
  type OwnedShare,
  setsItem,
  unmaskItem,
} from "#shared/secagg/signed-items.ts";
import { plainWords, takeFrom } from "../devices/timed-device.ts";
import { positionNo } from "../places.ts";
import { seededRandom } from "../secagg-fixtures.ts";

/*
 * The devices of a large cohort as a coordinator sees them: adverts, bundles, inputs, confirmations and shares as the
 * client core would send them, without the core's checks of what it receives. A few seats may be real devices; their
 * randomness is known here, so that every seat can answer for any set of survivors.
 *
 * An input is masked with all its masks only in one window of the vector, and the rest is filler: a whole cohort's
 * masks would take the bench longer than everything it measures. The sum is checked in that window.
 */

/** Words of the window. It lies around the middle, where the slices of two workers meet. */
const WINDOW_WORDS = 1_024;

export interface Seat {
  readonly position: Position;
  /** Seed of the identity key. */
  readonly identitySeed: Bytes;
  readonly signer: Signer;
  /** Randomness for a real device at this seat; simulated ones draw from the same. */
  readonly randomness: Bytes;
  readonly inputSeed: number;
  readonly keys: SeatKeys;
  readonly member: RosterMember;
  /** Shares that this seat holds, by dealer, its own included. */
  readonly held: Map<Position, SharePair>;
}

interface SeatKeys {
  readonly z: Bytes;
  readonly b: Bytes;
  readonly c: AgreementKeyPair;
  readonly s: AgreementKeyPair;
}

export interface SimulatedCohort {
  readonly attempt: Attempt;
  /** By position. */
  readonly seats: readonly Seat[];
}

/**
 * Seats in roster order. @param seeds  Seeds of the identity keys, 32 bytes each. @param issuer  The issuer named in
 * `terms`.
 */
export async function openSimulatedCohort(
  primitives: Primitives,
  seeds: readonly Bytes[],
  issuer: Signer,
  terms: AttemptTerms,
): Promise<SimulatedCohort> {
  const attempt = await openAttempt(primitives, terms);
  const signers = seeds.map((seed) => ({ seed, signer: localSigner(seed, globalThis.crypto.subtle) }));
  signers.sort((left, right) => compareBytes(left.signer.publicKey, right.signer.publicKey));
  const seats: Seat[] = [];
  for (const [index, { seed, signer }] of signers.entries()) {
    const position = index + 1;
    // z, b and the key c; then the coefficients of two secrets and a nonce for each holder.
    const byteCount = 96 + signers.length * (64 + SEAL_NONCE_BYTES);
    const randomness = seededRandom(`${terms.runId} seat ${position}`)(byteCount);
    const z = randomness.slice(0, 32);
    const b = randomness.slice(32, 64);
    const c = await freshKeyPair(primitives, () => randomness.slice(64, 96));
    const s = await maskKeyPairFromSeed(primitives, z);
    const identity = signer.publicKey;
    const advertKeys = {
      identity,
      c: c.publicKey,
      s: s.publicKey,
      bCommit: await bCommit(primitives, identity, b),
    };
    const certificate = await issuer.sign(certificateItem(terms.config.projectId, identity));
    const signature = await signer.sign(advertItem(attempt.header, advertKeys));
    seats.push({
      position: positionNo(position),
      identitySeed: seed,
      signer,
      randomness,
      inputSeed: position,
      keys: { z, b, c, s },
      member: { ...advertKeys, certificate, signature },
      held: new Map(),
    });
  }
  return { attempt, seats };
}

/**
 * R1 of a seat: hands every holder its shares and returns the message.
 *
 * @param real  Positions whose devices open what is sealed for them; others get filler of the same length.
 */
export async function dealFrom(
  primitives: Primitives,
  { seats }: SimulatedCohort,
  roster: Roster,
  seat: Seat,
  real: ReadonlySet<number>,
): Promise<Pick<DeviceMessageOf<"share">, "sid" | "leaves" | "signature">> {
  const dealer = seat.position;
  const holders = holdersIn(roster, dealer);
  const xs = holders.map((_, index) => index + 1);
  const { t } = roster.thresholds;
  const field = fieldFor(holders.length);
  // After z, b and the key c.
  const random = takeFrom(seat.randomness.subarray(96));
  const zShares = splitSecret(seat.keys.z, t, xs, random, field);
  const bShares = splitSecret(seat.keys.b, t, xs, random, field);
  const filler = new Uint8Array(SEALED_SHARE_BYTES).fill(dealer);
  const leaves: ShareLeaf[] = [];
  for (const [index, holder] of holders.entries()) {
    const shares = { z: present(zShares[index], "a share"), b: present(bShares[index], "a share") };
    seatAt(seats, holder).held.set(dealer, shares);
    const route = { sid: roster.sid, dealer, holder };
    let ciphertext: Bytes = holder === dealer ? new Uint8Array(0) : filler;
    if (holder !== dealer && real.has(holder)) {
      const agreed = await primitives.x25519(seat.keys.c.secretKey, memberAt(roster, holder).c);
      assert(agreed.ok, "an honest key");
      const key = await shareEncryptionKey(primitives, agreed.value, roster.sid, dealer, holder);
      ciphertext = sealShares(key, random(SEAL_NONCE_BYTES), route, shares);
    }
    leaves.push({ ciphertext, ...(await commitShares(primitives, route, shares)) });
  }
  const { root } = await bundleTree(primitives, holders, leaves);
  const signature = await seat.signer.sign(bundleItem(roster.sid, dealer, root));
  return { sid: roster.sidHex, leaves, signature };
}

/** Start and size of the window in a vector of `length` words. */
export function windowOf(length: number): { readonly from: number; readonly count: number } {
  const count = Math.min(WINDOW_WORDS, length);
  return { from: Math.floor((length - count) / 2), count };
}

/** The masked windows of all inputs, for U2 = U1. By position. */
export async function maskedWindows(
  primitives: Primitives,
  { seats }: SimulatedCohort,
  roster: Roster,
  length: number,
): Promise<ReadonlyMap<number, Uint32Array<ArrayBuffer>>> {
  const { from, count } = windowOf(length);
  const windows = new Map<number, Uint32Array<ArrayBuffer>>();
  for (const { position, inputSeed, keys } of seats) {
    const window = plainWords(inputSeed, from, count);
    const key = await selfMaskKey(primitives, keys.b, roster.sid, position);
    addTo(window, await keystreamWords(primitives, key, from, count), 1);
    windows.set(position, window);
  }
  for (const low of seats) {
    for (const high of seats.slice(low.position)) {
      const agreed = await primitives.x25519(low.keys.s.secretKey, high.member.s);
      assert(agreed.ok, "an honest key");
      const key = await pairMaskKey(primitives, agreed.value, roster.sid, low.position, high.position);
      const stream = await keystreamWords(primitives, key, from, count);
      for (const [own, other] of [
        [low, high],
        [high, low],
      ] as const) {
        const window = present(windows.get(own.position), "a window");
        addTo(window, stream, pairMaskSign(own.position, other.position));
      }
    }
  }
  return windows;
}

/** R2's signature for bytes with chunk root `root`. */
export function signInput(seat: Seat, roster: Roster, u2Hash: Bytes, byteCount: number, root: Bytes) {
  return seat.signer.sign(inputItem(roster.sid, seat.position, u2Hash, byteCount, root, null));
}

/** R3 of a seat. */
export async function confirmationOf(seat: Seat, roster: Roster, { u2, u3 }: SessionSets) {
  return { sid: roster.sidHex, signature: await seat.signer.sign(setsItem(roster.sid, u2.hash, u3.hash)) };
}

/** R4 of a seat. */
export async function unmaskingOf(
  seat: Seat,
  roster: Roster,
  sets: SessionSets,
): Promise<DeviceMessageOf<"unmask">> {
  const held = (owner: number) => present(seat.held.get(positionNo(owner)), "a share of each dealer");
  const bShares = sets.u3.positions.map(
    (owner): Owned => ({ owner: owner as Position, share: held(owner).b }),
  );
  const dropped = without(sets.u2, sets.u3);
  const zShares = dropped.map((owner): Owned => ({ owner: owner as Position, share: held(owner).z }));
  const hashes = { u2Hash: sets.u2.hash, u3Hash: sets.u3.hash };
  const item = unmaskItem(roster.sid, seat.position, hashes, bShares, zShares);
  return { type: "unmask", sid: roster.sidHex, bShares, zShares, signature: await seat.signer.sign(item) };
}
type Owned = OwnedShare & { readonly owner: Position };

/** The window of the plain sum, in exact integers, without the product's code. */
export function plainWindow(
  { seats }: SimulatedCohort,
  positions: readonly number[],
  length: number,
): Uint32Array {
  const { from, count } = windowOf(length);
  const totals = new Float64Array(count);
  for (const position of positions) {
    plainWords(seatAt(seats, position).inputSeed, from, count).forEach((word, index) => {
      totals[index] = (totals[index] as number) + word;
    });
  }
  return Uint32Array.from(totals, (total) => total % 2 ** 32);
}

export function seatAt(seats: readonly Seat[], position: number): Seat {
  return present(seats[position - 1], "a seat");
}

function addTo(target: Uint32Array, words: Uint32Array, sign: 1 | -1): void {
  for (let i = 0; i < target.length; i++) target[i] = (target[i] as number) + sign * (words[i] as number);
}
