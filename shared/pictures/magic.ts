/** True if `bytes` has these values from `at` on. */
export function startsWith(bytes: Uint8Array, values: readonly number[], at = 0): boolean {
  return bytes.length >= at + values.length && values.every((value, index) => bytes[at + index] === value);
}

/** One character a byte; shorter at the end of `bytes`. */
export function textAt(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length));
}
