/*
 * Numbers as sentences print them, on pages and in files alike. Not with Intl, so that all print the same in any locale.
 * 1 kB is 1,000 bytes.
 */

/** U+00A0 keeps a number and its unit on one line. */
const NBSP = "\u00a0";

/** 12279 becomes "12,279"; takes whole numbers. */
export function formatCount(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** "1 device", "8 devices". */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** Kilobytes of 1,000 bytes, without the unit: two decimals below 1, one below 100, otherwise none. */
export function formatKilobytes(byteCount: number): string {
  const kilobytes = byteCount / 1_000;
  if (kilobytes >= 100) return formatCount(kilobytes);
  return kilobytes.toFixed(kilobytes < 1 ? 2 : 1);
}

/** "9.8 kB". */
export function formatBytes(byteCount: number): string {
  return `${formatKilobytes(byteCount)}${NBSP}kB`;
}
