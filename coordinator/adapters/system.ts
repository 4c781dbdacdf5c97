import * as nodeCrypto from "node:crypto";
import { webcrypto } from "node:crypto";
import { nodePrimitives } from "#shared/crypto/primitives-node.ts";
import { webCryptoPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import type { MonotonicClock, Primitives, RandomBytes, WallClock } from "#shared/kernel/ports.ts";

/** WebCrypto gives at most this many random bytes a call. Source: W3C Web Cryptography, getRandomValues. */
const RANDOM_BYTES_MAX = 65_536;
/** A chunk of a vector and its prefix fit: 0.05 ms. Longer hashes go to WebCrypto's threads. */
const HASH_BYTES_MAX = 96 * 1024;
/** setTimeout fires at once for more. */
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

const webCrypto = webCryptoPrimitives(crypto.subtle);

const inThread = nodePrimitives(nodeCrypto, Buffer);

/**
 * Short work in this thread; what takes a tenth of a millisecond or more, like signatures, in others. Masks are made in
 * this thread too: `verify` makes them a chunk at a time, a fold in workers of its own.
 */
export const primitives: Primitives = {
  ...webCrypto,
  sha256: (bytes) => (bytes.length <= HASH_BYTES_MAX ? inThread : webCrypto).sha256(bytes),
  hkdfSha256: inThread.hkdfSha256,
  openAes256CtrKeystream: inThread.openAes256CtrKeystream,
};

/** Calls `run` once after `delayMs`, however long. Returns the cancellation. */
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
