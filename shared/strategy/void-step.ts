import { DOMAINS } from "../crypto/domains.ts";
import { E } from "../crypto/encode.ts";
import type { Primitives } from "../kernel/ports.ts";

/** 2^-7, exact in float32. Large enough to change every normal weight, small enough to cost almost no accuracy. */
const VOID_STEP = 2 ** -7;

/**
 * Changes a model that must not be opened again: w <- f32(w (1 +- 2^-7)), with a sign for each weight that anyone can
 * recompute. Otherwise two sums could be opened for the same model and subtracted.
 *
 * Sign i is bit i mod 8, least significant first, of byte floor(i / 8) of the AES-256-CTR stream under
 * SHA-256(E("chorus/1/void", runId, round)). A set bit means minus. Zero stays zero.
 *
 * @param runId  32 hex digits.
 * @param round  The voided round. The result replaces its model.
 */
export async function voidStep(
  primitives: Primitives,
  model: Float32Array,
  runId: string,
  round: number,
): Promise<Float32Array<ArrayBuffer>> {
  const key = await primitives.sha256(E(DOMAINS.void, runId, round));
  const signs = await primitives.aes256CtrKeystream(key, 0, Math.ceil(model.length / 8));
  const stepped = new Float32Array(model.length);
  for (let i = 0; i < model.length; i++) {
    const isMinus = (signs[i >>> 3]! >>> (i & 7)) & 1; // hot loop
    stepped[i] = Math.fround(model[i]! * (isMinus ? 1 - VOID_STEP : 1 + VOID_STEP));
  }
  return stepped;
}
