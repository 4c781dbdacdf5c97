import { bytesToWords, wordsToBytes } from "#shared/codec/vector-bytes.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import type { Receipt } from "#shared/protocol/api.ts";
import type { Ring } from "#shared/vector/ring.ts";
import type { KeptContribution, NamedBytes, Trained } from "../ports.ts";
import type { ContributionDetail, ContributionParts, Histogram, OutcomeView, StepTimes } from "../view.ts";
import type { EncodedUpdate } from "./encode-update.ts";

/* Records what leaves this device in one attempt of a round, as it leaves. The record stays on the device. */

const SAMPLE_MAX = 2_048;
/** Longer own lists are sampled instead of kept whole. */
const OWN_LENGTH_MAX = 2 ** 22;
/** Odd, so that zero falls in the middle of a bin. */
const UPDATE_BINS = 41;
/** A ring number's leading bits are its bin. */
const RING_BIN_BITS = 5;

/**
 * Shares that open a sum are never written to a file: the coordinator deletes its copies too once the sum is published
 * (S11).
 */
export const OPENING_NAME = "unmask.frame";

export interface AttemptId {
  readonly runId: string;
  readonly round: number;
  readonly attempt: number;
}
export type Part = keyof ContributionParts;

export class ContributionDraft {
  readonly #id: AttemptId;
  readonly #at: number;
  readonly #trained: Trained;
  readonly #sent: NamedBytes[] = [];
  readonly #parts: Record<Part, number> = {
    maskedListByteCount: 0,
    keySharesByteCount: 0,
    keysAndSignaturesByteCount: 0,
    openingByteCount: 0,
  };
  #own: Int32Array<ArrayBuffer> | null = null;
  #clipped: Pick<EncodedUpdate, "clippedUpdate" | "weight"> | null = null;
  #update: Pick<EncodedUpdate, "place" | "unit"> = { place: { offset: 0, length: 0, ring: 32 }, unit: 1 };
  /** Null until it has left. */
  #masked: Bytes | null = null;
  #list: Pick<ContributionDetail, "sample" | "histograms"> | null = null;
  #sid: string | null = null;
  #receipt: Receipt | null = null;
  #sha256: string | null = null;
  #root: string | null = null;

  /** @param at  Unix milliseconds. */
  constructor(id: AttemptId, trained: Trained, at: number) {
    this.#id = id;
    this.#trained = trained;
    this.#at = at;
  }

  get anythingLeft(): boolean {
    return this.#sent.length > 0;
  }

  /** True once the masked list has left. */
  get listLeft(): boolean {
    return this.#parts.maskedListByteCount > 0;
  }

  /** Counts bytes as they are sent. The same name means the same bytes again, which count once. */
  leaves(part: Part, name: string, bytes: Bytes): void {
    if (this.#sent.some((sent) => sent.name === name)) return;
    this.#sent.push({ name, bytes });
    this.#parts[part] += bytes.length;
  }

  joins(sid: string): void {
    this.#sid = sid;
  }

  received(receipt: Receipt): void {
    this.#receipt = receipt;
  }

  /** Takes the list before masking and copies it. */
  encodes({ words, place, unit, clippedUpdate, weight }: EncodedUpdate): void {
    this.#own = new Int32Array(words);
    this.#update = { place, unit };
    this.#clipped = { clippedUpdate, weight };
  }

  /**
   * Keeps the masked list without computing anything yet, because the other devices wait for it. @param body  The masked
   * list, u32 little-endian.
   */
  masks(body: Bytes, sha256: string, root: string): void {
    this.#sha256 = sha256;
    this.#root = root;
    if (this.#own !== null) this.#masked = body;
  }

  /**
   * Sample and histograms of both lists for the page, computed when first asked for; both null until a list has left.
   */
  #lists(): Pick<ContributionDetail, "sample" | "histograms"> {
    if (this.#list !== null) return this.#list;
    const [own, body] = [this.#own, this.#masked];
    if (own === null || body === null) return { sample: null, histograms: null };
    assert(body.length === 4 * own.length, "the masked list is as long as the own one");
    const left = bytesToWords(body);
    const { place, unit } = this.#update;
    const { offset, length, ring } = place;
    const update = this.#changes(own);
    const sampled = ring === 32 ? own.subarray(offset) : update;
    const count = Math.min(SAMPLE_MAX, sampled.length);
    const masks = ringNumbers(ring, count);
    const leaving = ringNumbers(ring, count);
    if (ring === 32) takeWords(own, left, offset, masks, leaving);
    const end = ring === 32 ? offset : offset + length;
    for (let index = offset; index < end; index++) {
      const value = left[index] as number;
      masks.take(value - (own[index] as number));
      leaving.take(value);
    }
    this.#list = {
      sample: { update: sampled.slice(0, count), masks: masks.first, left: leaving.first, unit },
      histograms: {
        update: updateHistogram(update, unit),
        masks: { from: 0, to: 2 ** ring, counts: [...masks.counts] },
        left: { from: 0, to: 2 ** ring, counts: [...leaving.counts] },
      },
    };
    return this.#list;
  }

  /**
   * The change of each weight, in quantization steps. On the 16-bit ring it is taken from before the rotation: rotated
   * coordinates mean nothing to a reader.
   */
  #changes(own: Int32Array): Int32Array {
    const { place, unit } = this.#update;
    const { offset, length, ring } = place;
    if (ring === 32) return own.subarray(offset, offset + length);
    const { clippedUpdate } = present(this.#clipped, "an own list comes with its update");
    return new Int32Array(clippedUpdate.map((change) => Math.round(change / unit)));
  }

  detail(progress: {
    readonly stepsAt: StepTimes;
    readonly rosterSize: number | null;
    readonly outcome: OutcomeView | null;
  }): ContributionDetail {
    const { runId, round, attempt } = this.#id;
    const { numExamples, epochLosses, before, after } = this.#trained;
    return {
      id: `${runId}-${round}-${attempt}`,
      ...this.#id,
      sid: this.#sid,
      at: this.#at,
      parts: { ...this.#parts },
      numExamples,
      epochLosses,
      before,
      after,
      receipt: this.#receipt,
      sha256: this.#sha256,
      root: this.#root,
      ...progress,
      ...this.#lists(),
    };
  }

  /** For the archive. */
  contribution(detail: ContributionDetail): KeptContribution {
    const own = this.#own;
    const isKept = own !== null && own.length <= OWN_LENGTH_MAX;
    const kept = isKept ? wordsToBytes(new Uint32Array(own.buffer, own.byteOffset, own.length)) : null;
    return {
      detail,
      sent: [...this.#sent],
      own: kept,
      ...(this.#clipped ?? { clippedUpdate: null, weight: null }),
    };
  }
}

/**
 * Splits words into ring numbers, lower half first, counts them by their leading bits, and keeps the first `count`.
 */
function ringNumbers(ring: Ring, count: number) {
  const first = new Uint32Array(count);
  const counts = new Uint32Array(2 ** RING_BIN_BITS);
  let seen = 0;
  return {
    first,
    counts,
    take(word: number): void {
      for (let shift = 0; shift < 32; shift += ring) {
        const number = (word << (32 - ring - shift)) >>> (32 - ring);
        if (seen < count) first[seen] = number;
        seen += 1;
        countIn(counts, number >>> (ring - RING_BIN_BITS));
      }
    },
  };
}

type RingNumbers = Pick<ReturnType<typeof ringNumbers>, "first" | "counts">;

/**
 * Does the same as `take` on the 32-bit ring, faster: every device runs this in every round.
 *
 * @param from  Index of the first word to keep. All are counted.
 */
function takeWords(
  own: Int32Array,
  left: Uint32Array,
  from: number,
  masks: RingNumbers,
  leaving: RingNumbers,
): void {
  const shift = 32 - RING_BIN_BITS;
  for (let index = 0; index < own.length; index++) {
    const value = left[index] as number;
    const mask = (value - (own[index] as number)) >>> 0;
    if (index >= from && index - from < masks.first.length) {
      masks.first[index - from] = mask;
      leaving.first[index - from] = value;
    }
    countIn(masks.counts, mask >>> shift);
    countIn(leaving.counts, value >>> shift);
  }
}

function updateHistogram(values: Int32Array, unit: number): Histogram {
  let largest = 1;
  for (let index = 0; index < values.length; index++) {
    const size = Math.abs(values[index] as number);
    if (size > largest) largest = size;
  }
  // One extra bin, because the largest value falls just past the last one.
  const counts = new Uint32Array(UPDATE_BINS + 1);
  const binsPerStep = UPDATE_BINS / (2 * largest);
  for (let index = 0; index < values.length; index++) {
    countIn(counts, Math.floor(((values[index] as number) + largest) * binsPerStep));
  }
  counts[UPDATE_BINS - 1] = (counts[UPDATE_BINS - 1] as number) + (counts[UPDATE_BINS] as number);
  return { from: -largest * unit, to: largest * unit, counts: [...counts.subarray(0, UPDATE_BINS)] };
}

function countIn(counts: Uint32Array, bin: number): void {
  counts[bin] = (counts[bin] as number) + 1;
}
