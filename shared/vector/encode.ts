import { assert } from "../kernel/assert.ts";
import { ok, type Result } from "../kernel/result.ts";
import type { VectorLayout } from "./layout.ts";
import type { Clip, Contribution, EncodeError, EncodeTools, Segment } from "./segment.ts";

export interface EncodedContribution {
  /** The whole vector, not masked yet: it must not leave the device. [layout.length] */
  readonly words: Uint32Array<ArrayBuffer>;
  /** What the segment's `encode` returned for this device to keep. */
  kept<C extends Clip, Kept, Value>(segment: Segment<C, Kept, Value>): Kept;
}

/**
 * Encodes one device's contribution, segment by segment.
 *
 * Errors: those of its segments, such as `non-finite-update` with the first bad index and `no-examples`.
 */
export async function encodeContribution(
  layout: VectorLayout,
  contribution: Contribution,
  tools: EncodeTools,
): Promise<Result<EncodedContribution, EncodeError>> {
  const words = new Uint32Array(layout.length);
  const keptByName = new Map<string, unknown>();
  for (const place of layout.segments) {
    const own = words.subarray(place.offset, place.offset + place.length);
    const encoded = await place.code.encode(contribution, place, own, tools);
    if (!encoded.ok) return encoded;
    keptByName.set(place.name, encoded.value);
  }
  const kept = <C extends Clip, Kept, Value>({ name }: Segment<C, Kept, Value>): Kept => {
    assert(keptByName.has(name), `no segment ${name}`);
    return keptByName.get(name) as Kept;
  };
  return ok({ words, kept });
}
