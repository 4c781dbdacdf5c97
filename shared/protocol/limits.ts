import { assert } from "../kernel/assert.ts";

/**
 * All bounds on what a peer may send. Schemas, routes and sockets read them from here. Byte counts are decimal unless they
 * are written as a power of two. Rule W3.
 */
export const LIMITS = {
  /** A control frame on the device socket: 1,000 sealed shares with paths take about 750 kB. */
  frameByteCountMax: 1_000_000,
  /** MessagePack values of a frame, including keys: 1,000 sealed shares with paths of 16 hashes are 31,000. */
  frameEntryCountMax: 32_000,
  /** The same bounds for a message without a list, and for everything before the login. */
  smallFrameByteCountMax: 1_000,
  smallFrameEntryCountMax: 32,
  /** The transcript of one session: 255 bundles of 255 leaves take 7 MB. */
  transcriptByteCountMax: 150_000_000,
  transcriptEntryCountMax: 10_000_000,
  /** A task as a JSON body, and the number of values in it, including keys: 512 columns are 60 kB and 7,000 values. */
  jsonByteCountMax: 128_000,
  jsonEntryCountMax: 10_000,
  /** Every other JSON body. */
  smallJsonByteCountMax: 8_000,
  smallJsonEntryCountMax: 200,
  /** A JSON body must arrive completely within this time. */
  bodyMsMax: 10_000,
  /** Bytes of JSON bodies per address, and milliseconds spent on parsing and checking them. */
  bodyBytesBurstPerAddress: 8_000_000,
  bodyBytesPerSecondPerAddress: 200_000,
  bodyReadingMsBurstPerAddress: 1_000,
  bodyReadingMsPerSecondPerAddress: 50,
  /** Nesting of a frame or a JSON body. */
  nestingDepthMax: 32,
  /** 32-bit words in one masked vector, so at most 256 MiB. */
  vectorLengthMax: 2 ** 26,
  /** Devices in one sum. Their shares and Merkle paths must fit in a frame. */
  rosterSizeMax: 1_000,
  /** Masked updates that a round aims for in all its shards. */
  goalMax: 10_000,
  chunkByteCount: 65_536,
  /** If the data folder's disk has less space than this, no round opens and no upload begins. */
  diskFreeByteCountMin: 64 * 2 ** 20,
  /** Likewise if models, uploads and held-out rows together have more than this; the operator may set another. */
  quotaByteCount: 10_000_000_000,
  roundsMax: 100_000,
  attemptsMax: 3,
  voidRoundsInARowMax: 8,
  /** Characters of a text message on a socket: an event's name and, from dashboards, a run id. */
  socketTextLengthMax: 1_000,
  socketEventsPerSecond: 20,
  /** The coordinator pings each connection this often. */
  socketPingMs: 4_000,
  /** A device hears nothing for longer only if its connection is dead or the coordinator held up. */
  socketSilentMsMax: 9_000,
  /** A connection without an answer to a ping ends after this time. */
  socketAnswerMsMax: 20_000,
  /**
   * Devices that may share an address: a school, a ward, a mobile network's gateway. All of them may open the page, join,
   * take part and reload within a minute; the sums are at the end of this file.
   */
  devicesPerAddress: 100,
  socketsPerAddress: 400,
  /** Connections that an address may open: a burst, then a rate per second. */
  socketOpensBurstPerAddress: 512,
  socketOpensPerSecondPerAddress: 16,
  /** Transport packets. An event with bytes takes two. */
  socketPacketsBurst: 200,
  socketPacketsPerSecond: 100,
  socketPacketsBurstPerAddress: 8_000,
  socketPacketsPerSecondPerAddress: 500,
  /** Bytes on one connection before the login. Dashboards never log in and keep this limit. */
  socketBytesBurstBeforeLogin: 64_000,
  socketBytesPerSecondBeforeLogin: 16_000,
  /** Bytes on one connection after the login, and on all connections of an address. */
  socketBytesBurst: 4_000_000,
  socketBytesPerSecond: 500_000,
  socketBytesBurstPerAddress: 128_000_000,
  socketBytesPerSecondPerAddress: 4_000_000,
  /** Milliseconds spent on decoding messages, per connection and per address. */
  socketReadingMsBurst: 500,
  socketReadingMsPerSecond: 25,
  socketReadingMsBurstPerAddress: 6_000,
  socketReadingMsPerSecondPerAddress: 200,
  /** Bytes that wait to be sent on one connection. */
  socketUnreadByteCountMax: 8_000_000,
  /** New identities of an address: a burst, then a rate per minute. */
  joinsBurstPerAddress: 200,
  joinsPerMinutePerAddress: 10,
  /** Identities of an address that are looked up, to find out whether they are new. */
  deviceLookUpsBurstPerAddress: 400,
  deviceLookUpsPerSecondPerAddress: 10,
  /** Open HTTP connections, in total and per address. A browser may open six. */
  httpConnectionsMax: 4_096,
  httpConnectionsPerAddress: 1_024,
  /** Of the total, reserved for this machine. */
  httpConnectionsForLoopback: 64,
  /** Connections that an address may open: a burst, then a rate per second. A proxy may open one for each request. */
  httpOpensBurstPerAddress: 4_096,
  httpOpensPerSecondPerAddress: 1_024,
  /** Requests to the API, whether they succeed or not. */
  apiBurstPerAddress: 4_000,
  apiPerSecondPerAddress: 400,
  /** Requests that look like uploads. Above this each one needs a connection of its own, but none is refused. */
  uploadsBurstPerAddress: 1_000,
  uploadsPerSecondPerAddress: 100,
  /** Requests to the public API that change something. */
  writesPerMinutePerAddress: 300,
  /** What programs log for experiments: requests that change something, bytes of a body, and values in it. */
  trackingWritesBurstPerAddress: 2_000,
  trackingWritesPerSecondPerAddress: 100,
  trackingByteCountMax: 1_000_000,
  trackingEntryCountMax: 30_000,
  /** Bytes of these bodies per address, and milliseconds spent on parsing and checking them. Whoever sends them has an account. */
  trackingBytesBurstPerAddress: 64_000_000,
  trackingBytesPerSecondPerAddress: 4_000_000,
  trackingReadingMsBurstPerAddress: 10_000,
  trackingReadingMsPerSecondPerAddress: 300,
  /** Bytes of one file of an experiment. */
  artifactByteCountMax: 10_000_000_000,
  /** Reads of the API. An object costs 1, a list 1 plus a tenth of its page size, both plus 1 for so many bytes. */
  readsBurstPerAddress: 4_000,
  readByteCountPerCost: 20_000,
  readsPerSecondPerAddress: 60,
  readsAtOnce: 4,
  readsWaiting: 1_024,
  readsWaitingPerAddress: 512,
  /** A read or download is refused if it has not begun after this time. */
  readsWaitMsMax: 10_000,
  /** Downloads of models and published sums. A whole cohort behind one address may ask at once. */
  downloadsBurstPerAddress: 2_000,
  downloadsPerSecondPerAddress: 200,
  downloadsAtOnce: 512,
  downloadsAtOncePerAddress: 128,
  downloadsWaiting: 2_048,
  downloadsWaitingPerAddress: 512,
  /** A download is cut after this time plus its size divided by this rate, because it holds a place that others need. */
  downloadMsMin: 60_000,
  downloadBytesPerSecondMin: 20_000,
  /** Uploads with an invalid slot token. Each costs a key derivation. */
  wrongSlotsBurstPerAddress: 100,
  wrongSlotsPerSecondPerAddress: 10,
  /** Runs that have not ended, of one task and in total. */
  openRunsPerTask: 50,
  openRunsMax: 1_000,
  /** Requests for pages, for the pages' files, and from operators. */
  pagesBurstPerAddress: 600,
  pagesPerSecondPerAddress: 20,
  pageFilesBurstPerAddress: 8_000,
  pageFilesPerSecondPerAddress: 300,
  operationsBurstPerAddress: 100,
  operationsPerSecondPerAddress: 20,
  livezBurstPerAddress: 1_000,
  livezPerSecondPerAddress: 200,
  /** Requests for parts of a kept round: a burst, then a rate per second. Each reads 64 KiB or hashes an input once. */
  auditReadsBurstPerAddress: 1_000,
  auditReadsPerSecondPerAddress: 200,
  /** Of these, answered at once and waiting. A part is held in memory until its auditor has read it. */
  auditReadsAtOnce: 16,
  auditReadsAtOncePerAddress: 4,
  auditReadsWaiting: 256,
  auditReadsWaitingPerAddress: 128,
  /** What asks a model anew of all held-out rows takes seconds: one at once, and these may wait, in all and per address. */
  modelTrialsAtOnce: 1,
  modelTrialsWaiting: 32,
  modelTrialsWaitingPerAddress: 8,
  modelTrialsWaitMsMax: 60_000,
  /** Of one address: a burst, then a rate. */
  modelTrialsBurstPerAddress: 20,
  modelTrialsPerMinutePerAddress: 20,
  /** Runs that one dashboard connection may watch. */
  watchedRunsMax: 64,
  nameLengthMax: 64,
  sentenceLengthMax: 400,
  /** Bytes of a set of held-out rows, of one part of its upload, and characters of the time in which it was collected. */
  heldOutByteCountMax: 1_000_000_000,
  heldOutPartByteCountMax: 64_000_000,
  heldOutDateLengthMax: 80,
  /** An upload of held-out rows to which nothing is sent for this long ends, and what has arrived is deleted. */
  heldOutSilentMsMax: 600_000,
  /** Uploads of held-out rows that are under way, and those that are over and may still be asked about. */
  heldOutUploadsOpenMax: 16,
  heldOutUploadsKeptMax: 64,
  /** Problems that the answer to a request or an upload lists one by one. */
  problemsListedMax: 50,
  columnsMax: 512,
  categoriesMax: 256,
  classesMax: 1_000,
  pageSizeMax: 200,
  /** Stored bytes of the items of a page. A page with one item may be larger. */
  pageByteCountMax: 256_000,
  /** Rows of a participant's own CSV. More would not leave a page enough memory to train. */
  rowsMax: 200_000,
} as const;

assert(2 * LIMITS.socketPingMs < LIMITS.socketSilentMsMax, "one late ping is no silence");
assert(LIMITS.vectorLengthMax * 4 <= 2 ** 28, "a vector fits one upload");
assert(LIMITS.chunkByteCount % 4 === 0, "a chunk holds whole coordinates");
assert(
  LIMITS.frameEntryCountMax > 31 * LIMITS.rosterSizeMax + LIMITS.smallFrameEntryCountMax,
  "the shares of a roster fit a frame, each a map of seven fields and a path of 16 hashes",
);
assert(
  LIMITS.socketBytesBurst > LIMITS.frameByteCountMax &&
    LIMITS.socketBytesBurstPerAddress >= LIMITS.devicesPerAddress * LIMITS.frameByteCountMax,
  "all devices of an address may send their largest frame at once",
);

/**
 * What one device behind a shared address needs at most within a minute, from the first page to the end of a round, and
 * once more after a reload. Measured in Chromium with some room; a page's files are in its cache when it reloads.
 */
const ONE_DEVICE = {
  joins: 1,
  /** The page's and the device's, and those of the page before the reload until a heartbeat misses them. */
  sockets: 4,
  /** Of both sockets: connecting, login, check-in and the five messages of a round, two packets each, and pongs. */
  socketPackets: 2 * 40,
  /** Decoding the messages of a round with a hundred devices on a slow machine, most of it the shares. */
  socketReadingMs: 50,
  /** The home page, the join page and its reload, each with its icon. */
  pages: 6,
  pageFiles: 72,
  /** For status, task, runs and tasks, on both pages and after the reload: the requests, and what these reads cost. */
  requests: 16,
  reads: 40,
  /** Those that a page sends at once. */
  readsAtOnce: 5,
  downloads: 4,
  connections: 6,
} as const;

for (const [need, limit] of [
  ["joins", LIMITS.joinsBurstPerAddress],
  ["joins", LIMITS.deviceLookUpsBurstPerAddress],
  ["sockets", LIMITS.socketsPerAddress],
  ["sockets", LIMITS.socketOpensBurstPerAddress],
  ["socketPackets", LIMITS.socketPacketsBurstPerAddress],
  ["socketReadingMs", LIMITS.socketReadingMsBurstPerAddress],
  ["pages", LIMITS.pagesBurstPerAddress],
  ["pageFiles", LIMITS.pageFilesBurstPerAddress],
  ["reads", LIMITS.readsBurstPerAddress],
  ["requests", LIMITS.apiBurstPerAddress],
  ["readsAtOnce", LIMITS.readsWaitingPerAddress],
  ["downloads", LIMITS.downloadsBurstPerAddress],
  ["connections", LIMITS.httpConnectionsPerAddress],
] as const) {
  assert(
    LIMITS.devicesPerAddress * ONE_DEVICE[need] <= limit,
    `an address has enough ${need} for all its devices`,
  );
}
