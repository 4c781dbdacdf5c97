import { merkleRoot } from "#shared/crypto/merkle.ts";
import { present } from "#shared/kernel/assert.ts";
import { type Bytes, bytesToHex } from "#shared/kernel/bytes.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import type { PublishedShard } from "#shared/round/event.ts";
import type { DecodedSum } from "#shared/vector/decode.ts";
import type { VectorLayout } from "#shared/vector/layout.ts";
import { publishedWords } from "#shared/vector/publish.ts";
import { weight } from "#shared/vector/segments/weight.ts";
import { SumOfShards } from "#shared/vector/sum.ts";

/** The sum of a round and what is published of it, shard by shard. */
export class RoundSum {
  readonly total: SumOfShards;
  /** In order of shard, as the words are. */
  readonly shards: PublishedShard[] = [];
  readonly #layout: VectorLayout;
  readonly #words: Uint32Array<ArrayBuffer>[] = [];
  readonly #roots: Bytes[] = [];

  constructor(layout: VectorLayout) {
    this.#layout = layout;
    this.total = new SumOfShards(layout);
  }

  /** @param inputsRoot  Of the tree over the survivors' inputs. */
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

  /** Those of each shard one after the other. */
  publishedWords(): Uint32Array<ArrayBuffer> {
    const [first, ...others] = this.#words;
    if (first !== undefined && others.length === 0) return first;
    const words = new Uint32Array(this.#words.reduce((length, part) => length + part.length, 0));
    let offset = 0;
    for (const part of this.#words) {
      words.set(part, offset);
      offset += part.length;
    }
    return words;
  }

  /** Of the one shard, or over the roots of several. */
  async inputsRoot(primitives: Primitives): Promise<Bytes> {
    const [first] = this.#roots;
    return this.#roots.length === 1 ? present(first, "a root") : merkleRoot(primitives, this.#roots);
  }
}
