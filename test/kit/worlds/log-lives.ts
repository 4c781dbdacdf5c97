import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { keepCompiled } from "#coordinator/adapters/compile-cache.ts";
import { openStore } from "#coordinator/adapters/database/open-store.ts";
import { LOG_FOLDER, openLogFiles } from "#coordinator/adapters/log-files.ts";
import { readLogKeys } from "#coordinator/adapters/log-key.ts";
import { checkLog } from "#coordinator/core/audit/check-log.ts";
import { openPublicLog } from "#coordinator/open-public-log.ts";
import { bytesToHex, equalBytes } from "#shared/kernel/bytes.ts";
import { after, monotonicClock, primitives, randomBytes } from "#shared/node/system.ts";
import { type Checkpoint, openCheckpoint, parseCheckpoint } from "#shared/tlog/checkpoint.ts";
import { SIGNATURE_TYPES, verifierKey } from "#shared/tlog/note.ts";
import { openTiledTree } from "#shared/tlog/tiled-tree.ts";
import type { LedgerNote, LogWriterOrder, Undo } from "../children/log-writer.ts";

// There are many lives, and most of one is compiling, in its processes and threads.
keepCompiled();

const SCRIPT = fileURLToPath(new URL("../children/log-writer.ts", import.meta.url));

/** A log in a folder over several lives of its coordinator, and what anyone saw of it. */
export class LogLives {
  readonly dataDir: string;
  readonly #fault: LogWriterOrder["fault"];
  /** Root by size, of all that was ever signed. */
  readonly #signed = new Map<number, string>();
  readonly #published: Checkpoint[] = [];

  constructor(dataDir: string, fault: LogWriterOrder["fault"] = null) {
    this.dataDir = dataDir;
    this.#fault = fault;
  }

  get published(): readonly Checkpoint[] {
    return this.#published;
  }

  /** One life. @returns The boundaries that it reached, in order. */
  async live(
    order: Partial<Pick<LogWriterOrder, "batches" | "killAt" | "rotates">>,
  ): Promise<{ readonly points: readonly string[]; readonly isKilled: boolean }> {
    const whole: LogWriterOrder = {
      dataDir: this.dataDir,
      ledgerPath: `${this.dataDir}.ledger`,
      undoPath: `${this.dataDir}.undo`,
      batches: [],
      killAt: null,
      rotates: false,
      fault: this.#fault,
      ...order,
    };
    for (const path of [whole.ledgerPath, whole.undoPath]) writeFileSync(path, "");
    const child = spawn(process.execPath, [SCRIPT, JSON.stringify(whole)], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [text, trouble] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      trouble += chunk.toString();
    });
    const [code, signal] = (await once(child, "close")) as [number | null, string | null];
    if (code !== 0 && signal !== "SIGKILL") throw new Error(`a life ended with ${String(code)}: ${trouble}`);
    for (const line of readFileSync(whole.ledgerPath, "utf8").split("\n").filter(Boolean)) {
      const { at, note } = JSON.parse(line) as LedgerNote;
      if (at === "signed") this.#noteSigned(checkpointOf(note));
      else this.#published.push(checkpointOf(note));
    }
    return { points: text.split("\n").filter(Boolean), isKilled: signal === "SIGKILL" };
  }

  /** What must hold as the dead process left it. @returns What does not. */
  async faults(): Promise<readonly string[]> {
    return faultsIn(this.dataDir, this.#published, (checkpoint) => this.#noteSigned(checkpoint));
  }

  /** The same log with the same past in another folder. */
  copy(dataDir: string): LogLives {
    const copy = new LogLives(dataDir, this.#fault);
    cpSync(this.dataDir, dataDir, { recursive: true });
    for (const [size, root] of this.#signed) copy.#signed.set(size, root);
    copy.#published.push(...this.#published);
    return copy;
  }

  /** A copy of the folder as a power cut at the kill would have left it; null if that is how it is. */
  cutPower(): LogLives | null {
    const undone = JSON.parse(readFileSync(`${this.dataDir}.undo`, "utf8")) as readonly Undo[];
    if (undone.length === 0) return null;
    const copy = this.copy(`${this.dataDir}-cut`);
    for (const { path, base64 } of undone) {
      const place = path.replace(this.dataDir, copy.dataDir);
      if (base64 === null) rmSync(place, { force: true });
      else if (existsSync(dirname(place))) writeFileSync(place, Buffer.from(base64, "base64"));
    }
    return copy;
  }

  /** Starts the coordinator's log again, stages one more leaf, and waits for its checkpoint. @returns What does not hold. */
  async restart(): Promise<readonly string[]> {
    const store = await openStore({ dataDir: this.dataDir });
    const quiet = { info: () => {}, warn: () => {}, error: () => {} };
    const log = await openPublicLog({
      ...{ store, dataDir: this.dataDir, origin: undefined, primitives, random: randomBytes },
      ...{ clock: monotonicClock, after, log: quiet, witnesses: [] },
    });
    try {
      await log.open();
      log.start();
      const body = { version: 1, roundId: bytesToHex(randomBytes(16)), code: "AGAIN", opened: false };
      const last = await store.stageLeaves([{ kind: "round.aborted", body }], 1_700_000_000_000);
      if (!(await log.covers(last - 1))) return [`signs no more: ${JSON.stringify(log.state())}`];
    } finally {
      await log.stop();
      await store.close();
    }
    return this.faults();
  }

  #noteSigned({ size, root }: Checkpoint): void {
    const known = this.#signed.get(size);
    if (known !== undefined && known !== bytesToHex(root)) throw new Error(`two roots of size ${size}`);
    this.#signed.set(size, bytesToHex(root));
  }
}

function checkpointOf(note: string): Checkpoint {
  const parsed = parseCheckpoint(`${note.split("\n\n")[0]}\n`);
  if (!parsed.ok) throw new Error(parsed.error.sentence);
  return parsed.value;
}

async function faultsIn(
  dataDir: string,
  published: Checkpoint[],
  onSigned: (checkpoint: Checkpoint) => void,
): Promise<readonly string[]> {
  const found: string[] = [];
  const files = openLogFiles(join(dataDir, LOG_FOLDER));
  const note = await files.checkpoint();
  const headSize = headSizeIn(dataDir);
  if (note === null) return published.length > 0 ? ["the published checkpoint is gone"] : [];
  if (note === "") return ["the published checkpoint is empty"];
  const checkpoint = checkpointOf(note);
  onSigned(checkpoint);
  if (checkpoint.size > headSize) found.push(`published ${checkpoint.size} above the head ${headSize}`);
  const keys = (await readLogKeys(dataDir)) ?? [];
  const holds = await Promise.all(
    keys.map(async ({ publicKey }) => {
      const named = await verifierKey(primitives, checkpoint.origin, SIGNATURE_TYPES.ed25519, publicKey);
      return (await openCheckpoint(primitives, note, named)).ok;
    }),
  );
  if (!holds.includes(true)) found.push("no key at hand has signed what is published");
  const fault = await checkLog({ primitives, files }, checkpoint);
  if (fault !== null) return [...found, `${fault.type} ${fault.path}`];
  const tree = await openTiledTree(primitives, checkpoint, files.read);
  if (!tree.ok) return [...found, tree.error.path];
  for (const earlier of published) {
    const past = earlier.size > checkpoint.size ? null : await tree.value.rootAt(earlier.size);
    if (past?.ok !== true || !equalBytes(past.value, earlier.root))
      found.push(`${checkpoint.size} does not go on from ${earlier.size}`);
  }
  if (found.length === 0) published.push(checkpoint);
  return found;
}

/** What the database's head has; 0 before the first. */
function headSizeIn(dataDir: string): number {
  const database = new DatabaseSync(join(dataDir, "chorus.db"), { readOnly: true });
  try {
    return Number(database.prepare("select size from log_head").get()?.["size"] ?? 0);
  } finally {
    database.close();
  }
}

/** A copy of a database that nobody has open. */
export function copyDatabase(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const name of ["chorus.db", "chorus.db-wal", "chorus.db-shm"]) {
    rmSync(join(to, name), { force: true });
    if (existsSync(join(from, name))) cpSync(join(from, name), join(to, name));
  }
}
