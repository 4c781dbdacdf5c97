import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/*
 * Where the time of a bench goes, from V8's sampling profiler (`--cpu-prof`) in each of its processes. Its clock is the
 * machine's monotonic one, so samples of all processes can be cut to the measured spans. No sample covers what
 * WebCrypto, the file system and other native code do on their own threads: it is the remaining CPU time.
 */

/** Monotonic time in microseconds, independent of `performance.timeOrigin`; see `monotonicUs`. */
export interface Span {
  readonly fromUs: number;
  readonly toUs: number;
}

export function monotonicUs(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

/** Flags that make a process write its profile when it exits. */
export function profileFlags(folder: string): string[] {
  return ["--cpu-prof", "--cpu-prof-interval=250", `--cpu-prof-dir=${folder}`];
}

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
}
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: CallFrame;
    readonly children?: readonly number[];
  }[];
  readonly startTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** The first entry that matches a function's file applies. If none matches, the time counts for the caller. */
const CATEGORIES: readonly (readonly [string, RegExp])[] = [
  [
    "cryptography",
    /shared\/(crypto|secagg)\/|@noble|tweetnacl|internal\/crypto|client\/adapters\/.*primitives/,
  ],
  ["SQLite and fsync", /sqlite\/(dialect|connection|position-mark)|node:sqlite|internal\/sqlite/],
  ["queries", /adapters\/database|node_modules\/(kysely|pg)/],
  ["schemas (zod)", /node_modules\/zod/],
  ["frames and encoding", /shared\/(codec|protocol)\/|@msgpack/],
  ["spool, blobs, fold", /coordinator\/adapters\/(spool|blobs|fold|durable)/],
  [
    "HTTP",
    /adapters\/http|node_modules\/(hono|@hono|undici)|internal\/deps\/undici|node:_http|internal\/http|resumable-put/,
  ],
  [
    "sockets",
    /adapters\/socket|socket-link|node_modules\/(socket\.io|engine\.io|ws)|node:net|internal\/stream_base/,
  ],
  ["round machine", /shared\/(round|task)\//],
  ["coordinator core", /coordinator\/core\//],
  ["device core", /client\//],
  ["loading of modules", /internal\/modules|cjs\/loader|internal\/deps\/(amaro|cjs|acorn)/],
  ["kernel", /shared\//],
  ["the bench itself", /test\//],
];
/** The row of the short table for each category; categories that are missing here are the rest. */
const GROUPS: Readonly<Record<string, string>> = {
  cryptography: "cryptography",
  "SQLite and fsync": "SQLite and fsync",
  "frames and encoding": "serialisation",
  "schemas (zod)": "serialisation",
  sockets: "sockets and HTTP",
  HTTP: "sockets and HTTP",
  Node: "scheduling and native code",
  "native code": "scheduling and native code",
  idle: "main thread waits",
};
/** In the table's order. */
const GROUP_NAMES = [...new Set([...Object.values(GROUPS), "rest"])];

/** Self time of all categories, summed into a few rows; the rest comes last. */
export function groupTimes(
  shares: readonly ProfileShare[],
): { readonly group: string; readonly ms: number }[] {
  return GROUP_NAMES.map((group) => {
    const own = shares.filter(({ category }) => (GROUPS[category] ?? "rest") === group);
    return { group, ms: own.reduce((sum, { ms }) => sum + ms, 0) };
  });
}

const NATIVE: Readonly<Record<string, string>> = {
  "(garbage collector)": "garbage collection",
  "(program)": "native code",
  "(idle)": "idle",
};

export interface ProfileShare {
  readonly category: string;
  readonly ms: number;
  /** Its functions with the most self time. */
  readonly functions: readonly { readonly name: string; readonly ms: number }[];
}

/**
 * Self time by category within the spans, from all profiles in a folder with `of` in their file name; largest first.
 * Idle time counts only for main threads.
 */
export function selfTimes(
  folder: string,
  of: (file: string) => boolean,
  spans: readonly Span[],
): ProfileShare[] {
  const byCategory = new Map<string, Map<string, number>>();
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".cpuprofile") && of(name))) {
    const profile = JSON.parse(readFileSync(join(folder, file), "utf8")) as CpuProfile;
    const own = new Map<string, Map<string, number>>();
    addProfile(profile, spans, own);
    // CPU.<date>.<time>.<process>.<thread>.<number>.cpuprofile
    if (file.split(".")[4] !== "0") own.delete("idle");
    mergeInto(byCategory, own);
  }
  return [...byCategory]
    .map(([category, functions]): ProfileShare => {
      const sorted = [...functions].sort(([, left], [, right]) => right - left);
      const ms = sorted.reduce((sum, [, us]) => sum + us, 0) / 1e3;
      const most = sorted.slice(0, 4).map(([name, us]) => ({ name, ms: us / 1e3 }));
      return { category, ms, functions: most };
    })
    .sort((left, right) => right.ms - left.ms);
}

function mergeInto(all: Map<string, Map<string, number>>, own: Map<string, Map<string, number>>): void {
  for (const [category, functions] of own) {
    const sums = all.get(category) ?? new Map<string, number>();
    for (const [name, us] of functions) sums.set(name, (sums.get(name) ?? 0) + us);
    all.set(category, sums);
  }
}

function addProfile(
  { nodes, samples, timeDeltas, startTime }: CpuProfile,
  spans: readonly Span[],
  byCategory: Map<string, Map<string, number>>,
): void {
  const parentById = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const frameById = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const categoryById = new Map<number, string>();
  const categoryOf = (id: number): string => {
    const known = categoryById.get(id);
    if (known !== undefined) return known;
    const frame = frameById.get(id) as CallFrame;
    const parent = parentById.get(id);
    const own = NATIVE[frame.functionName] ?? CATEGORIES.find(([, files]) => files.test(frame.url))?.[0];
    const category = own ?? (parent === undefined ? "Node" : categoryOf(parent));
    categoryById.set(id, category);
    return category;
  };
  let at = startTime;
  let span = 0;
  for (const [index, id] of samples.entries()) {
    const us = timeDeltas[index + 1] ?? 0;
    at += timeDeltas[index] ?? 0;
    while (span < spans.length && (spans[span] as Span).toUs < at) span++;
    if (span === spans.length) break;
    if (at < (spans[span] as Span).fromUs) continue;
    const { functionName, url } = frameById.get(id) as CallFrame;
    const name = `${functionName || "(anonymous)"} ${url.split("/").slice(-2).join("/")}`;
    const functions = byCategory.get(categoryOf(id)) ?? new Map<string, number>();
    byCategory.set(categoryOf(id), functions.set(name, (functions.get(name) ?? 0) + us));
  }
}

/**
 * User and system time of a process and its threads so far, in milliseconds; null if the system does not report it.
 */
export function cpuMs(pid: number): number | null {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    // In ticks of 10 ms: fields 14 and 15 of proc(5).
    return 10 * (Number(fields[11]) + Number(fields[12]));
  } catch {
    return null;
  }
}
