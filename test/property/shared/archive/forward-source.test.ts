import fc from "fast-check";
import { expect, test } from "vitest";
import { forwardSource } from "#shared/archive/forward-source.ts";

/** Gives the chunks, and counts how often it was begun and left. */
function streamOf(chunks: readonly Uint8Array[]) {
  const counts = { begun: 0, ended: 0 };
  async function* open() {
    counts.begun += 1;
    try {
      yield* chunks;
    } finally {
      counts.ended += 1;
    }
  }
  return { counts, open };
}

test("[E21] bytes that can only be had from the beginning on are read at any place, however they arrive", async () => {
  const chunk = fc.uint8Array({ maxLength: 20 });
  const place = fc.nat(200);
  await fc.assert(
    fc.asyncProperty(
      fc.array(chunk, { maxLength: 10 }),
      fc.array(fc.tuple(place, place)),
      async (chunks, reads) => {
        const all = Buffer.concat(chunks);
        const { counts, open } = streamOf(chunks);
        const source = forwardSource(all.length, open);
        for (const [one, other] of reads) {
          const [from = 0, to = 0] = [one, other].map((at) => Math.min(at, all.length)).sort((a, b) => a - b);
          expect(Buffer.from(await source.read(from, to))).toEqual(all.subarray(from, to));
        }
        await source.close();
        expect(counts.ended).toBe(counts.begun);
      },
    ),
    { numRuns: 300 },
  );
});

test("[E21] reading forward takes one pass, and too few bytes are an error", async () => {
  const { counts, open } = streamOf([Uint8Array.of(1, 2, 3), Uint8Array.of(4, 5)]);
  const source = forwardSource(7, open);
  expect([...(await source.read(0, 2)), ...(await source.read(2, 4)), ...(await source.read(4, 5))]).toEqual([
    1, 2, 3, 4, 5,
  ]);
  expect(counts.begun).toBe(1);
  expect([...(await source.read(1, 3))]).toEqual([2, 3]);
  expect(counts.begun).toBe(2);
  await expect(source.read(4, 7)).rejects.toThrow("end too early");
});
