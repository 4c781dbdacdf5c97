import { bytesToWords, wordsToBytes } from "#shared/codec/vector-bytes.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import type { Receipt } from "#shared/protocol/api.ts";
import type { Ring } from "#shared/vector/ring.ts";
import type { Contribution, NamedBytes, Trained } from "../ports.ts";
import type { ContributionDetail, ContributionParts, Histogram, OutcomeView, StepTimes } from "../view.ts";
import type { EncodedUpdate } from "./encode-update.ts";

/*
 * The record of what left this device in one attempt of a round, gathered while it leaves. It stays on the device.
 */

const SAMPLE_MAX = 2_048;
/** Own lists above this many numbers are sampled and not kept whole. */
const OWN_LENGTH_MAX = 2 ** 22;
/** Odd, so that no change has a bin of its own in the middle. */
const UPDATE_BINS = 41;
/** The leading bits of a number of the ring are its bin. */
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
  #update: Pick<EncodedUpdate, "updateLength" | "ring" | "unit"> = { updateLength: 0, ring: 32, unit: 1 };
  /** As it left; null before. */
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
  encodes({ words, updateLength, ring, unit, clippedUpdate, weight }: EncodedUpdate): void {
    this.#own = new Int32Array(words);
    this.#update = { updateLength, ring, unit };
    this.#clipped = { clippedUpdate, weight };
  }

  /** The others wait for this list, so nothing is made of it yet. @param body  The masked list, u32 little-endian. */
  masks(body: Bytes, sha256: string, root: string): void {
    this.#sha256 = sha256;
    this.#root = root;
    if (this.#own !== null) this.#masked = body;
  }

  /** What a page shows of both lists, made once and when it is first asked for; both null before one left. */
  #lists(): Pick<ContributionDetail, "sample" | "histograms"> {
    if (this.#list !== null) return this.#list;
    const [own, body] = [this.#own, this.#masked];
    if (own === null || body === null) return { sample: null, histograms: null };
    assert(body.length === 4 * own.length, "the masked list is as long as the own one");
    const left = bytesToWords(body);
    const { ring, unit } = this.#update;
    const update = this.#changes(own);
    const sampled = ring === 32 ? own : update;
    const count = Math.min(SAMPLE_MAX, sampled.length);
    const masks = ringNumbers(ring, count);
    const leaving = ringNumbers(ring, count);
    if (ring === 32) takeWords(own, left, masks, leaving);
    const packedCount = ring === 32 ? 0 : this.#update.updateLength;
    for (let index = 0; index < packedCount; index++) {
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

  /** The change of each weight in steps. Rotated coordinates would show nobody anything, so these are from before. */
  #changes(own: Int32Array): Int32Array {
    const { updateLength, ring, unit } = this.#update;
    if (ring === 32) return own.subarray(0, updateLength);
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

/** Counts the numbers of a ring by their leading bits, the lower half of a word first, and keeps the first `count`. */
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

/** As `take` on the 32-bit ring, for all words: every device does this in every round. */
function takeWords(own: Int32Array, left: Uint32Array, masks: RingNumbers, leaving: RingNumbers): void {
  const shift = 32 - RING_BIN_BITS;
  for (let index = 0; index < own.length; index++) {
    const value = left[index] as number;
    const mask = (value - (own[index] as number)) >>> 0;
    if (index < masks.first.length) {
      masks.first[index] = mask;
      leaving.first[index] = value;
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
  // One more, since the largest one itself falls out of the last bin.
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
