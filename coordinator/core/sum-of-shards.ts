import type { DecodedSum } from "#shared/codec/decode-sum.ts";
import { segmentOf, type VectorLayout } from "#shared/codec/layout.ts";
import type { LocalMetrics, SummedMetrics } from "#shared/codec/metrics.ts";
import { merkleRoot } from "#shared/crypto/merkle.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import { type Bytes, bytesToHex } from "#shared/kernel/bytes.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import type { PublishedShard } from "#shared/round/event.ts";

/**
 * The sum of a round from the sums of its shards: each is read apart, as signed words of the ring, and they are added as
 * whole numbers in doubles, exactly as long as they stay below 2^53. One shard is taken as it is, without a copy.
 */
export class SumOfShards {
  readonly #layout: VectorLayout;
  #coordinateSum: Int32Array<ArrayBuffer> | Float64Array<ArrayBuffer> | null = null;
  #metrics: SummedMetrics | null = null;
  #weightSum = 0;
  readonly #words: Uint32Array<ArrayBuffer>[] = [];
  readonly #roots: Bytes[] = [];
  readonly #shards: PublishedShard[] = [];

  constructor(layout: VectorLayout) {
    this.#layout = layout;
  }

  /**
   * @param sum         What `decoded` was read from.
   * @param inputsRoot  Of the tree over the survivors' inputs.
   */
  add(shard: number, sum: Uint32Array<ArrayBuffer>, decoded: DecodedSum, inputsRoot: Bytes): void {
    const { coordinateSum, weightSum, metrics, survivorCount } = decoded;
    if (this.#coordinateSum === null) this.#coordinateSum = coordinateSum;
    else {
      // Not in the ring: the sum of several shards may leave it.
      if (!(this.#coordinateSum instanceof Float64Array))
        this.#coordinateSum = new Float64Array(this.#coordinateSum);
      const total = this.#coordinateSum;
      for (let i = 0; i < total.length; i++) {
        total[i] = (total[i] as number) + (coordinateSum[i] as number);
      }
    }
    this.#metrics = this.#metrics === null ? metrics : addMetrics(this.#metrics, metrics);
    this.#weightSum += weightSum;
    this.#words.push(publishedWords(this.#layout, sum, coordinateSum));
    this.#roots.push(inputsRoot);
    this.#shards.push({ shard, survivors: survivorCount, weightSum, inputsRoot: bytesToHex(inputsRoot) });
  }

  /** One whole number for each coordinate of the layout. */
  get coordinateSum(): Int32Array<ArrayBuffer> | Float64Array<ArrayBuffer> {
    return present(this.#coordinateSum, "a sum of at least one shard");
  }

  get weightSum(): number {
    assert(Number.isSafeInteger(this.#weightSum), "a sum of whole numbers is exact");
    return this.#weightSum;
  }

  get metrics(): SummedMetrics {
    return present(this.#metrics, "metrics of at least one shard");
  }

  /** In order of shard, as the words are. */
  get published(): readonly PublishedShard[] {
    return this.#shards;
  }

  /** Those of each shard one after the other. */
  publishedWords(): Uint32Array<ArrayBuffer> {
    return concatenated(this.#words);
  }

  /** Of the one shard, or over the roots of several. */
  async inputsRoot(primitives: Primitives): Promise<Bytes> {
    const [first] = this.#roots;
    return this.#roots.length === 1 ? present(first, "a root") : merkleRoot(primitives, this.#roots);
  }
}

/** Update as signed words, weight and sentinels; a published total of evidence would give a suppressed group away. */
function publishedWords(
  layout: VectorLayout,
  sum: Uint32Array,
  coordinateSum: Int32Array,
): Uint32Array<ArrayBuffer> {
  const others = (["weight", "sentinels"] as const).map((name) => {
    const { offset, length } = segmentOf(layout, name);
    return sum.subarray(offset, offset + length);
  });
  return concatenated([coordinateSum, ...others]);
}

function concatenated(parts: readonly (Uint32Array | Int32Array)[]): Uint32Array<ArrayBuffer> {
  const [first] = parts;
  if (parts.length === 1 && first instanceof Uint32Array) return first as Uint32Array<ArrayBuffer>;
  const words = new Uint32Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    words.set(part, offset);
    offset += part.length;
  }
  return words;
}

function addMetrics(left: SummedMetrics, right: SummedMetrics): SummedMetrics {
  const add = (one: LocalMetrics, other: LocalMetrics): LocalMetrics => ({
    count: one.count + other.count,
    lossSum: one.lossSum + other.lossSum,
    correct: one.correct + other.correct,
  });
  return { before: add(left.before, right.before), after: add(left.after, right.after) };
}
