import { assert } from "../kernel/assert.ts";

/**
 * Every bound on what a peer may send, in one place. Schemas, routes and sockets read them from here.
 * Byte counts are decimal unless they name a power of two. Rule W3.
 */
export const LIMITS = {
  /** A control frame on the device socket: 1,000 sealed shares with paths take about 750 kB. */
  frameByteCountMax: 1_000_000,
  /** The transcript of one session: 255 bundles of 255 leaves take 7 MB. */
  transcriptByteCountMax: 150_000_000,
  /** A JSON body of the public API. */
  jsonByteCountMax: 1_000_000,
  /** Nesting of a frame or a JSON body. */
  nestingDepthMax: 32,
  /** Coordinates of one masked vector: 4 bytes each, so at most 256 MiB. */
  vectorLengthMax: 2 ** 26,
  /** Devices of one sum: the sealed shares of one graph, with their paths, must fit a frame. */
  rosterSizeMax: 1_000,
  /** Masked updates that a round wants, over all its shards. */
  goalMax: 10_000,
  chunkByteCount: 65_536,
  roundsMax: 100_000,
  attemptsMax: 3,
  voidRoundsInARowMax: 8,
  /** Characters of a text message on a socket: an event's name and, of dashboards, a run id. */
  socketTextLengthMax: 1_000,
  socketEventsPerSecond: 20,
  socketsPerAddress: 64,
  joinsPerMinutePerAddress: 10,
  /** Requests of the public API that change something. */
  writesPerMinutePerAddress: 300,
  /** Requests for parts of a kept round, at once and then in a second: each reads 64 KiB, or hashes an input once. */
  auditReadsBurstPerAddress: 1_000,
  auditReadsPerSecondPerAddress: 200,
  /** Runs that one dashboard connection watches. */
  watchedRunsMax: 64,
  nameLengthMax: 64,
  sentenceLengthMax: 400,
  columnsMax: 512,
  categoriesMax: 256,
  classesMax: 1_000,
  pageSizeMax: 200,
  /** Rows of a participant's own CSV; more would not fit a page's memory with room to train. */
  rowsMax: 200_000,
} as const;

assert(LIMITS.vectorLengthMax * 4 <= 2 ** 28, "a vector fits one upload");
assert(LIMITS.chunkByteCount % 4 === 0, "a chunk holds whole coordinates");
