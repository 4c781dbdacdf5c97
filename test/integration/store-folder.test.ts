import { spawnSync } from "node:child_process";
import {
  chmod,
  chown,
  cp,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openBlobs } from "#coordinator/adapters/blobs.ts";
import { openStore } from "#coordinator/adapters/database/open-store.ts";
import { networkNameOf } from "#coordinator/adapters/database/sqlite/network-file-system.ts";
import { openIssuer } from "#coordinator/adapters/issuer.ts";
import { randomBytes } from "#coordinator/adapters/system.ts";
import { startPostgres } from "#test/kit/postgres-server.ts";

/* A data folder and its database: which pairs a coordinator starts with, and what it says of the others. */

const server = await startPostgres();
let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "chorus-folder-"));
});
afterAll(async () => {
  await server?.stop();
  await rm(scratch, { recursive: true, force: true });
});

const stream = { kind: "run", id: "a".repeat(32) } as const;

/** A folder as a coordinator leaves it: database, issuer's key and a blob. */
async function usedFolder(name: string, databaseUrl?: string): Promise<string> {
  const dataDir = join(scratch, name);
  const store = await openStore({ dataDir, databaseUrl });
  await openIssuer(dataDir, randomBytes);
  await (await openBlobs(join(dataDir, "blobs"))).put(Uint8Array.of(1, 2, 3));
  for (let sequence = 1; sequence <= 3; sequence++)
    await store.append(stream, { sequence, at: 0, event: {} }, []);
  await store.close();
  return dataDir;
}
const refusal = (dataDir: string, databaseUrl?: string) =>
  openStore({ dataDir, databaseUrl }).then(
    async (store) => {
      await store.close();
      return "opened";
    },
    (error: Error) => error.message,
  );

describe("a folder whose database", () => {
  test("[D10] is missing, empty or half there is refused and left as it is", async () => {
    const dataDir = await usedFolder("used");
    expect(await refusal(dataDir)).toBe("opened");
    const path = join(dataDir, "chorus.db");
    await rename(path, join(scratch, "kept.db"));
    expect(await refusal(dataDir)).toMatch(/in use, but its database .*chorus\.db is missing\. Restore it/);
    await writeFile(path, "");
    expect(await refusal(dataDir)).toMatch(/is empty\. Restore it/);
    expect((await readFile(path)).length).toBe(0);
    // A database, but not this folder's: its tables were dropped, or it was made anew by hand.
    new DatabaseSync(path).exec("create table t (a text) strict");
    expect(await refusal(dataDir)).toMatch(/has been in use, but the database .* is empty/);
    await rm(path);
    await cp(join(scratch, "kept.db"), path);
    expect(await refusal(dataDir)).toBe("opened");
    await rm(join(dataDir, "instance.json"));
    expect(await refusal(dataDir)).toMatch(/whose data folder is not .*there is no instance\.json/);
  });

  test.each(["issuer.key", "blobs/ab/cd"])("[D10] is missing beside %s alone is refused", async (left) => {
    const dataDir = join(scratch, `only-${left.replaceAll("/", "-")}`);
    await mkdir(join(dataDir, left, ".."), { recursive: true });
    await writeFile(join(dataDir, left), "left");
    expect(await refusal(dataDir)).toMatch(/is missing\. Restore it/);
  });

  test("[D10] is missing with only its log there is refused", async () => {
    const dataDir = join(scratch, "only-log");
    await mkdir(dataDir);
    await writeFile(join(dataDir, "chorus.db-wal"), "frames");
    expect(await refusal(dataDir)).toMatch(/is missing\. Restore it/);
  });

  test("[D10] was cut short or is no database is named, with what to do", async () => {
    const dataDir = await usedFolder("cut");
    await truncate(join(dataDir, "chorus.db"), 5_000);
    expect(await refusal(dataDir)).toMatch(
      /is not a database that SQLite can read .* Restore it from a backup/,
    );
    await writeFile(join(dataDir, "chorus.db"), "this was a database once\n".repeat(100));
    expect(await refusal(dataDir)).toMatch(
      /is not a database that SQLite can read .* Restore it from a backup/,
    );
  });

  test("[D10] lost its log after a kill, or is an older copy, is refused", async () => {
    const dataDir = await usedFolder("behind");
    await cp(join(dataDir, "chorus.db"), join(scratch, "older.db"));
    const store = await openStore({ dataDir });
    await store.append(stream, { sequence: 4, at: 0, event: {} }, []);
    const killed = join(scratch, "behind-killed");
    await cp(dataDir, killed, { recursive: true });
    await store.close();
    expect(await refusal(killed)).toBe("opened");

    await rm(killed, { recursive: true });
    await cp(dataDir, killed, { recursive: true });
    await cp(join(scratch, "older.db"), join(killed, "chorus.db"));
    const said = await refusal(killed);
    expect(said).toMatch(/is older than its folder.*chorus\.position/);
    // The sentence names the way for an operator who means it.
    await rm(join(killed, "chorus.position"));
    expect(await refusal(killed)).toBe("opened");
  });

  test("[D10] is one of an earlier kind is refused", async () => {
    const dataDir = join(scratch, "pglite");
    await mkdir(join(dataDir, "database"), { recursive: true });
    await writeFile(join(dataDir, "database", "PG_VERSION"), "17\n");
    await writeFile(join(dataDir, "issuer.key"), "00");
    expect(await refusal(dataDir)).toMatch(/earlier, unreleased version .*PGlite.* another --data folder/);
  });

  test("[D10] cannot be written is named, with what to do", async () => {
    const dataDir = await usedFolder("read-only");
    const script = fileURLToPath(new URL("../kit/children/store-opener.ts", import.meta.url));
    // Root writes everywhere, so another user tries.
    const isRoot = process.getuid?.() === 0;
    if (isRoot) await chown(dataDir, 0, 0);
    await chmod(scratch, 0o755);
    await chmod(join(dataDir, "chorus.db"), 0o444);
    await chmod(dataDir, 0o555);
    const child = spawnSync(process.execPath, [script, dataDir], {
      encoding: "utf8",
      ...(isRoot ? { uid: 65534, gid: 65534 } : {}),
    });
    await chmod(dataDir, 0o755);
    expect(child.stdout).toMatch(/cannot be opened .*can be written to and has room, or choose another/);
    const below = spawnSync(process.execPath, [script, join(dataDir, "chorus.db", "below")], {
      encoding: "utf8",
    });
    expect(below.stdout).toMatch(/cannot be made .* Choose another with --data/);
  });
});

describe("a network file system", () => {
  const mounts = [
    "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw",
    "40 27 0:52 / /mnt/far rw,nosuid shared:9 - fuse.sshfs ada@far:/ rw,user_id=0",
    "41 27 0:53 / /mnt/disk rw - fuse.ntfs-3g /dev/sdb1 rw",
  ].join("\n");

  test("[D10] is known by its number, or by its name behind FUSE", () => {
    for (const [magic, name] of [
      [0x6969, "nfs"],
      [0xff534d42, "cifs"],
      [-0xacb2be, "cifs"],
      [0xfe534d42, "smb2"],
      [0x01021997, "9p"],
    ] as const)
      expect(networkNameOf(magic, "", 0n)).toBe(name);
    expect(networkNameOf(0x65735546, mounts, 52n)).toBe("fuse.sshfs");
  });

  test("[D10] is not what a local disk is taken for", async () => {
    // ext4, btrfs, xfs, tmpfs, overlayfs, zfs.
    for (const magic of [0xef53, 0x9123683e, 0x58465342, 0x01021994, 0x794c7630, 0x2fc12fc1])
      expect(networkNameOf(magic, mounts, 52n)).toBeNull();
    expect(networkNameOf(0x65735546, mounts, 53n)).toBeNull();
    expect(networkNameOf(0x65735546, mounts, 99n)).toBeNull();
  });
});

describe("the instance id", () => {
  test("[D11] is one of folder and database, also after a kill between the two", async () => {
    const dataDir = await usedFolder("instance");
    const path = join(dataDir, "instance.json");
    const { instance } = JSON.parse(await readFile(path, "utf8")) as { instance: string };
    await writeFile(path, JSON.stringify({ instance, pending: true }));
    expect(await refusal(dataDir)).toBe("opened");
    expect(JSON.parse(await readFile(path, "utf8"))).toEqual({ instance });
    await writeFile(path, JSON.stringify({ instance: "0".repeat(32) }));
    expect(await refusal(dataDir)).toMatch(/belong to two installations \(00000000 and [0-9a-f]{8}\)/);
    await writeFile(path, "{");
    expect(await refusal(dataDir)).toMatch(/instance\.json says nothing that this version reads/);
  });

  test("[D11] keeps a folder of PostgreSQL from beginning anew without DATABASE_URL, and the other way round", async (context) => {
    if (server === null) return context.skip();
    const first = await server.createDatabase();
    const dataDir = await usedFolder("postgres", first);
    expect(await refusal(dataDir, first)).toBe("opened");
    expect(await refusal(dataDir)).toMatch(/is missing.*set DATABASE_URL/);
    expect(await refusal(dataDir, await server.createDatabase())).toMatch(
      /has been in use, but the database/,
    );
    expect(await refusal(join(scratch, "elsewhere"), first)).toMatch(/whose data folder is not/);
    const second = await server.createDatabase();
    await usedFolder("postgres-2", second);
    expect(await refusal(dataDir, second)).toMatch(/belong to two installations/);
    expect(await refusal(await usedFolder("on-sqlite"), await server.createDatabase())).toMatch(
      /has been in use/,
    );
  });

  test("[D11] is given once to a folder and a database of an earlier version", async (context) => {
    if (server === null) return context.skip();
    const databaseUrl = await server.createDatabase();
    const client = new pg.Client({ connectionString: databaseUrl });
    await client.connect();
    await client.query(await readFile(new URL("data/database-0001.sql", import.meta.url), "utf8"));
    await client.end();
    const dataDir = join(scratch, "earlier");
    await mkdir(dataDir);
    await openIssuer(dataDir, randomBytes);
    expect(await refusal(dataDir, databaseUrl)).toBe("opened");
    expect(await refusal(dataDir, databaseUrl)).toBe("opened");
    expect(await refusal(join(scratch, "earlier-elsewhere"), databaseUrl)).toMatch(
      /whose data folder is not/,
    );
  });
});
