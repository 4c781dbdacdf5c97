import { formatBytes, formatCount } from "#shared/kernel/number-words.ts";
import type { Measure } from "#shared/stats/measure.ts";

export { formatBytes, formatCount, formatKilobytes, plural } from "#shared/kernel/number-words.ts";

/*
 * Numbers and times as the pages print them: value, unit, uncertainty, count. Not with Intl, so that server and browser
 * print the same in any locale. Times are UTC; 1 kB is 1,000 bytes.
 */

/** U+00A0 keeps a number and its unit on one line. */
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

/** "no", "one" to "twelve", then digits. */
export function countInWords(count: number): string {
  return WORDS[count] ?? formatCount(count);
}

/** Capitalises the first letter, for words that start a sentence. */
export function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Three decimals, as usual for fractions and losses. */
export function formatDecimal(value: number, decimals = 3): string {
  const text = value.toFixed(decimals);
  return Number(text) === 0 ? (0).toFixed(decimals) : text.replace("-", "−");
}

/** Three digits of a figure in a unit of the task, which may be large or small: "3.12", "0.0312", "31,200". */
export function formatFigure(value: number, like: number = value): string {
  const digits = like === 0 ? 0 : Math.floor(Math.log10(Math.abs(like)));
  const decimals = Math.max(0, Math.min(6, 2 - digits));
  return decimals > 0 ? formatDecimal(value, decimals) : formatCount(value);
}

/**
 * "0.679 ± 0.008", "3.12 ± 0.05 dollars": a mean and the half width of its 95 % interval, with the unit of a number that a
 * task learns.
 */
export function formatMeasure({ value, halfWidth95, unit }: Omit<Measure, "count">): string {
  if (unit === undefined) return `${formatDecimal(value)} ± ${formatDecimal(halfWidth95)}`;
  return `${formatFigure(value)} ± ${formatFigure(halfWidth95, value)}${NBSP}${unit}`;
}

/** A fraction as "68.1 %". */
export function formatPercent(share: number): string {
  return `${(100 * share).toFixed(1)}${NBSP}%`;
}

/** A difference of fractions, or its half width: "2.6 points". */
export function formatPoints(share: number): string {
  return `${(100 * share).toFixed(1)}${NBSP}points`;
}

/** "214 MB", "38.2 GB": the size of something of a machine, in powers of 1,000. */
export function formatSize(byteCount: number): string {
  const [unit, divisor] = byteCount >= 999_500_000 ? (["GB", 1e9] as const) : (["MB", 1e6] as const);
  const value = byteCount / divisor;
  return `${value < 9.95 ? value.toFixed(1).replace(/\.0$/, "") : formatCount(value)}${NBSP}${unit}`;
}

/** A file of any size: "79.0 kB", "214 MB". */
export function formatFileSize(byteCount: number): string {
  return byteCount < 999_500 ? formatBytes(byteCount) : formatSize(byteCount);
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

/** A rough duration for plans: "40 s", "38 min", "2 h 10 min", "12 days". */
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

/** "today, 10:12 UTC" or "8 July, 14:36 UTC", with the year only if it is not this year. */
export function formatWhenUtc(instant: string, nowUnixMs = Date.now()): string {
  return `${formatWhen(instant, nowUnixMs)} UTC`;
}

/** As `formatWhenUtc`, for a page that says once that its times are UTC. */
export function formatWhen(instant: string, nowUnixMs = Date.now()): string {
  const date = new Date(instant);
  return `${formatDay(instant, nowUnixMs)}, ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
}

/** "today" or "8 July", with the year only if it is not this year. */
export function formatDay(instant: string, nowUnixMs = Date.now()): string {
  const date = new Date(instant);
  const dayOf = (unixMs: number) => Math.floor(unixMs / DAY_MS);
  const near = NEAR_DAYS.get(dayOf(date.getTime()) - dayOf(nowUnixMs));
  const sameYear = date.getUTCFullYear() === new Date(nowUnixMs).getUTCFullYear();
  const year = sameYear ? "" : ` ${date.getUTCFullYear()}`;
  return near ?? `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}${year}`;
}

/** "12 s ago", "4 min ago"; from an hour on the time itself. */
export function formatAgo(instant: string, nowUnixMs = Date.now()): string {
  const seconds = Math.max(0, (nowUnixMs - new Date(instant).getTime()) / 1_000);
  if (seconds >= 3_600) return formatWhen(instant, nowUnixMs);
  return seconds < 60 ? `${Math.round(seconds)}${NBSP}s ago` : `${Math.floor(seconds / 60)}${NBSP}min ago`;
}

/** The first 12 of 64 hex digits in groups of four, for people to compare: "9f31 c0a7 5be2". */
export function formatHash(hash: string, digitCount = 12): string {
  return (hash.slice(0, digitCount).match(/.{1,4}/g) ?? []).join(" ");
}
