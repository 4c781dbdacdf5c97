/** A copy of a message with one leaf of it changed, and where. */
export interface Mutation<Message> {
  readonly path: string;
  readonly message: Message;
}

/**
 * One mutation for each leaf of a message: a flipped bit in bytes and hex text, a number one higher. Of a list longer
 * than two only the first and the last element are tried. Empty bytes have no bit to flip and are left out.
 *
 * @param bit  Which bit, counted from the front, modulo the length.
 */
export function mutations<Message extends object>(message: Message, bit: number): Mutation<Message>[] {
  return leaves(message, []).map((path) => ({
    path: path.join("."),
    message: replaced(message, path, (leaf) => changed(leaf, bit)) as Message,
  }));
}

type Path = readonly (string | number)[];

function leaves(value: unknown, path: Path): Path[] {
  if (value instanceof Uint8Array) return value.length > 0 ? [path] : [];
  if (Array.isArray(value)) {
    const tried = [...new Set([0, value.length - 1])].filter((index) => index >= 0);
    return tried.flatMap((index) => leaves(value[index], [...path, index]));
  }
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]));
  }
  return typeof value === "number" || isHex(value) ? [path] : [];
}

function replaced(value: unknown, path: Path, change: (leaf: unknown) => unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return change(value);
  const inner = replaced((value as Record<string | number, unknown>)[step], rest, change);
  if (Array.isArray(value)) return value.map((element, index) => (index === step ? inner : element));
  return { ...(value as object), [step]: inner };
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
