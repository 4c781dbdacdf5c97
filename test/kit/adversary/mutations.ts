import { type Leaf, leavesOf, replaced } from "./bad-input/places.ts";

/** A copy of a message with one leaf changed, and the path of that leaf. */
export interface Mutation<Message> {
  readonly path: string;
  readonly message: Message;
}

/**
 * One mutation for each leaf of a message: a flipped bit in bytes and hex text, a number increased by one. Of lists
 * longer than two, only the first and last element are tried. Empty bytes are skipped.
 *
 * @param bit  Index of the bit from the front, modulo the length.
 */
export function mutations<Message extends object>(message: Message, bit: number): Mutation<Message>[] {
  return leavesOf(message)
    .filter(isChanged)
    .map(({ path }) => ({
      path: path.join("."),
      message: replaced(message, path, (leaf) => changed(leaf, bit)) as Message,
    }));
}

function isChanged({ value }: Leaf): boolean {
  return value instanceof Uint8Array ? value.length > 0 : typeof value === "number" || isHex(value);
}

function changed(leaf: unknown, bit: number): unknown {
  if (typeof leaf === "number") return leaf + 1;
  if (leaf instanceof Uint8Array) return flipped(leaf, bit);
  const bytes = Uint8Array.from((leaf as string).match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  return Array.from(flipped(bytes, bit), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const index = bit % (8 * copy.length);
  copy[index >>> 3] = (copy[index >>> 3] as number) ^ (1 << (index & 7));
  return copy;
}

function isHex(value: unknown): boolean {
  return typeof value === "string" && value.length >= 32 && /^[0-9a-f]+$/.test(value);
}
