import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openBlobs } from "#coordinator/adapters/blobs.ts";
import { openStore } from "#coordinator/adapters/database/open-store.ts";
import type { Manifest } from "#coordinator/commands/backup/manifest.ts";
import { restoreBackup } from "#coordinator/commands/restore/restore-backup.ts";
import type { Store } from "#coordinator/core/ports/store.ts";
import { present } from "#shared/kernel/assert.ts";
import { lockFolder } from "#shared/node/lock.ts";
import { mountTmpfs, NO_MOUNT } from "#test/kit/worlds/mounted.ts";
import { startPostgres } from "#test/kit/worlds/postgres-server.ts";
import { runCommand } from "#test/kit/worlds/run-command.ts";

/* Backups and restores of folders as a coordinator leaves them, by the real commands. */

const server = await startPostgres();
let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "chorus-backup-"));
});
afterAll(async () => {
  await server?.stop();
  await rm(scratch, { recursive: true, force: true });
});

const stream = { kind: "run", id: "a".repeat(32) } as const;
const CANARY = "canary-of-a-share";

async function append(store: Store, from: number, count: number): Promise<void> {
  for (let sequence = from; sequence < from + count; sequence++)
    await store.append(stream, [{ event: { sequence, at: 1_000 + sequence, event: {} }, records: [] }]);
}

/** A folder with three events, a model, held-out rows behind a link, and everything that no backup has. */
async function usedFolder(name: string, databaseUrl?: string): Promise<string> {
  const dataDir = join(scratch, name);
  const store = await openStore({ dataDir, databaseUrl });
  await (await openBlobs(join(dataDir, "blobs"))).put(Uint8Array.of(1, 2, 3));
  await append(store, 1, 3);
  await store.close();
  const elsewhere = join(scratch, `${name}-rows`);
  await mkdir(elsewhere);
  await writeFile(join(elsewhere, "digits-v1.csv"), "a,b\n1,2\n");
  await symlink(elsewhere, join(dataDir, "heldout"));
  await mkdir(join(dataDir, "spool/sid"), { recursive: true });
  await writeFile(join(dataDir, "spool/sid/1"), "masked");
  await mkdir(join(dataDir, "demo"));
  await writeFile(join(dataDir, "demo/rows.csv"), "private");
  return dataDir;
}

const backUp = (dataDir: string, to: string, env: Readonly<Record<string, string>> = {}) =>
  runCommand("backup", ["--data", dataDir, "--to", to], env);
const restore = (from: string, dataDir: string, ...flags: readonly string[]) =>
  runCommand("restore", ["--from", from, "--data", dataDir, ...flags]);
const manifestOf = async (backup: string) =>
  JSON.parse(await readFile(join(backup, "manifest.json"), "utf8")) as Manifest;

/** Every file below with its content, for "nothing changed". */
async function contentOf(folder: string): Promise<Record<string, string>> {
  const content: Record<string, string> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) content[path.slice(folder.length + 1)] = (await readFile(path)).toString("base64");
  }
  return content;
}

async function newestPosition(dataDir: string, databaseUrl?: string): Promise<number> {
  const store = await openStore({ dataDir, databaseUrl });
  const events = await store.readStream(stream);
  await store.close();
  return events.length;
}

async function smallBackup(): Promise<string> {
  const to = join(scratch, "small-backup");
  await backUp(await usedFolder("small-source"), to);
  return to;
}

describe.concurrent("[O1] a backup", () => {
  test("has what a coordinator needs, privately, and nothing that is another's", async () => {
    const dataDir = await usedFolder("whole");
    const to = join(scratch, "whole-backup");
    expect(await backUp(dataDir, to)).toMatchObject({ code: 0, stdout: expect.stringContaining("3 events") });
    const { files, position, damaged } = await manifestOf(to);
    expect(position).toBe(3);
    expect(damaged).toEqual([]);
    const names = files.map(({ path }) =>
      path.replace(/[0-9a-f]{64}/, "HASH").replace(/\/[0-9a-f]{2}\//, "/aa/"),
    );
    expect(names.sort()).toEqual([
      "data/blobs/aa/HASH",
      "data/chorus.db",
      "data/chorus.position",
      "data/heldout/digits-v1.csv",
      "data/instance.json",
      "data/issuer.key",
    ]);
    expect(Object.keys(await contentOf(to)).sort()).toEqual(
      ["manifest.json", ...files.map(({ path }) => path)].sort(),
    );
    for (const path of ["manifest.json", ...files.map((file) => file.path)])
      expect([path, (await stat(join(to, path))).mode & 0o777]).toEqual([path, 0o600]);
    expect((await stat(to)).mode & 0o777).toBe(0o700);
  });

  test("has no share of an open round, not even deleted", async () => {
    const dataDir = await usedFolder("shares");
    const live = new DatabaseSync(join(dataDir, "chorus.db"));
    live
      .prepare(
        "insert into material (sid, step, position, project_id, bytes) values ('s', 'unmask', 1, 'default', ?)",
      )
      .run(Buffer.from(CANARY.repeat(50)));
    // Positive control: the folder has it.
    live.exec("pragma wal_checkpoint(truncate)");
    live.close();
    expect((await readFile(join(dataDir, "chorus.db"))).includes(CANARY)).toBe(true);
    const to = join(scratch, "shares-backup");
    expect((await backUp(dataDir, to)).code).toBe(0);
    expect((await readFile(join(to, "data/chorus.db"))).includes(CANARY)).toBe(false);
    expect((await readFile(join(dataDir, "chorus.db"))).includes(CANARY)).toBe(true);
  });

  test("of a database that is being written is one moment of it, and delays no write", async () => {
    const dataDir = await usedFolder("busy");
    const store = await openStore({ dataDir });
    // Large enough for several steps of the copy.
    const padding = "x".repeat(20_000);
    for (let sequence = 4; sequence < 600; sequence++)
      await store.append(stream, [{ event: { sequence, at: sequence, event: { padding } }, records: [] }]);
    const to = join(scratch, "busy-backup");
    let isDone = false;
    const copying = backUp(dataDir, to).finally(() => {
      isDone = true;
    });
    let sequence = 600;
    for (; !isDone; sequence++)
      await store.append(stream, [{ event: { sequence, at: sequence, event: {} }, records: [] }]);
    expect(await copying).toMatchObject({ code: 0 });
    await store.close();
    expect(sequence).toBeGreaterThan(610);
    const { position } = await manifestOf(to);
    expect(position).toBeGreaterThanOrEqual(599);
    expect(position).toBeLessThan(sequence);
    const into = join(scratch, "busy-restored");
    expect((await restore(to, into)).code).toBe(0);
    // The mark fits the database, or it would not open.
    expect(await newestPosition(into)).toBe(position);
  });

  test("in a folder that exists gets a name of its own", async () => {
    const dataDir = await usedFolder("named");
    const shelf = join(scratch, "shelf");
    await mkdir(shelf);
    expect((await backUp(dataDir, shelf)).code).toBe(0);
    expect(await readdir(shelf)).toEqual([expect.stringMatching(/^chorus-\d{4}-.*Z$/)]);
  });

  test("leaves out a damaged model, says so, and tells a restore", async () => {
    const dataDir = await usedFolder("rotten");
    const blob = (await readdir(join(dataDir, "blobs"), { recursive: true })).find((name) =>
      /[0-9a-f]{64}$/.test(name),
    );
    await appendFile(join(dataDir, "blobs", present(blob, "a model")), "rot");
    const to = join(scratch, "rotten-backup");
    const ended = await backUp(dataDir, to);
    expect(ended).toMatchObject({ code: 3, stderr: expect.stringContaining(`MISSING: blobs/${blob}`) });
    expect((await manifestOf(to)).damaged).toEqual([`blobs/${blob}`]);
    expect(await restore(to, join(scratch, "rotten-restored"))).toMatchObject({
      code: 0,
      stderr: expect.stringContaining("already damaged"),
    });
  });

  test("that is stopped leaves nothing", async () => {
    const dataDir = await usedFolder("stopped");
    const rows = join(scratch, "stopped-rows/large.csv");
    await writeFile(rows, Buffer.alloc(400 * 2 ** 20));
    const shelf = join(scratch, "stopped-shelf");
    await mkdir(shelf);
    const script = fileURLToPath(new URL("../../../../coordinator/commands/backup.ts", import.meta.url));
    const child = spawn(process.execPath, [script, "--data", dataDir, "--to", join(shelf, "b")], {
      env: { ...process.env, DATABASE_URL: "" },
      stdio: ["ignore", "ignore", "pipe"],
    });
    await once(child.stderr, "data");
    await expect.poll(async () => (await readdir(shelf)).length).toBe(1);
    const ended = once(child, "exit");
    child.kill("SIGINT");
    expect(await ended).toEqual([130, null]);
    expect(await readdir(shelf)).toEqual([]);
    await rm(rows);
  });

  test("is refused with a sentence where there is nothing to copy or no room for it", async () => {
    const dataDir = await usedFolder("refused");
    const before = await contentOf(dataDir);
    const sentences: [args: [string, string], expected: RegExp][] = [
      [[join(scratch, "nothing-here"), join(scratch, "x")], /no coordinator's state .*--data/],
      [[dataDir, join(dataDir, "inside")], /lies inside the data folder/],
      [[dataDir, join(scratch, "none/deeper")], /does not exist/],
      [[dataDir, join(scratch, "refused-rows/digits-v1.csv")], /already something/],
    ];
    for (const [[from, to], expected] of sentences) {
      const ended = await backUp(from, to);
      expect(ended.stderr).toMatch(expected);
      expect(ended.code).toBe(1);
    }
    expect(await contentOf(dataDir)).toEqual(before);
    expect((await runCommand("backup", [])).code).toBe(2);
    const url = "https://user:hunter2@host/x";
    const bad = await runCommand("backup", ["--to", "x", "--database-url", url]);
    expect(bad).toMatchObject({ code: 2, stderr: expect.not.stringContaining("hunter2") });
  });

  test("that finds no room leaves nothing, and says so; nor does a restore", async ({ skip }) => {
    const dataDir = await usedFolder("large");
    await writeFile(join(scratch, "large-rows/large.csv"), Buffer.alloc(8 * 2 ** 20));
    const small = join(scratch, "small");
    await mkdir(small);
    const unmount = mountTmpfs(small, 4 * 2 ** 20);
    if (unmount === null) return skip(NO_MOUNT);
    try {
      const noRoom = { code: 1, stderr: expect.stringContaining("no room left") };
      expect(await backUp(dataDir, join(small, "backup"))).toMatchObject(noRoom);
      expect(await readdir(small)).toEqual([]);
      const to = join(scratch, "large-backup");
      expect((await backUp(dataDir, to)).code).toBe(0);
      expect(await restore(to, join(small, "restored"))).toMatchObject(noRoom);
      expect(await readdir(small)).toEqual([]);
      // A mount point cannot be renamed.
      await writeFile(join(small, "x"), "");
      const over = await restore(await smallBackup(), small, "--replace", "--older");
      expect(over).toMatchObject({ code: 1, stderr: expect.stringContaining("mount point") });
      expect(await readdir(small)).toEqual(["x"]);
    } finally {
      unmount();
    }
  });

  test("of a damaged database is refused", async () => {
    const dataDir = await usedFolder("corrupt");
    const path = join(dataDir, "chorus.db");
    const bytes = await readFile(path);
    bytes.fill(0x5a, bytes.length - 8_000);
    await writeFile(path, bytes);
    const ended = await backUp(dataDir, join(scratch, "corrupt-backup"));
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(/damaged|malformed|not a database/);
    expect(await stat(join(scratch, "corrupt-backup")).catch(() => null)).toBeNull();
  });
});

describe.concurrent("[O2] a restore", () => {
  test("into an absent or an empty folder gives the same state, privately", async () => {
    const dataDir = await usedFolder("source");
    const to = join(scratch, "source-backup");
    await backUp(dataDir, to);
    const empty = join(scratch, "empty");
    await mkdir(empty);
    for (const into of [join(scratch, "absent/deeper"), empty]) {
      expect((await restore(to, into)).code).toBe(0);
      for (const name of ["issuer.key", "instance.json", "heldout/digits-v1.csv"]) {
        expect(await readFile(join(into, name), "utf8")).toBe(await readFile(join(dataDir, name), "utf8"));
        expect((await stat(join(into, name))).mode & 0o777).toBe(0o600);
      }
      expect(await newestPosition(into)).toBe(3);
    }
  });

  test("of a backup that lacks a byte or a file changes nothing", async () => {
    const dataDir = await usedFolder("tampered");
    const to = join(scratch, "tampered-backup");
    await backUp(dataDir, to);
    const paths = ["manifest.json", ...(await manifestOf(to)).files.map(({ path }) => path)];
    expect(paths.length).toBeGreaterThan(6);
    const into = join(scratch, "tampered-into");
    const request = {
      from: to,
      dataDir: into,
      databaseUrl: undefined,
      replace: false,
      newestLog: true,
      older: false,
      nowUnixMs: 0,
    };
    for (const path of paths) {
      const whole = await readFile(join(to, path));
      const flipped = Buffer.from(whole);
      const at = path === "manifest.json" ? 0 : flipped.length >> 1;
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      const harm = [
        () => writeFile(join(to, path), flipped),
        () => writeFile(join(to, path), whole.subarray(0, -3)),
        () => rm(join(to, path)),
      ];
      for (const doHarm of harm) {
        await doHarm();
        const restoring = restoreBackup({ ...request, report: () => undefined }, `${into}.partial`);
        await expect(restoring).rejects.toThrow(
          path === "manifest.json" ? /is damaged|is not a backup/ : `${path} is`,
        );
        await writeFile(join(to, path), whole);
      }
    }
    expect((await readdir(scratch)).filter((name) => name.startsWith("tampered-into"))).toEqual([]);
    // Positive control.
    expect((await restore(to, into)).code).toBe(0);
  });

  test("over state needs --replace, moves it aside, and over newer state needs --older, too", async () => {
    const dataDir = await usedFolder("newer");
    const to = join(scratch, "newer-backup");
    await backUp(dataDir, to);
    expect(await restore(to, dataDir)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("--replace"),
    });
    expect((await restore(to, dataDir, "--replace")).code).toBe(0);

    const store = await openStore({ dataDir });
    await append(store, 4, 2);
    await store.close();
    const before = await contentOf(dataDir);
    const refused = await restore(to, dataDir, "--replace");
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/2 events would be lost.*--older/s),
    });
    expect(await contentOf(dataDir)).toEqual(before);
    const done = await restore(to, dataDir, "--replace", "--older");
    expect(done).toMatchObject({ code: 0, stdout: expect.stringContaining("2 events are lost") });
    expect(await newestPosition(dataDir)).toBe(3);
    const aside = /now in (\S+)\. Delete/.exec(done.stdout)?.[1] ?? "";
    expect(await newestPosition(aside)).toBe(5);
    expect((await restore(to, dataDir, "--older")).code).toBe(2);
  });

  test("over state that cannot be read needs --older", async () => {
    const dataDir = await usedFolder("unknown");
    const to = join(scratch, "unknown-backup");
    await backUp(dataDir, to);
    await writeFile(join(dataDir, "chorus.db"), "no database any more\n".repeat(100));
    expect(await restore(to, dataDir, "--replace")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("Nobody can tell"),
    });
    expect((await restore(to, dataDir, "--replace", "--older")).code).toBe(0);
    expect(await newestPosition(dataDir)).toBe(3);
  });

  test("over another installation, or while a coordinator has the folder, is refused", async () => {
    const dataDir = await usedFolder("held");
    const other = await usedFolder("other");
    const to = join(scratch, "held-backup");
    await backUp(dataDir, to);
    expect(await restore(to, other, "--replace", "--older")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("another installation"),
    });
    const lock = lockFolder(dataDir);
    if (!lock.ok) throw new Error("the folder is free");
    expect(await restore(to, dataDir, "--replace", "--older")).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/A coordinator has the data folder .*Stop it first/),
    });
    lock.value.release();
    expect((await restore(to, dataDir, "--replace")).code).toBe(0);
  });

  test("of a later version's backup is refused", async () => {
    const dataDir = await usedFolder("later");
    const to = join(scratch, "later-backup");
    await backUp(dataDir, to);
    const manifest = await manifestOf(to);
    for (const change of [{ format: 2 }, { schema: "9999-later" }]) {
      await writeFile(join(to, "manifest.json"), JSON.stringify({ ...manifest, ...change }));
      expect(await restore(to, join(scratch, "later-into"))).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("newer version of Chorus"),
      });
    }
  });
});

describe.skipIf(server === null).concurrent("[O1] [O2] with PostgreSQL", () => {
  test("pg_dump's copy is restored into an empty database, and only there", async () => {
    const postgres = present(server, "a server");
    const databaseUrl = await postgres.createDatabase();
    const dataDir = await usedFolder("postgres", databaseUrl);
    await postgres.query(
      `insert into material (sid, step, position, project_id, bytes) values ('s', 'unmask', 1, 'default', 'x')`,
      databaseUrl,
    );
    const to = join(scratch, "postgres-backup");
    expect(await backUp(dataDir, to, { DATABASE_URL: databaseUrl })).toMatchObject({ code: 0 });
    expect((await manifestOf(to)).position).toBe(3);
    // Without its database the folder is no coordinator's state.
    expect(await backUp(dataDir, join(scratch, "postgres-none"))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("set DATABASE_URL"),
    });

    const into = join(scratch, "postgres-restored");
    expect((await restore(to, into)).stderr).toMatch(/name it with --database-url/);
    expect((await restore(to, into, "--database-url", databaseUrl)).stderr).toMatch(
      /never overwrites a database/,
    );
    const empty = await postgres.createDatabase();
    expect(await restore(to, into, "--database-url", empty)).toMatchObject({ code: 0 });
    expect(await newestPosition(into, empty)).toBe(3);
    await postgres.query("do $$ begin assert (select count(*) from material) = 0; end $$", empty);
    // Whether a folder's own database is newer cannot be seen from the folder.
    const another = await postgres.createDatabase();
    const flags = ["--database-url", another, "--replace"];
    expect((await restore(to, into, ...flags)).stderr).toMatch(/Nobody can tell/);
  });

  test("a machine without its tools is told what to install", async () => {
    const databaseUrl = await present(server, "a server").createDatabase();
    const dataDir = await usedFolder("no-tools", databaseUrl);
    const hidden = join(scratch, "no-tools-root");
    await mkdir(hidden);
    const env = { DATABASE_URL: databaseUrl, PATH: hidden };
    const ended = await backUp(dataDir, join(scratch, "no-tools-backup"), env);
    expect(ended).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("apt-get install postgresql-client"),
    });
    expect(await stat(join(scratch, "no-tools-backup")).catch(() => null)).toBeNull();
  });
});
