import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/*
 * Where the time of a bench goes, by the sampling profiler of V8 (`--cpu-prof`) in every process of it. Its clock is the
 * machine's monotonic one, so samples of all processes can be cut to the spans that were measured. What WebCrypto, the
 * file system and other native code do on threads of their own is in no sample: it is the CPU time that is left over.
 */

/** On `performance.timeOrigin`-free monotonic time, in microseconds; see `monotonicUs`. */
export interface Span {
  readonly fromUs: number;
  readonly toUs: number;
}

export function monotonicUs(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

/** The flags with which a process writes its profile when it exits. */
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

/** The first that fits the file of a function; one that fits none counts for the function that called it. */
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
/** What each category counts for in the table of few rows; those that are not here are the rest. */
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
/** In the order of the table. */
const GROUP_NAMES = [...new Set([...Object.values(GROUPS), "rest"])];

/** Self time of all categories, summed up in few rows; the rest is last. */
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
  /** Functions of it with the most self time. */
  readonly functions: readonly { readonly name: string; readonly ms: number }[];
}

/**
 * Self time by category within the spans, of all profiles in a folder whose file name has `of` in it; largest first.
 * Idle time is that of main threads only.
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

/** User and system time of a process and its threads so far, in milliseconds; null where the system does not say. */
export function cpuMs(pid: number): number | null {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    // In ticks of 10 ms: the 14th and 15th field of proc(5).
    return 10 * (Number(fields[11]) + Number(fields[12]));
  } catch {
    return null;
  }
}
