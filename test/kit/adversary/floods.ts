/**
 * What a stranger may send all the time. ./children/flood.ts sends it; test/bench/floods.ts measures a round beside it.
 */
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
  // Last, because the tasks that it creates stay.
  "large task lists",
] as const;
export type Flood = (typeof FLOODS)[number];

export interface FloodOrder {
  readonly flood: Flood;
  /** Null: a server inside the flood's own process, which accepts everything and does nothing. */
  readonly url: string | null;
  /** The task that devices check in to, and the one that can never run. */
  readonly task: string;
  readonly hopelessTask: string;
}

/** Messages from the process: it has begun; at its end, how much it sent. */
export type FromFlood = { readonly type: "begun" } | { readonly type: "ended"; readonly sent: number };
