import * as nodeCrypto from "node:crypto";
import { webcrypto } from "node:crypto";
import { nodePrimitives } from "../crypto/primitives-node.ts";
import { webCryptoPrimitives } from "../crypto/primitives-webcrypto.ts";
import type { SubtleLike } from "../crypto/subtle-like.ts";
import type { MonotonicClock, Primitives, RandomBytes, WallClock } from "../kernel/ports.ts";

/**
 * WebCrypto returns at most this many random bytes per call. Source: W3C Web Cryptography, getRandomValues.
 */
const RANDOM_BYTES_MAX = 65_536;
/** Fits a vector chunk with its prefix, which takes 0.05 ms. Longer inputs go to WebCrypto's threads. */
const HASH_BYTES_MAX = 96 * 1024;
/** setTimeout fires at once for longer delays. */
const TIMEOUT_MAX_MS = 2 ** 31 - 1;

export const monotonicClock: MonotonicClock = { nowMs: () => performance.now() };

export const wallClock: WallClock = { nowUnixMs: () => Date.now() };

export const randomBytes: RandomBytes = (byteCount) => {
  const bytes = new Uint8Array(byteCount);
  for (let offset = 0; offset < byteCount; offset += RANDOM_BYTES_MAX) {
    webcrypto.getRandomValues(bytes.subarray(offset, offset + RANDOM_BYTES_MAX));
  }
  return bytes;
};

// Node's types have one overload for each algorithm.
const webCrypto = webCryptoPrimitives(webcrypto.subtle as SubtleLike);

const inThread = nodePrimitives(nodeCrypto, Buffer);

/**
 * Short work runs in this thread; signatures and long hashes run in WebCrypto's. A hash of 2 kB takes 5 microseconds of
 * CPU here and 22 there. Masks are made in this thread, too: `verify` makes them chunk by chunk, a fold has its own
 * workers, and an edge's 100 masks of 2^20 numbers take 0.1 s here and 0.26 s of two WebCrypto threads.
 */
export const primitives: Primitives = {
  ...webCrypto,
  sha256: (bytes) => (bytes.length <= HASH_BYTES_MAX ? inThread : webCrypto).sha256(bytes),
  hkdfSha256: inThread.hkdfSha256,
  openAes256CtrKeystream: inThread.openAes256CtrKeystream,
};

/** Calls `run` once after `delayMs`, however long. @returns A function that cancels it. */
export function after(delayMs: number, run: () => void): () => void {
  const due = performance.now() + delayMs;
  let timer: NodeJS.Timeout;
  const wait = () => {
    const leftMs = Math.max(0, due - performance.now());
    timer = setTimeout(leftMs > TIMEOUT_MAX_MS ? wait : run, Math.min(leftMs, TIMEOUT_MAX_MS));
  };
  wait();
  return () => clearTimeout(timer);
}
