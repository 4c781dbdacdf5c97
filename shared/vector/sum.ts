import { present } from "../kernel/assert.ts";
import type { DecodedSum } from "./decode.ts";
import { placeOf, type VectorLayout } from "./layout.ts";
import type { Clip, Numbers, Segment } from "./segment.ts";

/**
 * The sum of a round from the sums of its shards. Each is read apart, as signed numbers of the ring, and they are added as
 * whole numbers in doubles. A single shard is taken as it is, without a copy.
 */
export class SumOfShards {
  readonly #layout: VectorLayout;
  readonly #totals = new Map<string, Numbers>();

  constructor(layout: VectorLayout) {
    this.#layout = layout;
  }

  add({ numbersByName }: DecodedSum): void {
    for (const { name, code } of this.#layout.segments) {
      const numbers = present(numbersByName.get(name), `numbers of ${name}`);
      const before = this.#totals.get(name);
      if (before === undefined) {
        this.#totals.set(name, numbers);
        continue;
      }
      const total = before instanceof Float64Array ? before : new Float64Array(before);
      code.add(total, numbers);
      this.#totals.set(name, total);
    }
  }

  /** What the sum says of a segment, in the segment's own units. */
  read<C extends Clip, Kept, Value>(segment: Segment<C, Kept, Value>): Value {
    const numbers = present(this.#totals.get(segment.name), `a sum of ${segment.name}`);
    return segment.read(placeOf(this.#layout, segment), numbers);
  }
}
