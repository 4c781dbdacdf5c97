import { mkdtempSync, rmSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import { openBlobs } from "#coordinator/adapters/blobs.ts";
import { openStore } from "#coordinator/adapters/database/open-store.ts";
import { takeBackup } from "#coordinator/commands/backup/take-backup.ts";
import type { Store } from "#coordinator/core/ports/store.ts";
import { present } from "#shared/kernel/assert.ts";
import { FAKE_SET } from "#test/kit/fakes/memory-held-out.ts";
import {
  createTask,
  event,
  newRoundId,
  newRunId,
  newSlug,
  runRecord,
  task,
  viewLike,
  withLeaves,
} from "#test/kit/store-contract/rows.ts";
import { startPostgres } from "#test/kit/worlds/postgres-server.ts";
import { runCommand } from "#test/kit/worlds/run-command.ts";

/* A project is deleted, or a file is lost, while a backup copies. */

const PROJECT = "default";
const scratch = mkdtempSync(join(tmpdir(), "chorus-backup-deletion-"));
const server = await startPostgres();
afterAll(async () => {
  await server?.stop();
  rmSync(scratch, { recursive: true });
});

interface Folder {
  readonly dataDir: string;
  readonly databaseUrl: string | undefined;
  readonly store: Store;
  /** A model, a sum, a report and held-out rows, as paths in the folder. */
  readonly named: readonly string[];
}

/** A folder whose database names four files of the project. */
async function folder(name: string, databaseUrl?: string): Promise<Folder> {
  const dataDir = join(scratch, name);
  const store = await openStore({ dataDir, databaseUrl });
  const blobs = await openBlobs(join(dataDir, "blobs"));
  const put = (...bytes: number[]) => blobs.put(Uint8Array.from(bytes));
  const [modelHash, sumHash, reportHash] = [await put(1, 2, 3), await put(4), await put(5, 6)];
  const [slug, runId] = [newSlug(), newRunId()];
  await createTask(store, task(slug, 1), { project: PROJECT });
  await store.appendNext({ kind: "project", id: PROJECT }, { at: 1, event: {} }, [
    ...withLeaves([{ type: "task-settings", slug, changes: { heldOut: FAKE_SET } }]),
  ]);
  await store.append({ kind: "run", id: runId }, [
    {
      event: event(1, { fact: { type: "evaluated", reportHash } }),
      records: [
        runRecord(runId, { task: slug, projectId: PROJECT }),
        { type: "model-offered", modelHash, runId },
      ],
    },
  ]);
  const view = viewLike({ view: {}, detail: { sumHash } });
  const round = { runId, round: 1, phase: "committed", view };
  const roundId = newRoundId();
  await store.append({ kind: "round", id: roundId }, [
    { event: event(1), records: [{ type: "round-row", roundId, row: round }] },
  ]);
  const rows = `heldout/sets/${slug}/${FAKE_SET.hash}`;
  await mkdir(dirname(join(dataDir, rows)), { recursive: true });
  await writeFile(join(dataDir, rows), "a,b\n");
  const paths = [modelHash, sumHash, reportHash].map((hash) => `blobs/${hash.slice(0, 2)}/${hash}`);
  return { dataDir, databaseUrl, store, named: [...paths, rows].sort() };
}

/** As the coordinator does it: files first, then the rows that name them. */
async function deleteProject({ dataDir, store, named }: Folder, rowsAfterMs: number): Promise<void> {
  for (const path of named) rmSync(join(dataDir, path));
  await sleep(rowsAfterMs);
  await store.deleteProjectData(PROJECT);
}

/** @param meanwhile  Runs when the database is copied and the files are about to be, the first time. */
async function backUp({ dataDir, databaseUrl }: Folder, meanwhile: () => Promise<void> | void = () => {}) {
  const target = `${dataDir}-backup`;
  const said: string[] = [];
  let isFirst = true;
  let done: unknown;
  const report = (line: string) => {
    said.push(line);
    if (isFirst && /^Copying \d+ files/.test(line)) {
      isFirst = false;
      done = meanwhile();
    }
  };
  const manifest = await takeBackup(
    { dataDir, databaseUrl, target, nowUnixMs: 5_000, report },
    `${target}.partial`,
  );
  await done;
  return { manifest, said, paths: manifest.files.map(({ path }) => path.replace(/^data\//, "")), target };
}

const databases = [
  ["SQLite", true, async () => undefined],
  ["PostgreSQL", server !== null, () => present(server, "a server").createDatabase()],
] as const;

for (const [kind, isHere, createDatabase] of databases)
  describe.skipIf(!isHere)(`[O1] a backup of ${kind}`, () => backups(kind, createDatabase));

function backups(kind: string, createDatabase: () => Promise<string | undefined>): void {
  test("has every file that its database names", async () => {
    const used = await folder(`${kind}-still`, await createDatabase());
    const { manifest, said, paths } = await backUp(used);
    expect(manifest.damaged).toEqual([]);
    expect(paths).toEqual(expect.arrayContaining([...used.named]));
    expect(said.filter((line) => line.startsWith("Copying the database"))).toHaveLength(1);
    await used.store.close();
  });

  test("is copied again if a project is deleted meanwhile, and then neither has nor names its files", async () => {
    const used = await folder(`${kind}-deleted`, await createDatabase());
    const { manifest, said, paths, target } = await backUp(used, () => deleteProject(used, 200));
    expect(manifest.damaged).toEqual([]);
    expect(paths.filter((path) => /^(blobs|heldout)\//.test(path))).toEqual([]);
    expect(said.filter((line) => line.startsWith("Copying the database"))).toHaveLength(2);
    await used.store.close();
    // The copied database names nothing of the project either.
    const into = `${used.dataDir}-restored`;
    const url = await createDatabase();
    const asked = url === undefined ? [] : ["--database-url", url];
    expect(await runCommand("restore", ["--from", target, "--data", into, ...asked])).toMatchObject({
      code: 0,
    });
    const restored = await openStore({ dataDir: into, databaseUrl: url });
    expect(await restored.findProjectData(PROJECT)).toMatchObject({
      taskCount: 0,
      blobHashes: [],
      slugs: [],
    });
    await restored.close();
  });

  test("names a file that is lost although the database still names it", async () => {
    const used = await folder(`${kind}-lost`, await createDatabase());
    await used.store.close();
    for (const path of used.named) await rm(join(used.dataDir, path));
    const env: Record<string, string> =
      used.databaseUrl === undefined ? {} : { DATABASE_URL: used.databaseUrl };
    const to = `${used.dataDir}-backup`;
    const ended = await runCommand("backup", ["--data", used.dataDir, "--to", to], env);
    expect(ended.code).toBe(3);
    for (const path of used.named)
      expect(ended.stderr).toContain(`MISSING: ${path} is damaged or not there.`);
    expect(JSON.parse(await readFile(join(to, "manifest.json"), "utf8"))).toMatchObject({
      damaged: used.named,
    });
  });
}
