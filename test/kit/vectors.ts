import type { Bytes } from "#shared/kernel/bytes.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import { ok, type Result } from "#shared/kernel/result.ts";
import { type DecodeError, decodeSum } from "#shared/vector/decode.ts";
import { encodeContribution } from "#shared/vector/encode.ts";
import { placeOf, type VectorLayout } from "#shared/vector/layout.ts";
import { updateScale } from "#shared/vector/mean.ts";
import type { Contribution, EncodeError, Numbers } from "#shared/vector/segment.ts";
import { metrics, type SummedMetrics } from "#shared/vector/segments/metrics.ts";
import { sentinels } from "#shared/vector/segments/sentinels.ts";
import { coordinateCount, type KeptUpdate, update } from "#shared/vector/segments/update.ts";
import { weight } from "#shared/vector/segments/weight.ts";
import { SumOfShards } from "#shared/vector/sum.ts";

/* Vectors in terms of today's four segments, for tests of exactly those. */

const BY_NAME = { update, weight, metrics, sentinels };

export function segmentOf<Name extends keyof typeof BY_NAME>(layout: VectorLayout, name: Name) {
  return placeOf(layout, BY_NAME[name] as never) as Omit<ReturnType<typeof placeOf>, "clip"> & {
    readonly clip: Clips[Name];
  };
}
type Clips = {
  readonly [Name in keyof typeof BY_NAME]: Parameters<(typeof BY_NAME)[Name]["check"]>[0]["clip"];
};

export function coordinatesOf(layout: VectorLayout) {
  const place = placeOf(layout, update);
  const { parameterCount, rotated } = place.clip;
  return { parameterCount, count: coordinateCount(place), rotated };
}

export interface Encoded extends KeptUpdate {
  readonly words: Uint32Array<ArrayBuffer>;
  /** w' */
  readonly weight: number;
}

export async function encodeVector(
  primitives: Primitives,
  layout: VectorLayout,
  contribution: Contribution,
  roundingKey: Bytes,
  rotationKey?: Bytes,
): Promise<Result<Encoded, EncodeError>> {
  const encoded = await encodeContribution(layout, contribution, { primitives, roundingKey, rotationKey });
  if (!encoded.ok) return encoded;
  const { words, kept } = encoded.value;
  return ok({ words, ...kept(update), weight: kept(weight) });
}

export interface Decoded {
  readonly coordinateSum: Numbers;
  readonly weightSum: number;
  readonly metrics: SummedMetrics;
}

export function decodeVector(
  layout: VectorLayout,
  sum: Uint32Array<ArrayBuffer>,
  survivorCount: number,
): Result<Decoded, DecodeError> {
  const decoded = decodeSum(layout, sum, survivorCount);
  if (!decoded.ok) return decoded;
  const total = new SumOfShards(layout);
  total.add(decoded.value);
  return ok({
    coordinateSum: total.read(update),
    weightSum: total.read(weight),
    metrics: total.read(metrics),
  });
}

/**
 * Bounds the distance of a coordinate of `meanUpdate` from the exact weighted mean of the survivors' clipped updates. Each
 * device's rounding moves it by less than one step. Undoing a rotation adds up the errors of all d coordinates; being
 * random, they typically grow only with sqrt(d). Ignores what the rotation's bound clips, which is almost always nothing.
 */
export function quantizationBound(layout: VectorLayout, survivorCount: number, weightSum: number): number {
  const place = placeOf(layout, update);
  const errors = place.clip.rotated ? coordinateCount(place) : 1;
  return (errors * survivorCount * updateScale(layout)) / weightSum;
}
