import { pairMaskKey, pairMaskSign, selfMaskKey } from "#shared/crypto/key-agreement.ts";
import { addMasks, type Mask } from "#shared/crypto/mask-stream.ts";
import { combineShares, lagrangeBasisAtZero, splitSecret } from "#shared/crypto/shamir.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import type { Primitives, RandomBytes } from "#shared/kernel/ports.ts";
import { decodeSum } from "#shared/vector/decode.ts";
import { encodeContribution } from "#shared/vector/encode.ts";
import { type VectorLayout, vectorLayout } from "#shared/vector/layout.ts";
import { meanDivisor, meanUpdate, updateSumOf } from "#shared/vector/mean.ts";
import { noiseCode } from "#shared/vector/noise-code.ts";
import { update } from "#shared/vector/segments/update.ts";
import { weight } from "#shared/vector/segments/weight.ts";
import { SumOfShards } from "#shared/vector/sum.ts";

/*
 * One sum of three devices on the product's own path, in one process: clip, encode, noise, mask, add, unmask, decode and
 * divide. Without signatures and transport, which change no number.
 */

export interface AuditSetting {
  readonly dimension: number;
  /** C */
  readonly clipNormL2: number;
  /** z */
  readonly noiseMultiplier: number;
  /** The public constant that sums are divided by. */
  readonly expectedCohort: number;
}

export interface AuditTools {
  readonly primitives: Primitives;
  readonly random: RandomBytes;
}

export interface DeviceInput {
  readonly update: Float32Array;
  readonly numExamples: number;
}

export const DEVICES = 3;
/** Shares that rebuild a self mask. */
const THRESHOLD = 2;
const POSITIONS = [1, 2, 3] as const;

/** All devices are honest, so each opened sum has three shares of noise. */
export function auditLayout({ dimension, clipNormL2, noiseMultiplier }: AuditSetting): VectorLayout {
  return vectorLayout({
    parameterCount: dimension,
    cohortSizeMax: DEVICES,
    clipNormL2,
    weightCap: 1,
    noise: { code: noiseCode, noiseMultiplier, shareCount: DEVICES },
  });
}

/** The released mean update. [dimension] @param inputs  One for each device. */
export async function releasedMean(
  { primitives, random }: AuditTools,
  layout: VectorLayout,
  inputs: readonly DeviceInput[],
  expectedCohort: number,
): Promise<Float64Array<ArrayBuffer>> {
  assert(inputs.length === DEVICES, "one input for each device");
  const sid = random(32);
  const agreed = new Map<string, Bytes>();
  const sum = new Uint32Array(layout.length);
  const sharesByDealer = new Map<number, readonly Bytes[]>();
  for (const position of POSITIONS) {
    const { update: delta, numExamples } = present(inputs[position - 1], "an input for each device");
    const nothing = { count: 0, lossSum: 0, correct: 0 };
    const contribution = { update: delta, numExamples, metricsBefore: nothing, metricsAfter: nothing };
    const encoded = await encodeContribution(layout, contribution, {
      primitives,
      noiseCode,
      roundingKey: random(32),
      random,
    });
    assert(encoded.ok, "an audited input has rows");
    const { words } = encoded.value;
    const b = random(32);
    sharesByDealer.set(position, splitSecret(b, THRESHOLD, POSITIONS, random));
    const masks: Mask[] = [{ key: await selfMaskKey(primitives, b, sid, position), sign: 1 }];
    for (const other of POSITIONS) {
      if (other === position) continue;
      const key = await pairMaskKey(
        primitives,
        secretOf(agreed, position, other, random),
        sid,
        position,
        other,
      );
      masks.push({ key, sign: pairMaskSign(position, other) });
    }
    await addMasks(primitives, words, masks);
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (words[i] as number);
  }
  await removeSelfMasks(primitives, sum, sharesByDealer, sid);
  const decoded = decodeSum(layout, sum, DEVICES);
  if (!decoded.ok) throw new Error(`The sum of the audit does not decode: ${decoded.error.segment}.`);
  const total = new SumOfShards(layout);
  total.add(decoded.value);
  const updateSum = await updateSumOf(primitives, layout, total.read(update), sid);
  return meanUpdate(layout, updateSum, meanDivisor(layout, total.read(weight), expectedCohort));
}

/** What X25519 gives both devices of a pair; here a fresh secret of the pair. */
function secretOf(agreed: Map<string, Bytes>, u: number, v: number, random: RandomBytes): Bytes {
  const pair = `${Math.min(u, v)} ${Math.max(u, v)}`;
  const secret = agreed.get(pair) ?? random(32);
  agreed.set(pair, secret);
  return secret;
}

async function removeSelfMasks(
  primitives: Primitives,
  sum: Uint32Array<ArrayBuffer>,
  sharesByDealer: ReadonlyMap<number, readonly Bytes[]>,
  sid: Bytes,
): Promise<void> {
  const basis = lagrangeBasisAtZero(POSITIONS.slice(0, THRESHOLD));
  const masks: Mask[] = [];
  for (const [dealer, shares] of sharesByDealer) {
    const b = combineShares(basis, shares.slice(0, THRESHOLD));
    masks.push({ key: await selfMaskKey(primitives, b, sid, dealer), sign: -1 });
  }
  await addMasks(primitives, sum, masks);
}
