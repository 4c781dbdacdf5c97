import { present } from "../kernel/assert.ts";
import type { DecodedSum } from "./decode.ts";
import { placeOf, type VectorLayout } from "./layout.ts";
import type { Clip, Numbers, Segment } from "./segment.ts";

/**
 * Adds up the sums of a round's shards. Each is read separately, as signed numbers of the ring; they are added as integers
 * in doubles. The sum of a single shard is not copied.
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

  /** The sum of one segment, in the segment's own units. */
  read<C extends Clip, Kept, Value>(segment: Segment<C, Kept, Value>): Value {
    const numbers = present(this.#totals.get(segment.name), `a sum of ${segment.name}`);
    return segment.read(placeOf(this.#layout, segment), numbers);
  }
}
