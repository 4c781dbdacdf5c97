/** What a stranger may send all the time; ./children/flood.ts sends it, test/bench/floods.ts measures beside it. */
export const FLOODS = [
  "reserved events",
  "frames of map keys",
  "JSON of keys",
  "task lists, 32 connections",
  "task lists, 200 connections",
  "hello, 64 connections",
  "16 devices that check in and leave",
  "launches that cannot run",
  "silent connections, 1500",
  "connections that come and go",
  "unknown addresses, 64 connections",
  "uploads to made-up sessions, 64 connections",
  "downloads of a model, 200 connections",
  "downloads that nobody reads, 200 connections",
] as const;
export type Flood = (typeof FLOODS)[number];

export interface FloodOrder {
  readonly flood: Flood;
  /** Null: a server within the flood's own process, which takes everything and does nothing. */
  readonly url: string | null;
  /** The task that devices check in to, and the one that cannot run. */
  readonly task: string;
  readonly hopelessTask: string;
}

/** What the process tells: that it has begun, and at its end how much it sent. */
export type FromFlood = { readonly type: "begun" } | { readonly type: "ended"; readonly sent: number };
