import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { openStore } from "#coordinator/adapters/database/open-store.ts";
import { databasePath } from "#coordinator/adapters/database/sqlite/folder.ts";
import { LOG_FOLDER, openLogFiles } from "#coordinator/adapters/log-files.ts";
import { readLogKeys } from "#coordinator/adapters/log-key.ts";
import type { Sequencer } from "#coordinator/core/audit/sequencer.ts";
import { openPublicLog } from "#coordinator/open-public-log.ts";
import { canonicalJson } from "#shared/codec/canonical-json.ts";
import { present } from "#shared/kernel/assert.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import { after, monotonicClock, primitives, randomBytes } from "#shared/node/system.ts";
import { formatCheckpoint } from "#shared/tlog/checkpoint.ts";
import { EMPTY_EDGE, grow, type TreeEdge } from "#shared/tlog/grow.ts";
import { encodeLeaf, leafSubject } from "#shared/tlog/leaf.ts";
import { formatNote, signNote } from "#shared/tlog/note.ts";
import type { TreeHead } from "#shared/tlog/tree.ts";

/* A data folder whose log is long: what a sequencer would have written, without its waits for the disk. */

/** Whole tiles on two levels, so that a batch leaves no growing tile of them behind. */
const BATCH = 65_536;
const KIND = "round.opened";
const AT = 1_750_000_000_000;

/** Of the size that leaves of a round have. */
export function benchLeaf(index: number) {
  const hash = index.toString(16).padStart(64, "0");
  return {
    kind: KIND,
    body: { version: 1, roundId: hash.slice(32), configHash: hash, modelHash: hash, codeHash: hash },
  };
}

/** The log of a data folder on the embedded database; it has not begun yet. */
export async function openFolderLog(dataDir: string): Promise<{
  readonly store: Awaited<ReturnType<typeof openStore>>;
  readonly log: Sequencer;
}> {
  await mkdir(dataDir, { recursive: true });
  const store = await openStore({ dataDir });
  const quiet = { info: () => {}, warn: () => {}, error: () => {} };
  const clock = monotonicClock;
  const ports = { store, dataDir, primitives, random: randomBytes, clock, after, log: quiet };
  const log = await openPublicLog({ ...ports, origin: undefined, witnesses: [] });
  return { store, log };
}

/** Fills the log of a folder that nothing has used yet. @returns The head that it then has, signed and published. */
export async function fillLog(dataDir: string, size: number): Promise<TreeHead> {
  const { store, log } = await openFolderLog(dataDir);
  await store.close();
  const [signer] = present(await readLogKeys(dataDir), "the log has a key");
  const folder = join(dataDir, LOG_FOLDER);
  const database = new DatabaseSync(databasePath(dataDir));
  try {
    const insert = database.prepare(
      `insert into audit_leaf (sequence, project_id, kind, at, subject, body) values (?, 'default', ?, ${AT}, ?, ?)`,
    );
    let edge: TreeEdge = EMPTY_EDGE;
    let head: TreeHead | null = null;
    while (edge.size < size) {
      const count = Math.min(BATCH, size - edge.size);
      const leaves = Array.from({ length: count }, (_, index) => benchLeaf(edge.size + index));
      database.exec("begin");
      for (const [index, { kind, body }] of leaves.entries())
        insert.run(edge.size + index + 1, kind, leafSubject(kind, body), canonicalJson(body));
      database.exec("commit");
      const grown = await grow(
        primitives,
        edge,
        leaves.map(({ kind, body }) => encodeLeaf(kind, AT, body)),
      );
      for (const { path, bytes } of grown.files) {
        await mkdir(dirname(join(folder, path)), { recursive: true });
        await writeFile(join(folder, path), bytes);
      }
      ({ edge, head } = grown);
    }
    const made = present(head, "a log has leaves");
    const { origin } = log.key;
    const text = formatCheckpoint({ origin, size, root: made.root });
    const signature = await signNote(primitives, present(signer, "a key"), origin, text);
    const note = formatNote({ text, signatures: [signature] });
    database.prepare("update counter set value = ? where name = 'audit-leaf'").run(size);
    database.prepare("insert into log_head values (1, ?, ?, ?)").run(size, bytesToHex(made.root), note);
    await openLogFiles(folder).publish(note);
    return made;
  } finally {
    database.close();
  }
}
