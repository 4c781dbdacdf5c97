import type { OpenDecoder } from "#shared/data/table/encoding.ts";

/** The decoder of page and edge. */
export const openDecoder: OpenDecoder = (encoding) => new TextDecoder(encoding, { fatal: true });

export function textBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
