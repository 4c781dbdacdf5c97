import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import files, {
  chmod,
  chown,
  cp,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openBlobs } from "#coordinator/adapters/blobs.ts";
import { openStore } from "#coordinator/adapters/database/open-store.ts";
import { networkNameOf } from "#coordinator/adapters/database/sqlite/network-file-system.ts";
import { makeIssuer, openIssuer } from "#coordinator/adapters/issuer.ts";
import { createSecretFile } from "#coordinator/adapters/secret-file.ts";
import type { Log } from "#coordinator/core/ports/ports.ts";
import { startCoordinator } from "#coordinator/main.ts";
import { randomBytes } from "#shared/node/system.ts";
import { startPostgres } from "#test/kit/worlds/postgres-server.ts";

/* A data folder and its database: the pairs with which a coordinator starts, and what it says about the others. */

const server = await startPostgres();
let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "chorus-folder-"));
});
afterAll(async () => {
  await server?.stop();
  await rm(scratch, { recursive: true, force: true });
});

const SILENT: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };
const stream = { kind: "run", id: "a".repeat(32) } as const;

/** A folder as a coordinator leaves it: database, issuer's key and a blob. */
async function usedFolder(name: string, databaseUrl?: string): Promise<string> {
  const dataDir = join(scratch, name);
  const store = await openStore({ dataDir, databaseUrl });
  await (await openBlobs(join(dataDir, "blobs"))).put(Uint8Array.of(1, 2, 3));
  for (let sequence = 1; sequence <= 3; sequence++)
    await store.append(stream, [{ event: { sequence, at: 0, event: {} }, records: [] }]);
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
  test("[D10] is missing, empty or incomplete is refused and left as it is", async () => {
    const dataDir = await usedFolder("used");
    expect(await refusal(dataDir)).toBe("opened");
    const path = join(dataDir, "chorus.db");
    await rename(path, join(scratch, "kept.db"));
    expect(await refusal(dataDir)).toMatch(/in use, but its database .*chorus\.db is missing\. Restore it/);
    await writeFile(path, "");
    expect(await refusal(dataDir)).toMatch(/is empty\. Restore it/);
    expect((await readFile(path)).length).toBe(0);
    // A database, but not this folder's: its tables were dropped, or it was recreated by hand.
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
    await store.append(stream, [{ event: { sequence: 4, at: 0, event: {} }, records: [] }]);
    const killed = join(scratch, "behind-killed");
    await cp(dataDir, killed, { recursive: true });
    await store.close();
    expect(await refusal(killed)).toBe("opened");

    await rm(killed, { recursive: true });
    await cp(dataDir, killed, { recursive: true });
    await cp(join(scratch, "older.db"), join(killed, "chorus.db"));
    const said = await refusal(killed);
    expect(said).toMatch(/is older than its folder.*chorus\.position/);
    // The sentence tells an operator how to override this.
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
    const script = fileURLToPath(new URL("../../../../kit/children/store-opener.ts", import.meta.url));
    // Root can write everywhere, so another user tries.
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
    expect(below.stdout).toMatch(/cannot be created .* Choose another with --data/);
  });
});

describe("a network file system", () => {
  const mounts = [
    "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw",
    "40 27 0:52 / /mnt/far rw,nosuid shared:9 - fuse.sshfs ada@far:/ rw,user_id=0",
    "41 27 0:53 / /mnt/disk rw - fuse.ntfs-3g /dev/sdb1 rw",
  ].join("\n");

  test("[D10] is recognised by its number, or by its name behind FUSE", () => {
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

  test("[D10] is not reported for local disks", async () => {
    // ext4, btrfs, xfs, tmpfs, overlayfs, zfs.
    for (const magic of [0xef53, 0x9123683e, 0x58465342, 0x01021994, 0x794c7630, 0x2fc12fc1])
      expect(networkNameOf(magic, mounts, 52n)).toBeNull();
    expect(networkNameOf(0x65735546, mounts, 53n)).toBeNull();
    expect(networkNameOf(0x65735546, mounts, 99n)).toBeNull();
  });
});

describe("the issuer's key", () => {
  test("[D10] is made with the instance, and never again: a start without it is refused", async () => {
    const dataDir = await usedFolder("issuer");
    const path = join(dataDir, "issuer.key");
    const { publicKey } = await openIssuer(dataDir);
    const text = await readFile(path, "utf8");
    await rm(path);
    expect(await refusal(dataDir)).toBe("opened");
    await expect(openIssuer(dataDir)).rejects.toThrow(/issuer\.key is missing\. Restore it .* --data folder/);
    const settings = { dataDir, port: 0, web: false, log: SILENT } as const;
    await expect(startCoordinator(settings)).rejects.toThrow(/issuer\.key is missing/);
    expect(existsSync(path)).toBe(false);
    await writeFile(path, text);
    expect((await openIssuer(dataDir)).publicKey).toEqual(publicKey);
  });

  test("[D10] is made by the next start if the first one was killed before its instance was confirmed", async () => {
    const dataDir = await usedFolder("issuer-pending");
    const path = join(dataDir, "instance.json");
    const { instance } = JSON.parse(await readFile(path, "utf8")) as { instance: string };
    await writeFile(path, JSON.stringify({ instance, pending: true }));
    await rm(join(dataDir, "issuer.key"));
    expect(await refusal(dataDir)).toBe("opened");
    expect((await openIssuer(dataDir)).publicKey).toHaveLength(32);
    expect(await readdir(dataDir)).not.toContain(expect.stringContaining("partial"));
  });

  test("[D10] is in no copy that a killed start left, whatever the process id", async () => {
    const dataDir = await usedFolder("issuer-partial");
    const path = join(dataDir, "instance.json");
    const { instance } = JSON.parse(await readFile(path, "utf8")) as { instance: string };
    const made = (at: string) => writeFile(join(dataDir, at), "11".repeat(32), { mode: 0o600 });
    const others = ["issuer.key.bak", "issuer.key.12x.partial", "auditor.key.7.partial"];
    await Promise.all([...others, "issuer.key.1.partial", "issuer.key.987654.partial"].map(made));
    // Killed before the key had its name, and after.
    for (const isNamed of [false, true]) {
      await writeFile(path, JSON.stringify({ instance, pending: true }));
      if (!isNamed) await rm(join(dataDir, "issuer.key"));
      else await made(`issuer.key.${process.pid}.partial`);
      const before = isNamed ? await readFile(join(dataDir, "issuer.key"), "utf8") : null;
      expect(await refusal(dataDir)).toBe("opened");
      expect((await readdir(dataDir)).filter((name) => name.endsWith(".partial")).sort()).toEqual([
        "auditor.key.7.partial",
        "issuer.key.12x.partial",
      ]);
      const after = await readFile(join(dataDir, "issuer.key"), "utf8");
      expect(after).toBe(before ?? after);
      expect(after).not.toContain("11".repeat(32));
    }
    expect(existsSync(join(dataDir, "issuer.key.bak"))).toBe(true);
  });

  test("[D10] is not made anew for a folder of an earlier version that has lost it", async () => {
    const dataDir = await usedFolder("issuer-earlier");
    const database = new DatabaseSync(join(dataDir, "chorus.db"));
    expect(database.prepare("delete from setting where name = 'instance'").run().changes).toBe(1);
    database.close();
    await rm(join(dataDir, "instance.json"));
    await rm(join(dataDir, "issuer.key"));
    expect(await refusal(dataDir)).toMatch(/issuer\.key is missing\. Restore it from a backup/);
    expect(existsSync(join(dataDir, "issuer.key"))).toBe(false);
  });

  test("[D10] is whole or not there, however its writing ends", async () => {
    const folder = await mkdtemp(join(scratch, "torn-"));
    const path = join(folder, "secret");
    const handle = await open(join(folder, "any"), "w");
    const fails = vi.spyOn(Object.getPrototypeOf(handle), "writeFile");
    await handle.close();
    fails.mockRejectedValueOnce(new Error("killed"));
    try {
      await expect(createSecretFile(path, folder, "first")).rejects.toThrow("killed");
    } finally {
      fails.mockRestore();
    }
    expect(existsSync(path)).toBe(false);
    expect(await createSecretFile(path, folder, "second")).toBe("second");
    expect(await createSecretFile(path, folder, "third")).toBeNull();
    expect(await readFile(path, "utf8")).toBe("second\n");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await readdir(folder)).sort()).toEqual(["any", "secret"]);
  });
});

describe("a file system without hard links", () => {
  /** Lets each link fail like there. exFAT answers EPERM, some mounts of containers the others. */
  async function withoutLinks(code: string, run: () => Promise<void>): Promise<number> {
    const links = vi.spyOn(files, "link").mockRejectedValue(Object.assign(new Error(code), { code }));
    syncBuiltinESMExports();
    try {
      await run();
      return links.mock.calls.length;
    } finally {
      links.mockRestore();
      syncBuiltinESMExports();
    }
  }

  test("[D10] has a data folder that starts, and starts again with the same key", async () => {
    const dataDir = join(scratch, "no-links");
    const settings = { dataDir, port: 0, web: false, log: SILENT } as const;
    const path = join(dataDir, "issuer.key");
    const linked = await withoutLinks("EPERM", async () => {
      await (await startCoordinator(settings)).stop();
      const text = await readFile(path, "utf8");
      expect(text).toMatch(/^[0-9a-f]{64}\n$/);
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      await (await startCoordinator(settings)).stop();
      expect(await readFile(path, "utf8")).toBe(text);
    });
    expect(linked).toBeGreaterThan(0);
    expect((await readdir(dataDir)).join()).not.toContain("partial");
  });

  test.each(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"])(
    "[D10] that answers %s keeps a secret that is there",
    async (code) => {
      const folder = await mkdtemp(join(scratch, "no-links-"));
      const path = join(folder, "secret");
      await withoutLinks(code, async () => {
        expect(await createSecretFile(path, folder, "first")).toBe("first");
        expect(await createSecretFile(path, folder, "second")).toBeNull();
      });
      expect(await readFile(path, "utf8")).toBe("first\n");
      expect(await readdir(folder)).toEqual(["secret"]);
    },
  );

  test("[D10] is not assumed for another fault: nothing is written in its place", async () => {
    const folder = await mkdtemp(join(scratch, "full-"));
    await withoutLinks("ENOSPC", async () => {
      await expect(createSecretFile(join(folder, "secret"), folder, "first")).rejects.toThrow("ENOSPC");
    });
    expect(await readdir(folder)).toEqual([]);
  });
});

describe("the instance id", () => {
  test("[D11] is the same in folder and database, even after a kill between the two writes", async () => {
    const dataDir = await usedFolder("instance");
    const path = join(dataDir, "instance.json");
    const { instance } = JSON.parse(await readFile(path, "utf8")) as { instance: string };
    await writeFile(path, JSON.stringify({ instance, pending: true }));
    expect(await refusal(dataDir)).toBe("opened");
    expect(JSON.parse(await readFile(path, "utf8"))).toEqual({ instance });
    await writeFile(path, JSON.stringify({ instance: "0".repeat(32) }));
    expect(await refusal(dataDir)).toMatch(/belong to two installations \(00000000 and [0-9a-f]{8}\)/);
    await writeFile(path, "{");
    expect(await refusal(dataDir)).toMatch(/instance\.json cannot be read by this version/);
  });

  test("[D11] keeps a PostgreSQL folder from starting afresh without DATABASE_URL, and the other way round", async (context) => {
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
    await makeIssuer(dataDir, randomBytes);
    expect(await refusal(dataDir, databaseUrl)).toBe("opened");
    expect(await refusal(dataDir, databaseUrl)).toBe("opened");
    expect(await refusal(join(scratch, "earlier-elsewhere"), databaseUrl)).toMatch(
      /whose data folder is not/,
    );
  });
});
