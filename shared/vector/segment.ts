import type { Json } from "../codec/canonical-json.ts";
import type { Bytes } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import type { Result } from "../kernel/result.ts";
import type { Purpose, RoundParams } from "../task/config.ts";
import type { Ring } from "./ring.ts";

/*
 * A segment is a stretch of the one vector that leaves a device. Its layout is data that devices agree to by its hash; its
 * code says how a device fills it and how a sum of it is read. `segments/index.ts` lists all of them; everything that
 * handles vectors goes through that list and names no segment.
 */

/** How a number of one device is bounded; each kind has fields of its own. Hashed, so plain data. */
export type Clip = { readonly kind: string; readonly [field: string]: Json };

/** What devices agree to of one segment. Types and not interfaces: only those are known to be plain data. */
export type SegmentLayout<C extends Clip = Clip> = {
  readonly name: string;
  /** Words of the vector. On the 16-bit ring each holds two numbers. */
  readonly length: number;
  readonly ring: Ring;
  /** `evidence`: only a salted hash of the sum is published; a total would give a suppressed group away. */
  readonly publish: "public" | "evidence";
  readonly clip: C;
  /** Null: the segment carries no noise. */
  readonly noise: null;
};

/** A segment's layout and where it begins, in words. Offsets follow from the lengths, so they are not hashed. */
export type Place<C extends Clip = Clip> = SegmentLayout<C> & { readonly offset: number };

/** What a task, and a round of it, say about the vector. */
export interface LayoutTerms {
  /** Default: train. */
  readonly purpose?: Purpose;
  /** Of the round that the layout is for; null or absent for what is agreed to before any round. */
  readonly roundParams?: RoundParams | null;
  /** Segments that the task's strategy needs, by name: one that no other task has looks here. */
  readonly asked?: readonly string[];
  readonly parameterCount: number;
  readonly cohortSizeMax: number;
  /** L, in the unit of the weights. */
  readonly clipNormL2: number;
  /** W, the largest `numExamples` that counts for one device. */
  readonly weightCap: number;
  /** Of the update. Default 32. */
  readonly ring?: Ring;
  /** Whether the update is rotated. Default: on the 16-bit ring only, where errors are 40 times larger without it. PROTOCOL.md section 7. */
  readonly rotated?: boolean;
}

/** Sums over validation rows: of one device, or of all survivors. */
export interface LocalMetrics {
  readonly count: number;
  /** Nats. */
  readonly lossSum: number;
  readonly correct: number;
}

/** What a device has after training. */
export interface Contribution {
  /** Trained weights minus received weights, [parameterCount]. Not modified. */
  readonly update: Float32Array;
  /** Rows trained on, at least 1. */
  readonly numExamples: number;
  /** The received model on the local validation rows. */
  readonly metricsBefore: LocalMetrics;
  /** The trained model on the same rows. */
  readonly metricsAfter: LocalMetrics;
}

export interface EncodeTools {
  readonly primitives: Primitives;
  /** 32 fresh random bytes, used for nothing else: the seed of the stochastic rounding. */
  readonly roundingKey: Bytes;
  /** Of the round; a layout that is rotated needs it. */
  readonly rotationKey?: Bytes | undefined;
}

export type EncodeError =
  | { readonly type: "non-finite-update"; readonly index: number }
  | { readonly type: "no-examples" };

/** Whole numbers of a sum: one shard's as signed numbers of the ring, several shards' as doubles. */
export type Numbers = Int32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

/** The first number that no honest inputs could add up to. */
export interface OutOfRange {
  readonly index: number;
  readonly value: number;
}

/**
 * One segment: layout that is hashed, and code that is not.
 *
 * @typeParam C      Its clip.
 * @typeParam Kept   What a device keeps of its own contribution, for its page and its record; it does not leave.
 * @typeParam Value  What a sum of it says, in its own units.
 */
export interface Segment<C extends Clip = Clip, Kept = unknown, Value = unknown> {
  readonly name: string;
  /**
   * @returns Null if the vector has no such segment under these terms.
   * @throws AssertionFault if the terms do not fit the ring; a task's schema refuses such terms before.
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
  /** Whether so many honest inputs could add up to these numbers; null if so. Rule S2. */
  check(place: Place<C>, numbers: Int32Array, survivorCount: number): OutOfRange | null;
  /** Adds one shard's numbers to those of the shards before. */
  add(total: Float64Array, numbers: Int32Array): void;
  read(place: Place<C>, numbers: Numbers): Value;
}

/** Whole numbers in doubles: exact as long as the sums stay below 2^53. Not in the ring, which several shards may leave. */
export function addWhole(total: Float64Array, numbers: Int32Array): void {
  for (let i = 0; i < total.length; i++) total[i] = (total[i] as number) + (numbers[i] as number);
}
