import type { Primitives } from "../kernel/ports.ts";
import { parseVerifierKey, type VerifiedSignature, type VerifierKey } from "./note.ts";

/** Witnesses, and how many of them must have signed a checkpoint. */
export interface Quorum {
  /** Different from one another. */
  readonly witnesses: readonly VerifierKey[];
  readonly needed: number;
}

export const NO_QUORUM: Quorum = { witnesses: [], needed: 0 };

/** @param keys  As NAME+KEYID+KEY. Those that cannot be read never sign, so a quorum with too few others is never reached. */
export async function quorumOf(
  primitives: Pick<Primitives, "sha256">,
  keys: readonly string[],
  needed: number,
): Promise<Quorum> {
  const parsed = await Promise.all([...new Set(keys)].map((text) => parseVerifierKey(primitives, text)));
  return { witnesses: parsed.flatMap((key) => (key.ok ? [key.value] : [])), needed };
}

export interface TooFewWitnesses {
  readonly type: "too-few-witnesses";
  readonly have: number;
  readonly need: number;
}

/** Null if enough have signed. @param cosigned  As `openCheckpoint` returns them for the quorum's witnesses. */
export function tooFewWitnesses(
  { needed }: Quorum,
  cosigned: readonly VerifiedSignature[],
): TooFewWitnesses | null {
  const have = new Set(cosigned.map(({ key }) => key)).size;
  return have >= needed ? null : { type: "too-few-witnesses", have, need: needed };
}
