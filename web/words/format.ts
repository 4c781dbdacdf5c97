import type { Measure } from "#shared/stats/measure.ts";

/*
 * Numbers and instants as the pages print them: value, unit, uncertainty, count. Written by hand and not with Intl, so
 * that server and browser print the same whatever their locale; times are UTC, bytes are kB of 1,000.
 */

/** U+00A0: a number and its unit stay on one line. */
const NBSP = "\u00a0";
const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
const WORDS = [
  "no",
  "one",
  "two",
  "three",
  "four",
  "five",
  "six",
  "seven",
  "eight",
  "nine",
  "ten",
  "eleven",
  "twelve",
];

/** 12279 becomes "12,279"; takes whole numbers. */
export function formatCount(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** "no", "one" to "twelve", then digits. */
export function countInWords(count: number): string {
  return WORDS[count] ?? formatCount(count);
}

/** "1 device", "8 devices". */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** First letter in upper case, for words that open a sentence. */
export function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Three decimals, as shares and losses are given. */
export function formatDecimal(value: number, decimals = 3): string {
  const text = value.toFixed(decimals);
  return Number(text) === 0 ? (0).toFixed(decimals) : text.replace("-", "−");
}

/** "0.679 ± 0.008": a mean and the half width of its 95 % interval. */
export function formatMeasure(measure: Pick<Measure, "value" | "halfWidth95">): string {
  return `${formatDecimal(measure.value)} ± ${formatDecimal(measure.halfWidth95)}`;
}

/** A share as "68.1 %". */
export function formatPercent(share: number): string {
  return `${(100 * share).toFixed(1)}${NBSP}%`;
}

/** A difference of shares or the half width of one, in points: "2.6 points". */
export function formatPoints(share: number): string {
  return `${(100 * share).toFixed(1)}${NBSP}points`;
}

/** Bytes in kB of 1,000 without the unit: two decimals below 1, one below 100, then none. */
export function formatKilobytes(byteCount: number): string {
  const kilobytes = byteCount / 1_000;
  if (kilobytes >= 100) return formatCount(kilobytes);
  return kilobytes.toFixed(kilobytes < 1 ? 2 : 1);
}

/** "9.8 kB". */
export function formatBytes(byteCount: number): string {
  return `${formatKilobytes(byteCount)}${NBSP}kB`;
}

/** "16 bits", "27.2 bits". */
export function formatBits(bits: number): string {
  return `${bits.toFixed(1).replace(/\.0$/, "")}${NBSP}bits`;
}

/** "0.4 s", "25 s": one decimal below ten. */
export function formatSeconds(seconds: number): string {
  const text = seconds < 9.95 ? seconds.toFixed(1).replace(/\.0$/, "") : formatCount(seconds);
  return `${text}${NBSP}s`;
}

/** A rough length for plans: "40 s", "38 min", "2 h 10 min", "12 days". */
export function formatDuration(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))}${NBSP}s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes}${NBSP}min`;
  if (minutes >= 48 * 60) return `${formatCount(minutes / (24 * 60))}${NBSP}days`;
  const rest = minutes % 60;
  return `${Math.floor(minutes / 60)}${NBSP}h${rest === 0 ? "" : ` ${rest}${NBSP}min`}`;
}

const two = (value: number): string => String(value).padStart(2, "0");

/** ISO 8601 to "14:36:20" in UTC. */
export function formatTimeUtc(instant: string): string {
  const date = new Date(instant);
  return `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
}

/** ISO 8601 to "8 July 2026, 14:36 UTC". */
export function formatInstantUtc(instant: string): string {
  const date = new Date(instant);
  const day = `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
  return `${day}, ${two(date.getUTCHours())}:${two(date.getUTCMinutes())} UTC`;
}

const DAY_MS = 86_400_000;
const NEAR_DAYS = new Map([
  [-1, "yesterday"],
  [0, "today"],
  [1, "tomorrow"],
]);

/** "today, 10:12 UTC", "8 July, 14:36 UTC", and the year only if it is another one. */
export function formatWhenUtc(instant: string, nowUnixMs = Date.now()): string {
  const date = new Date(instant);
  const dayOf = (unixMs: number) => Math.floor(unixMs / DAY_MS);
  const near = NEAR_DAYS.get(dayOf(date.getTime()) - dayOf(nowUnixMs));
  const sameYear = date.getUTCFullYear() === new Date(nowUnixMs).getUTCFullYear();
  const day = near ?? `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
  if (near === undefined && !sameYear) return formatInstantUtc(instant);
  return `${day}, ${two(date.getUTCHours())}:${two(date.getUTCMinutes())} UTC`;
}

/** The first 12 of 64 hex digits in fours, for people who compare: "9f31 c0a7 5be2". */
export function formatHash(hash: string, digitCount = 12): string {
  return (hash.slice(0, digitCount).match(/.{1,4}/g) ?? []).join(" ");
}

export type Comparison = "better" | "worse" | "too close to tell";

/** Compares two measures of which more is better; intervals that overlap cannot be told apart. */
export function compareMeasures(now: Measure, before: Measure): Comparison {
  const gap = now.value - before.value;
  if (Math.abs(gap) <= now.halfWidth95 + before.halfWidth95) return "too close to tell";
  return gap > 0 ? "better" : "worse";
}
