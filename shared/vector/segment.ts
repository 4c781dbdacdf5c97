import type { Json } from "../codec/canonical-json.ts";
import type { Bytes } from "../kernel/bytes.ts";
import type { Primitives, RandomBytes } from "../kernel/ports.ts";
import type { Result } from "../kernel/result.ts";
import type { ClassSums, NumberSums } from "../task/evaluation.ts";
import type { Purpose, RoundParams } from "../task/round-params.ts";
import type { Ring } from "./ring.ts";

/*
 * A segment is a stretch of the vector that leaves a device. Its layout is data, and devices agree to its hash. Its code
 * says how a device fills it and how a sum of it is read. `segments/index.ts` lists all segments. Code that handles
 * vectors iterates over that list.
 */

/** How the numbers of one device are bounded. Each kind has its own fields. Hashed, so it is plain data. */
export type Clip = { readonly kind: string; readonly [field: string]: Json };

/** What each device adds to its own numbers before they are masked. Hashed. */
export type SegmentNoise = {
  readonly kind: "discrete-gaussian";
  /** sigma_int^2 of each number, a whole number. */
  readonly variance: number;
  /** Largest absolute value of one draw. */
  readonly max: number;
  /** Largest sum of squares of a device's rounded numbers before the noise. Its root is the sensitivity. */
  readonly squaredNormMax: number;
};

/** The part of a segment that devices agree to. A type, because TypeScript does not take an interface for plain JSON. */
export type SegmentLayout<C extends Clip = Clip> = {
  readonly name: string;
  /** Words of the vector. On the 16-bit ring each holds two numbers. */
  readonly length: number;
  readonly ring: Ring;
  /** `evidence`: only a salted hash of the sum is published, because a total could give away a suppressed group. */
  readonly publish: "public" | "evidence";
  readonly clip: C;
  /** Null: the segment carries no noise. */
  readonly noise: SegmentNoise | null;
};

/** A segment's layout and its offset in words. Offsets follow from the lengths and are not hashed. */
export type Place<C extends Clip = Clip> = SegmentLayout<C> & { readonly offset: number };

/** What a task and a round say about the vector. */
export interface LayoutTerms {
  /** Default: train. */
  readonly purpose?: Purpose;
  /** The round's parameters; null or absent for the layout that is agreed to before any round. */
  readonly roundParams?: RoundParams | null;
  /** Names of the segments that the task's strategy needs. An optional segment checks whether it is among them. */
  readonly asked?: readonly string[];
  readonly parameterCount: number;
  readonly cohortSizeMax: number;
  /** L, in the unit of the weights. */
  readonly clipNormL2: number;
  /** W, the largest `numExamples` that counts for one device. */
  readonly weightCap: number;
  /** What the task's labels are. Default: classes. */
  readonly labels?: "classes" | "number";
  /** Ring of the update. Default 32. */
  readonly ring?: Ring;
  /** Default: true on the 16-bit ring only, where errors are 40 times larger without the rotation. PROTOCOL.md section 7. */
  readonly rotated?: boolean;
  /** Differential privacy. Default: none. Needs the 32-bit ring, no rotation, and a weight cap of 1. */
  readonly noise?: {
    readonly code: NoiseCode;
    /** z: noise on the sum over the clip. */
    readonly noiseMultiplier: number;
    /** tNoise: the fewest honest noise shares that an opened sum can hold. */
    readonly shareCount: number;
  };
}

/** Sums over the validation rows of one device or of all survivors: the part of an evaluation that the vector carries. */
export type LocalMetrics = ClassMetrics | NumberMetrics;
export type ClassMetrics = Pick<ClassSums, "count" | "lossSum" | "correct">;
export type NumberMetrics = Pick<
  NumberSums,
  "count" | "lossSum" | "errorSum" | "errorSquareSum" | "labelSum" | "labelSquareSum"
>;

/** The result of a device's training. */
export interface Contribution {
  /** Trained weights minus received weights, [parameterCount]. Not modified. */
  readonly update: Float32Array;
  /** Number of training rows, at least 1. */
  readonly numExamples: number;
  /** Metrics of the received model on the local validation rows. */
  readonly metricsBefore: LocalMetrics;
  /** Metrics of the trained model on the same rows. */
  readonly metricsAfter: LocalMetrics;
}

export interface EncodeTools {
  readonly primitives: Primitives;
  /** Seed of the stochastic rounding: 32 fresh random bytes, used for nothing else. */
  readonly roundingKey: Bytes;
  /** The round's key. A rotated layout needs it. */
  readonly rotationKey?: Bytes | undefined;
  /** A layout with noise needs it. */
  readonly noiseCode?: NoiseCode;
  /** Secure randomness for noise. A layout with noise needs it. Never a stream that others can compute. */
  readonly random?: RandomBytes | undefined;
}

export type EncodeError =
  | { readonly type: "non-finite-update"; readonly index: number }
  | { readonly type: "no-examples" };

/** Integers of a sum: signed numbers of the ring for one shard, doubles for several. */
export type Numbers = Int32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

/** The first number of a sum that no honest inputs could add up to. */
export interface OutOfRange {
  readonly index: number;
  readonly value: number;
}

/**
 * One segment: a layout, which is hashed, and code, which is not.
 *
 * @typeParam C      Its clip.
 * @typeParam Kept   What a device keeps of its own contribution for its page and record. It does not leave the device.
 * @typeParam Value  The meaning of a sum, in the segment's own units.
 */
export interface Segment<C extends Clip = Clip, Kept = unknown, Value = unknown> {
  readonly name: string;
  /**
   * @returns Null if the vector has no such segment under these terms.
   * @throws AssertionFault if the terms do not fit the ring. A task's schema has refused such terms already.
   */
  layout(terms: LayoutTerms): Omit<SegmentLayout<C>, "name"> | null;
  /**
   * Fills the segment's own words with one device's numbers.
   *
   * @param words  All zero. [place.length]
   */
  encode(
    contribution: Contribution,
    place: Place<C>,
    words: Uint32Array<ArrayBuffer>,
    tools: EncodeTools,
  ): Promise<Result<Kept, EncodeError>> | Result<Kept, EncodeError>;
  /** Null if `survivorCount` honest inputs could add up to these numbers, else the first that is out of range. Rule S2. */
  check(place: Place<C>, numbers: Int32Array, survivorCount: number): OutOfRange | null;
  /** Adds one shard's numbers to the total. */
  add(total: Float64Array, numbers: Int32Array): void;
  read(place: Place<C>, numbers: Numbers): Value;
}

/** Adds integers as doubles, exact below 2^53. The sum of several shards may not fit the ring. */
export function addWhole(total: Float64Array, numbers: Int32Array): void {
  for (let i = 0; i < total.length; i++) total[i] = (total[i] as number) + (numbers[i] as number);
}

export type UpdateClip = {
  readonly kind: "l2";
  /** Number of weights. A padded update has more coordinates. */
  readonly parameterCount: number;
  readonly rotated: boolean;
  /** L, in the unit of the weights. */
  readonly normL2: number;
  /** B, in the unit of the weights; equal to L unless the update is rotated. */
  readonly coordinate: number;
  /** Q: the ring number that stands for B at full weight. */
  readonly quantizedMax: number;
  /** W: the full weight. */
  readonly weightCap: number;
};

/** What noise needs beside its numbers. It is handed in, so that a page whose task has none does not fetch it. */
export interface NoiseCode {
  /**
   * The update's layout with the noise that `terms` ask for.
   *
   * @throws AssertionFault if the ring is not 32 bits, the update is rotated, rows have weights, or no scale fits.
   */
  layout(terms: LayoutTerms, ring: Ring, rotated: boolean): Omit<SegmentLayout<UpdateClip>, "name">;
  /**
   * Makes rounded numbers noisy, in place: rounds again until they are within the sensitivity, and adds this device's share.
   *
   * @param numbers  Rounding steps. [parameterCount]
   * @param values   The clipped update, in the unit of the weights. [parameterCount]
   * @throws AssertionFault without randomness in `tools`.
   */
  make(
    numbers: Int32Array,
    values: Float32Array | Float64Array,
    place: Place<UpdateClip>,
    noise: SegmentNoise,
    tools: EncodeTools,
  ): Promise<void>;
}
