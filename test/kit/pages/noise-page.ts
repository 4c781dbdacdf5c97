import { measureNoise } from "../../bench/privacy/noise.ts";

/* Measures how fast a page draws noise. */

const random = (byteCount: number) => {
  const bytes = new Uint8Array(byteCount);
  for (let at = 0; at < byteCount; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes;
};

Object.assign(globalThis, {
  measureNoise: (count: number, variance: number) =>
    measureNoise(random, () => performance.now(), count, variance),
});
