import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { openStore } from "#coordinator/adapters/database/open-store.ts";
import { openLogFiles } from "#coordinator/adapters/log-files.ts";
import type { Sequencer } from "#coordinator/core/audit/sequencer.ts";
import type { LeafStore } from "#coordinator/core/ports/leaf-store.ts";
import type { LogFiles } from "#coordinator/core/ports/public-log.ts";
import { bytesToHex, equalBytes } from "#shared/kernel/bytes.ts";
import { primitives } from "#shared/node/system.ts";
import { parseCheckpoint } from "#shared/tlog/checkpoint.ts";
import { openTiledTree } from "#shared/tlog/tiled-tree.ts";
import { startPostgres } from "#test/kit/worlds/postgres-server.ts";
import { openTestLog } from "#test/kit/worlds/public-log.ts";

/*
 * Two sequencers with one key over one database, each with files of its own, as when the lock that keeps a second
 * coordinator away was got around. One signs, the other is overtaken, and what they published is one log.
 */

const server = await startPostgres();
const scratch = mkdtempSync(join(tmpdir(), "chorus-two-sequencers-"));
afterAll(async () => {
  await server?.stop();
  rmSync(scratch, { recursive: true, force: true });
});

const leaf = (index: number) => ({
  kind: "round.aborted",
  body: { version: 1, roundId: index.toString(16).padStart(32, "0"), code: "TEST", opened: false },
});

/** Stages in both stores at once, while both logs run. */
async function race(stores: readonly [LeafStore, LeafStore], logs: readonly [Sequencer, Sequencer]) {
  let count = 0;
  for (let turn = 0; turn < 40; turn++) {
    const staged = await Promise.all(
      stores.map((store) => store.stageLeaves([leaf(count++), leaf(count++)], 1_700_000_000_000)),
    );
    const last = Math.max(...staged) - 1;
    const covered = await Promise.all(logs.map((log) => log.covers(last)));
    // One of them goes on whatever becomes of the other.
    expect(covered).toContain(true);
    if (covered.includes(false)) return;
  }
  throw new Error("neither was overtaken");
}

function leafPart(store: LeafStore): LeafStore {
  return {
    stageLeaves: (...given) => store.stageLeaves(...given),
    findLeaves: (...given) => store.findLeaves(...given),
    leavesAfter: (...given) => store.leavesAfter(...given),
    leavesBefore: (...given) => store.leavesBefore(...given),
    importLeaves: (...given) => store.importLeaves(...given),
    logHead: () => store.logHead(),
    moveLogHead: (...given) => store.moveLogHead(...given),
  };
}

interface Seen {
  readonly files: LogFiles;
  /** Every published checkpoint, in order. */
  readonly notes: string[];
}

function seenFiles(folder: string): Seen {
  const [files, notes] = [openLogFiles(folder), [] as string[]];
  const publish = async (note: string) => {
    await files.publish(note);
    notes.push(note);
  };
  return { files: { ...files, publish }, notes };
}

/** Roots by size that somebody published, and whether the newest tree has them all. */
async function forks(seen: readonly Seen[], newest: Seen): Promise<readonly string[]> {
  const checkpoints = seen
    .flatMap(({ notes }) => notes)
    .map((note) => {
      const parsed = parseCheckpoint(`${note.split("\n\n")[0]}\n`);
      if (!parsed.ok) throw new Error(parsed.error.sentence);
      return parsed.value;
    });
  const head = checkpoints.reduce((one, other) => (other.size > one.size ? other : one));
  const tree = await openTiledTree(primitives, head, newest.files.read);
  if (!tree.ok) throw new Error(tree.error.path);
  const wrong: string[] = [];
  for (const { size, root } of checkpoints) {
    const own = await tree.value.rootAt(size);
    if (!own.ok || !equalBytes(own.value, root)) wrong.push(`${size} ${bytesToHex(root)}`);
  }
  return wrong;
}

async function expectOneSigns(
  name: string,
  open: (dataDir: string) => Promise<LeafStore & { close(): Promise<void> }>,
  change: (store: LeafStore) => LeafStore = (store) => store,
): Promise<readonly string[]> {
  const dataDir = join(scratch, name);
  mkdirSync(dataDir);
  const stores = [await open(dataDir), await open(dataDir)] as const;
  const seen = [seenFiles(join(dataDir, "one")), seenFiles(join(dataDir, "other"))] as const;
  const logs = [
    openTestLog(change(stores[0]), { files: seen[0].files }),
    openTestLog(change(stores[1]), { files: seen[1].files }),
  ] as const;
  try {
    await race(stores, logs);
    const states = logs.map((log) => log.state());
    expect(states.map(({ type }) => type).toSorted()).toEqual(["halted", "signing"]);
    expect(states.find(({ type }) => type === "halted")).toMatchObject({
      sentence: expect.stringMatching(/Another coordinator has moved the log's head/),
    });
    const signing = states.findIndex(({ type }) => type === "signing");
    const winner = seen[signing === 0 ? 0 : 1];
    return await forks(seen, winner);
  } finally {
    for (const log of logs) await log.stop();
    for (const store of stores) await store.close();
  }
}

describe("[A102] two sequencers over one database", () => {
  test("SQLite: one signs, the other is overtaken, and there is one log", async () => {
    expect(await expectOneSigns("sqlite", (dataDir) => openStore({ dataDir }))).toEqual([]);
  });

  test("without the head's compare-and-swap neither would be overtaken (positive control)", async () => {
    const always = (store: LeafStore): LeafStore => ({
      ...leafPart(store),
      moveLogHead: async () => true,
    });
    const open = (dataDir: string) => openStore({ dataDir });
    await expect(expectOneSigns("no-swap", open, always)).rejects.toThrow("neither was overtaken");
  });

  test("two logs of one key that differ are seen (positive control)", async () => {
    const seen = [seenFiles(join(scratch, "fork-one")), seenFiles(join(scratch, "fork-other"))] as const;
    for (const [index, { files }] of seen.entries()) {
      const store = await openStore({ dataDir: join(scratch, `fork-${index}`) });
      await store.stageLeaves([leaf(index), leaf(7)], 1_700_000_000_000);
      const log = openTestLog(store, { files });
      expect(await log.covers(1)).toBe(true);
      await log.stop();
      await store.close();
    }
    expect(await forks(seen, seen[0])).toHaveLength(1);
  });

  if (server === null) test.skip("PostgreSQL: no server here, see above", () => undefined);
  else
    test("PostgreSQL: one signs, the other is overtaken, and there is one log", async () => {
      const databaseUrl = await server.createDatabase();
      const open = (dataDir: string) => openStore({ dataDir, databaseUrl });
      expect(await expectOneSigns("postgres", open)).toEqual([]);
    });
});
