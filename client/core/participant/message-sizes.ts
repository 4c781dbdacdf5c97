import { encodeFrame } from "#shared/protocol/frame.ts";
import { SEALED_SHARE_BYTES } from "#shared/secagg/bundle.ts";

const HEADER_BYTES = 400;

/**
 * Bytes of keys, shares and signatures that a device sends in a round of `count` devices without dropouts: frames of the
 * true shape, filled with zeros. For the sentence before a person agrees; what really left is counted when it leaves.
 */
export function keysByteCountAbout(count: number): number {
  const zeros = (byteCount: number) => new Uint8Array(byteCount);
  const sid = "0".repeat(64);
  const attempt = { runId: "0".repeat(32), round: 1, attempt: 1 };
  const leaf = { ciphertext: zeros(SEALED_SHARE_BYTES), zShareCommit: zeros(32), bShareCommit: zeros(32) };
  const shares = Array.from({ length: count }, (_, index) => ({ owner: index + 1, share: zeros(32) }));
  const frames = [
    { type: "advertise", ...attempt, c: zeros(32), s: zeros(32), bCommit: zeros(32), signature: zeros(64) },
    { type: "share", sid, leaves: Array.from({ length: count }, () => leaf), signature: zeros(64) },
    { type: "confirm", sid, signature: zeros(64) },
    { type: "unmask", sid, bShares: shares, zShares: [], signature: zeros(64) },
  ];
  return frames.reduce((sum, frame) => sum + encodeFrame(frame).length, HEADER_BYTES);
}
