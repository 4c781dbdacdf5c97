import { merkleRoot } from "#shared/crypto/merkle.ts";
import { present } from "#shared/kernel/assert.ts";
import { type Bytes, bytesToHex, concatArrays } from "#shared/kernel/bytes.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import type { PublishedShard } from "#shared/round/event.ts";
import type { DecodedSum } from "#shared/vector/decode.ts";
import type { VectorLayout } from "#shared/vector/layout.ts";
import { publishedWords } from "#shared/vector/publish.ts";
import { weight } from "#shared/vector/segments/weight.ts";
import { SumOfShards } from "#shared/vector/sum.ts";

/** The sum of a round and its published part, shard by shard. */
export class RoundSum {
  readonly total: SumOfShards;
  /** In order of shard, like the words. */
  readonly shards: PublishedShard[] = [];
  readonly #layout: VectorLayout;
  readonly #words: Uint32Array<ArrayBuffer>[] = [];
  readonly #roots: Bytes[] = [];

  constructor(layout: VectorLayout) {
    this.#layout = layout;
    this.total = new SumOfShards(layout);
  }

  /** @param inputsRoot  Root of the tree over the survivors' inputs. */
  add(shard: number, decoded: DecodedSum, inputsRoot: Bytes): void {
    this.total.add(decoded);
    this.#words.push(publishedWords(this.#layout, decoded));
    this.#roots.push(inputsRoot);
    const own = new SumOfShards(this.#layout);
    own.add(decoded);
    this.shards.push({
      shard,
      survivors: decoded.survivorCount,
      weightSum: own.read(weight),
      inputsRoot: bytesToHex(inputsRoot),
    });
  }

  /** The published words of all shards, concatenated. */
  publishedWords(): Uint32Array<ArrayBuffer> {
    const [first, ...others] = this.#words;
    if (first !== undefined && others.length === 0) return first;
    return concatArrays((length) => new Uint32Array(length), this.#words);
  }

  /** The root of a single shard, or the root over several. */
  async inputsRoot(primitives: Primitives): Promise<Bytes> {
    const [first] = this.#roots;
    return this.#roots.length === 1 ? present(first, "a root") : merkleRoot(primitives, this.#roots);
  }
}
