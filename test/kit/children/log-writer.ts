import { appendFileSync, existsSync, readFileSync, writeSync } from "node:fs";
import files, { type FileHandle } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { dirname, join, relative } from "node:path";
import type { LogStore } from "#coordinator/open-public-log.ts";

/*
 * A process that writes a public log and ends itself with SIGKILL at one boundary of its effects. Database, files, keys and
 * sequencer are the product's; Node's calls are cut into. On stdout: one line for each boundary that it reached.
 */

export interface LogWriterOrder {
  readonly dataDir: string;
  /** Every head that the database is asked to take, and every note that is published, one JSON line each. */
  readonly ledgerPath: string;
  /** What a power cut at the kill would undo, as JSON: `Undo[]`. */
  readonly undoPath: string;
  /** Leaves to stage, each batch once the one before is published. */
  readonly batches: readonly number[];
  /** Rotates the log's key, and stages nothing else. */
  readonly rotates: boolean;
  /** A boundary as this process prints it; null: it lives to its end. */
  readonly killAt: string | null;
  /** For the positive controls. */
  readonly fault: "publishes-first" | "never-syncs" | null;
}

export interface LedgerNote {
  readonly at: "signed" | "published";
  readonly note: string;
}

/** @param base64  What the file had; null if there was none. */
export interface Undo {
  readonly path: string;
  readonly base64: string | null;
}

const order = JSON.parse(process.argv[2] ?? "") as LogWriterOrder;
const { dataDir, killAt, fault } = order;
const note = (line: LedgerNote) => appendFileSync(order.ledgerPath, `${JSON.stringify(line)}\n`);

/** Of files whose new content or name may still be lost, by path: what would be there then. */
const unsynced = new Map<string, string | null>();

function reach(point: string): void {
  writeSync(1, `${point}\n`);
  if (point !== killAt) return;
  const undo: Undo[] = [...unsynced].map(([path, base64]) => ({ path, base64 }));
  appendFileSync(order.undoPath, JSON.stringify(undo));
  process.kill(process.pid, "SIGKILL");
  // The signal is on its way; nothing more may happen.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

/** A file's place in the folder, the same in every life: `tile/0/N`, `tile/entries/N.p/W`. Null for what is not of the log. */
function kindOf(path: string): string | null {
  const name = relative(dataDir, path);
  if (!/^log($|\/|(-next)?\.key)/.test(name)) return null;
  return name
    .replace(/\.\d+(-\d+)?\.partial$/, ".partial")
    .replace(/(x?\d{3}\/)*\d{3}(\.p\/\d+)?(?=$|\.partial|\.p$)/, (match) =>
      match.includes(".p/") ? "N.p/W" : "N",
    );
}

const contentOf = (path: string) => (existsSync(path) ? readFileSync(path).toString("base64") : null);

/** Cuts into every call by which something becomes durable. */
async function watchFiles(): Promise<void> {
  const { open, rename, link, rm } = files;
  const paths = new WeakMap<FileHandle, string>();
  const probe = await open(process.execPath, "r");
  const handles = Object.getPrototypeOf(probe) as FileHandle;
  await probe.close();
  const { writeFile, sync } = handles;
  handles.writeFile = async function (this: FileHandle, ...given) {
    const path = paths.get(this) ?? "";
    const kind = kindOf(path);
    if (kind !== null) {
      reach(`write ${kind}`);
      unsynced.set(path, "");
    }
    if (kind !== null && killAt === `torn ${kind}`) {
      const bytes = Buffer.from(given[0] as Uint8Array | string);
      await writeFile.call(this, bytes.subarray(0, bytes.length >> 1));
      reach(killAt);
    }
    await writeFile.apply(this, given);
    if (kind !== null) reach(`written ${kind}`);
  };
  handles.sync = async function (this: FileHandle) {
    const path = paths.get(this) ?? "";
    const kind = path === dataDir ? "." : kindOf(path);
    if (fault !== "never-syncs") {
      await sync.call(this);
      unsynced.delete(path);
      for (const changed of unsynced.keys())
        if (dirname(changed) === path && !changed.endsWith(".partial")) unsynced.delete(changed);
    }
    if (kind !== null) reach(`synced ${kind}`);
  };
  const moved = async (from: string, to: string, how: string, move: () => Promise<void>) => {
    const kind = kindOf(to);
    const [before, moving] = [contentOf(to), contentOf(from)];
    const lost = unsynced.get(from);
    await move();
    if (kind === null) return;
    // The name may be durable before the content is: then the file has none.
    unsynced.set(to, lost ?? before);
    unsynced.delete(from);
    // Both names are lost together, or neither.
    if (how === "renamed" && !from.endsWith(".partial")) unsynced.set(from, moving);
    reach(`${how} ${kind}`);
  };
  files.open = async (path, ...rest) => {
    const handle = await open(path, ...rest);
    paths.set(handle, String(path));
    return handle;
  };
  files.rename = (from, to) => moved(String(from), String(to), "renamed", () => rename(from, to));
  files.link = (from, to) => moved(String(from), String(to), "linked", () => link(from, to));
  files.rm = async (path, ...rest) => {
    const kind = kindOf(String(path));
    const isThere = existsSync(path);
    await rm(path, ...rest);
    if (kind !== null && isThere) reach(`removed ${kind}`);
  };
  syncBuiltinESMExports();
}

function watchStore(store: LogStore, publish: (note: string) => Promise<void>): LogStore {
  return {
    stageLeaves: async (...given) => {
      reach("stage");
      const last = await store.stageLeaves(...given);
      reach("staged");
      return last;
    },
    findLeaves: (...given) => store.findLeaves(...given),
    leavesAfter: (...given) => store.leavesAfter(...given),
    leavesBefore: (...given) => store.leavesBefore(...given),
    logHead: () => store.logHead(),
    getSetting: (name) => store.getSetting(name),
    importLeaves: async (...given) => {
      reach("import");
      await store.importLeaves(...given);
      reach("imported");
    },
    moveLogHead: async (from, to) => {
      note({ at: "signed", note: to.note });
      if (fault === "publishes-first") await publish(to.note);
      reach("move head");
      const isMoved = await store.moveLogHead(from, to);
      reach("moved head");
      return isMoved;
    },
    putSettingOnce: async (name, value) => {
      reach(`put ${name}`);
      const kept = await store.putSettingOnce(name, value);
      reach(`kept ${name}`);
      return kept;
    },
  };
}

await watchFiles();
// Later, so that they get the calls that are cut into.
const { openStore } = await import("#coordinator/adapters/database/open-store.ts");
const { LOG_FOLDER, openLogFiles } = await import("#coordinator/adapters/log-files.ts");
const { openPublicLog } = await import("#coordinator/open-public-log.ts");
const { after, monotonicClock, primitives, randomBytes } = await import("#shared/node/system.ts");

const store = await openStore({ dataDir });
const { publish } = openLogFiles(join(dataDir, LOG_FOLDER));
async function write(batches: readonly number[]): Promise<void> {
  const log = await openPublicLog({
    store: watchStore(store, publish),
    dataDir,
    origin: undefined,
    primitives,
    random: randomBytes,
    clock: monotonicClock,
    after,
    witnesses: [],
    log: { info: () => {}, warn: console.error, error: console.error },
  });
  await log.open();
  log.start();
  for (const count of batches) {
    const leaves = Array.from({ length: count }, () => ({
      kind: "round.aborted",
      body: {
        version: 1,
        roundId: Buffer.from(randomBytes(16)).toString("hex"),
        code: "TEST",
        opened: false,
      },
    }));
    const last = await store.stageLeaves(leaves, 1_700_000_000_000);
    if (!(await log.covers(last - 1))) throw new Error(JSON.stringify(log.state()));
    note({ at: "published", note: log.checkpoint() ?? "" });
  }
  await log.stop();
}

if (order.rotates) {
  const { rotateKey } = await import("#coordinator/commands/log/rotate.ts");
  await rotateKey(watchStore(store, publish), dataDir);
} else await write(order.batches);
await store.close();
reach("end");
