import { bytesToWords, wordsToBytes } from "#shared/codec/vector-bytes.ts";
import { assert } from "#shared/kernel/assert.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import type { Receipt } from "#shared/protocol/api.ts";
import type { EncodedUpdate } from "./encode-update.ts";
import type { Contribution, NamedBytes, Trained } from "./ports.ts";
import type { ContributionDetail, ContributionParts, Histogram, OutcomeView, StepTimes } from "./view.ts";

/*
 * The record of what left this device in one attempt of a round, gathered while it leaves. It stays on the device.
 */

const SAMPLE_MAX = 2_048;
/** Own lists above this many numbers are sampled and not kept whole. */
const OWN_LENGTH_MAX = 2 ** 22;
/** Odd, so that no change has a bin of its own in the middle. */
const UPDATE_BINS = 41;
/** The leading bits of a word of the ring are its bin. */
const RING_BIN_BITS = 5;

/** Shares that open a sum are in no file: the coordinator drops its copies as well once the sum is published (S11). */
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
  #updateLength = 0;
  #unit = 1;
  #list: Pick<ContributionDetail, "sample" | "histograms"> = { sample: null, histograms: null };
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

  /** Whether the masked list is among what left. */
  get listLeft(): boolean {
    return this.#parts.maskedListByteCount > 0;
  }

  /** Counts bytes that are on their way now; the same name twice is the same bytes again and counts once. */
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

  /** Before masking; the list is copied. */
  encodes({ words, updateLength, unit, clippedUpdate, weight }: EncodedUpdate): void {
    this.#own = new Int32Array(words);
    this.#updateLength = updateLength;
    this.#unit = unit;
    this.#clipped = { clippedUpdate, weight };
  }

  /** @param body  The masked list, u32 little-endian. */
  masks(body: Bytes, sha256: string, root: string): void {
    this.#sha256 = sha256;
    this.#root = root;
    const own = this.#own;
    if (own === null) return;
    assert(body.length === 4 * own.length, "the masked list is as long as the own one");
    // The others wait for this list: one pass, and no copies.
    const left = bytesToWords(body);
    const count = Math.min(SAMPLE_MAX, own.length);
    const masks = new Uint32Array(count);
    const maskCounts = new Uint32Array(2 ** RING_BIN_BITS);
    const leftCounts = new Uint32Array(2 ** RING_BIN_BITS);
    for (let index = 0; index < own.length; index++) {
      const value = left[index] as number;
      const mask = (value - (own[index] as number)) >>> 0;
      if (index < count) masks[index] = mask;
      countIn(maskCounts, mask >>> (32 - RING_BIN_BITS));
      countIn(leftCounts, value >>> (32 - RING_BIN_BITS));
    }
    this.#list = {
      sample: { update: own.slice(0, count), masks, left: left.slice(0, count), unit: this.#unit },
      histograms: {
        update: updateHistogram(own.subarray(0, this.#updateLength), this.#unit),
        masks: { from: 0, to: 2 ** 32, counts: [...maskCounts] },
        left: { from: 0, to: 2 ** 32, counts: [...leftCounts] },
      },
    };
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
      ...this.#list,
    };
  }

  /** For the archive. */
  contribution(detail: ContributionDetail): Contribution {
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

function updateHistogram(values: Int32Array, unit: number): Histogram {
  let largest = 1;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  const counts = new Uint32Array(UPDATE_BINS);
  const binsPerStep = UPDATE_BINS / (2 * largest);
  for (const value of values) {
    // The largest one itself would fall out of the last bin.
    countIn(counts, Math.min(UPDATE_BINS - 1, Math.floor((value + largest) * binsPerStep)));
  }
  return { from: -largest * unit, to: largest * unit, counts: [...counts] };
}

function countIn(counts: Uint32Array, bin: number): void {
  counts[bin] = (counts[bin] as number) + 1;
}
