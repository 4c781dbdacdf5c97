import { assert } from "../kernel/assert.ts";

/**
 * Every bound on what a peer may send, in one place. Schemas, routes and sockets read them from here.
 * Byte counts are decimal unless they name a power of two. Rule W3.
 */
export const LIMITS = {
  /** A control frame on the device socket: 1,000 sealed shares with paths take about 750 kB. */
  frameByteCountMax: 1_000_000,
  /** MessagePack values of a frame, keys among them: 1,000 sealed shares with paths of 16 hashes are 31,000. */
  frameEntryCountMax: 32_000,
  /** The same of a message without a list, and of anything before the login. */
  smallFrameByteCountMax: 1_000,
  smallFrameEntryCountMax: 32,
  /** The transcript of one session: 255 bundles of 255 leaves take 7 MB. */
  transcriptByteCountMax: 150_000_000,
  transcriptEntryCountMax: 10_000_000,
  /** A task as a JSON body, and the values in it, keys among them. */
  jsonByteCountMax: 1_000_000,
  jsonEntryCountMax: 20_000,
  /** Every other JSON body. */
  smallJsonByteCountMax: 8_000,
  smallJsonEntryCountMax: 200,
  /** The whole of a JSON body arrives within this time. */
  bodyMsMax: 10_000,
  /** Bytes of JSON bodies, and milliseconds of the coordinator's time that reading them takes, by address. */
  bodyBytesBurstPerAddress: 8_000_000,
  bodyBytesPerSecondPerAddress: 200_000,
  bodyReadingMsBurstPerAddress: 1_000,
  bodyReadingMsPerSecondPerAddress: 50,
  /** Nesting of a frame or a JSON body. */
  nestingDepthMax: 32,
  /** Coordinates of one masked vector: 4 bytes each, so at most 256 MiB. */
  vectorLengthMax: 2 ** 26,
  /** Devices of one sum: the sealed shares of one graph, with their paths, must fit a frame. */
  rosterSizeMax: 1_000,
  /** Masked updates that a round wants, over all its shards. */
  goalMax: 10_000,
  chunkByteCount: 65_536,
  /** With less room on the data folder's disk no round opens and no upload begins. */
  diskFreeByteCountMin: 64 * 2 ** 20,
  roundsMax: 100_000,
  attemptsMax: 3,
  voidRoundsInARowMax: 8,
  /** Characters of a text message on a socket: an event's name and, of dashboards, a run id. */
  socketTextLengthMax: 1_000,
  socketEventsPerSecond: 20,
  socketsPerAddress: 64,
  /** Connections that an address opens, at once and then in a second. */
  socketOpensBurstPerAddress: 256,
  socketOpensPerSecondPerAddress: 16,
  /** Packets of the transport: an event with bytes is two. */
  socketPacketsBurst: 200,
  socketPacketsPerSecond: 100,
  socketPacketsBurstPerAddress: 4_000,
  socketPacketsPerSecondPerAddress: 500,
  /** Bytes on one connection that has not logged in: all that a login or a dashboard says is small. */
  socketBytesBurstBeforeLogin: 64_000,
  socketBytesPerSecondBeforeLogin: 16_000,
  /** Bytes on one connection, and on those of an address that no join token lifts from the count. */
  socketBytesBurst: 4_000_000,
  socketBytesPerSecond: 500_000,
  socketBytesBurstPerAddress: 64_000_000,
  socketBytesPerSecondPerAddress: 4_000_000,
  /** Milliseconds of the coordinator's time that reading messages takes, the same way. */
  socketReadingMsBurst: 500,
  socketReadingMsPerSecond: 25,
  socketReadingMsBurstPerAddress: 2_000,
  socketReadingMsPerSecondPerAddress: 100,
  /** Bytes that were sent to a connection and that it has not read. */
  socketUnreadByteCountMax: 8_000_000,
  joinsPerMinutePerAddress: 10,
  /** Open HTTP connections, in all and of an address: 100 browsers behind one, with six each, are 600. */
  httpConnectionsMax: 4_096,
  httpConnectionsPerAddress: 1_024,
  /** Of these, for the machine itself alone. */
  httpConnectionsForLoopback: 64,
  /** Connections that an address opens, at once and then in a second: a proxy may open one for each request. */
  httpOpensBurstPerAddress: 4_096,
  httpOpensPerSecondPerAddress: 1_024,
  /** Requests of the API, whatever becomes of them. */
  apiBurstPerAddress: 4_000,
  apiPerSecondPerAddress: 400,
  /** Requests with the shape of an upload. Beyond it each needs a connection of its own; none is refused for it. */
  uploadsBurstPerAddress: 1_000,
  uploadsPerSecondPerAddress: 100,
  /** Requests of the public API that change something. */
  writesPerMinutePerAddress: 300,
  /** Reads of the API: an object costs 1, a list 1 and a tenth of its page size. */
  readsBurstPerAddress: 600,
  readsPerSecondPerAddress: 60,
  readsAtOnce: 4,
  readsWaiting: 64,
  readsWaitingPerAddress: 16,
  /** A read or download that has not begun after this time is refused. */
  readsWaitMsMax: 10_000,
  /** Downloads of models and published sums: a whole cohort behind one address asks at once. */
  downloadsBurstPerAddress: 2_000,
  downloadsPerSecondPerAddress: 200,
  downloadsAtOnce: 512,
  downloadsAtOncePerAddress: 128,
  downloadsWaiting: 2_048,
  downloadsWaitingPerAddress: 512,
  /** A download is cut after this time and what its bytes take at this rate: it holds a place that others wait for. */
  downloadMsMin: 60_000,
  downloadBytesPerSecondMin: 20_000,
  /** Uploads with a slot token that is none: each costs a key derivation. */
  wrongSlotsBurstPerAddress: 100,
  wrongSlotsPerSecondPerAddress: 10,
  /** Runs that have not ended, of a task and in all. */
  openRunsPerTask: 50,
  openRunsMax: 1_000,
  /** Requests for pages, for files of the pages, and for what operators ask. */
  pagesBurstPerAddress: 300,
  pagesPerSecondPerAddress: 20,
  pageFilesBurstPerAddress: 3_000,
  pageFilesPerSecondPerAddress: 300,
  operationsBurstPerAddress: 100,
  operationsPerSecondPerAddress: 20,
  livezBurstPerAddress: 1_000,
  livezPerSecondPerAddress: 200,
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
assert(
  LIMITS.frameEntryCountMax > 31 * LIMITS.rosterSizeMax + LIMITS.smallFrameEntryCountMax,
  "the shares of a roster fit a frame, each a map of seven fields and a path of 16 hashes",
);
assert(
  LIMITS.socketBytesBurst > LIMITS.frameByteCountMax &&
    LIMITS.socketBytesBurstPerAddress >= LIMITS.socketsPerAddress * LIMITS.frameByteCountMax,
  "all devices of an address may send their largest frame at once",
);
