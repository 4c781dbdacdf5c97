import { Gunzip, Inflate, inflateSync } from "fflate";
import { err, ok, type Result } from "../kernel/result.ts";
import { crc32 } from "./crc32.ts";

/** Up to this many packed bytes are unpacked in one step, to 17 MB at the most: deflate's ratio is at most 1,032. */
const STEP_BYTES = 16_384;
/** The most that a byte of deflate can unpack to. Source: zlib's technical details. */
export const RATIO_MAX = 1_032;

export type InflateError = "too-large" | "damaged";

/**
 * Unpacks a stream of deflate (RFC 1951) that gives `byteCount` bytes. Stops as soon as there are more, so that a stream
 * which lies about its size costs no memory.
 */
export function inflate(packed: Uint8Array, byteCount: number): Result<Uint8Array, InflateError> {
  try {
    if (packed.length <= STEP_BYTES) {
      const out = inflateSync(packed);
      if (out.length > byteCount) return err("too-large");
      return out.length === byteCount ? ok(out) : err("damaged");
    }
    const sink = createSink(byteCount);
    const stream = new Inflate((part) => sink.take(part));
    pushInSteps(stream, packed, sink);
    return sink.filled === byteCount ? ok(sink.bytes) : err(sink.isOver ? "too-large" : "damaged");
  } catch {
    return err("damaged");
  }
}

/**
 * Unpacks a gzip file (RFC 1952) of at most `byteCountMax` bytes and checks its checksum. Several gzip files end to end
 * are one.
 */
export function gunzip(packed: Uint8Array, byteCountMax: number): Result<Uint8Array, InflateError> {
  if (packed.length < 18) return err("damaged");
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const [wantedCrc, wantedCount] = [
    view.getUint32(packed.length - 8, true),
    view.getUint32(packed.length - 4, true),
  ];
  // The file says its length at its end. If that is a lie, or there are several parts, the sink grows.
  const sink = createSink(Math.min(byteCountMax, wantedCount, packed.length * RATIO_MAX), byteCountMax);
  let isOne = true;
  try {
    const stream = new Gunzip((part) => sink.take(part));
    // Called for each part after the first.
    stream.onmember = () => {
      isOne = false;
    };
    pushInSteps(stream, packed, sink);
  } catch {
    return err(sink.isOver ? "too-large" : "damaged");
  }
  if (sink.isOver) return err("too-large");
  const bytes = sink.bytes.subarray(0, sink.filled);
  if (!isOne) return ok(bytes);
  return bytes.length % 2 ** 32 === wantedCount && crc32(bytes) === wantedCrc ? ok(bytes) : err("damaged");
}

interface Sink {
  readonly bytes: Uint8Array;
  readonly filled: number;
  readonly isOver: boolean;
  take(part: Uint8Array): void;
}

function createSink(byteCount: number, byteCountMax = byteCount): Sink {
  let bytes = new Uint8Array(byteCount);
  let filled = 0;
  let isOver = false;
  return {
    get bytes() {
      return bytes;
    },
    get filled() {
      return filled;
    },
    get isOver() {
      return isOver;
    },
    take: (part) => {
      if (filled + part.length > byteCountMax) isOver = true;
      if (isOver) return;
      if (filled + part.length > bytes.length) {
        const grown = new Uint8Array(
          Math.min(byteCountMax, Math.max(filled + part.length, 2 * bytes.length)),
        );
        grown.set(bytes);
        bytes = grown;
      }
      bytes.set(part, filled);
      filled += part.length;
    },
  };
}

function pushInSteps(
  stream: { push(part: Uint8Array, isLast: boolean): void },
  packed: Uint8Array,
  sink: Sink,
): void {
  for (let at = 0; at < packed.length && !sink.isOver; at += STEP_BYTES) {
    stream.push(packed.subarray(at, at + STEP_BYTES), at + STEP_BYTES >= packed.length);
  }
}
