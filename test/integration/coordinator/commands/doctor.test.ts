import { chmod, cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openStore } from "#coordinator/adapters/database/open-store.ts";
import { openLog } from "#coordinator/adapters/log.ts";
import { openOwnCertificate } from "#coordinator/adapters/tls/own-certificate.ts";
import type { Finding, Level } from "#coordinator/commands/doctor/finding.ts";
import { startCoordinator } from "#coordinator/main.ts";
import { present } from "#shared/kernel/assert.ts";
import { randomBytes } from "#shared/node/system.ts";
import { startPostgres } from "#test/kit/worlds/postgres-server.ts";
import { runCommand } from "#test/kit/worlds/run-command.ts";

/* The doctor as an operator runs it, on real folders, ports, certificates and databases. */

const server = await startPostgres();
let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "chorus-doctor-"));
});
afterAll(async () => {
  await server?.stop();
  await rm(scratch, { recursive: true, force: true });
});

const stream = { kind: "run", id: "a".repeat(32) } as const;
const DAY_MS = 86_400_000;

async function usedFolder(name: string, at = Date.now(), databaseUrl?: string): Promise<string> {
  const dataDir = join(scratch, name);
  const store = await openStore({ dataDir, databaseUrl });
  await store.append(stream, [{ event: { sequence: 1, at, event: {} }, records: [] }]);
  await store.close();
  return dataDir;
}

interface Examined {
  readonly code: number | null;
  readonly text: string;
  readonly level: (about: string) => Level | undefined;
  readonly says: (about: string) => string;
}

async function examine(dataDir: string, ...args: readonly string[]): Promise<Examined> {
  const ended = await runCommand("doctor", ["--data", dataDir, "--port", "0", "--json", ...args]);
  const { findings } = JSON.parse(ended.stdout) as { readonly findings: readonly Finding[] };
  const of = (about: string) => findings.filter((finding) => finding.about === about);
  return {
    code: ended.code,
    text: ended.stdout + ended.stderr,
    level: (about) => of(about)[0]?.level,
    says: (about) =>
      of(about)
        .map(({ says }) => says)
        .join(" "),
  };
}

/** Name, size, permissions and times of every file. */
async function traces(folder: string): Promise<readonly string[]> {
  const names = ["", ...(await readdir(folder, { recursive: true }))].sort();
  return Promise.all(
    names.map(async (name) => {
      const { size, mode, mtimeMs, ctimeMs } = await stat(join(folder, name));
      return [name, size, mode, mtimeMs, ctimeMs].join(" ");
    }),
  );
}

describe("[O3] the doctor", () => {
  test("finds nothing wrong with a folder that was just used, changes nothing, and shows no key", async () => {
    const dataDir = await usedFolder("well");
    const before = await traces(dataDir);
    const well = await examine(dataDir);
    expect([well.code, well.level("database"), well.level("clock"), well.level("keys")]).toEqual([
      0,
      "ok",
      "ok",
      "ok",
    ]);
    expect(well.says("database")).toContain("1 events");
    expect(await traces(dataDir)).toEqual(before);
    expect(well.text).not.toContain((await readFile(join(dataDir, "issuer.key"), "utf8")).trim());
    const lines = (await runCommand("doctor", ["--data", dataDir, "--port", "0"])).stdout;
    expect(lines).toMatch(/^ok {5}database .*\n/m);
    expect((await examine(join(scratch, "not-yet"))).code).toBe(0);
  });

  test("looks at a coordinator that runs", async () => {
    const dataDir = join(scratch, "running");
    const log = openLog({ level: "silent" });
    const running = await startCoordinator({ port: 0, host: "127.0.0.1", dataDir, web: false, log });
    try {
      const at = ["--port", String(running.port), "--host", "127.0.0.1", "--coordinator", running.url];
      const found = await examine(dataDir, ...at);
      expect([found.code, found.level("lock"), found.level("port"), found.level("coordinator")]).toEqual([
        0,
        "ok",
        "ok",
        "ok",
      ]);
      expect(found.says("lock")).toContain(`process ${process.pid}`);
      // It still has its lock and its database.
      await expect(startCoordinator({ port: 0, dataDir, web: false, log })).rejects.toThrow(/in use by/);
      expect((await fetch(`${running.url}/readyz`)).status).toBe(200);
    } finally {
      await running.stop();
    }
    const gone = await examine(dataDir, "--coordinator", running.url);
    expect([gone.code, gone.says("coordinator")]).toEqual([1, expect.stringContaining("ECONNREFUSED")]);
  });

  test("asks a port at the address of --host, and says if that is another machine's", async () => {
    const dataDir = join(scratch, "at-address");
    const log = openLog({ level: "silent" });
    const running = await startCoordinator({ port: 0, host: "127.0.0.2", dataDir, web: false, log });
    try {
      const found = await examine(dataDir, "--port", String(running.port), "--host", "127.0.0.2");
      expect([found.code, found.says("port")]).toEqual([0, expect.stringMatching(/^Chorus .* answers on/)]);
    } finally {
      await running.stop();
    }
    // TEST-NET-3 is nobody's.
    const away = await examine(dataDir, "--host", "203.0.113.1");
    expect([away.code, away.says("port")]).toEqual([1, expect.stringContaining("not an address of this")]);
    expect(away.level("database")).toBe("ok");
  });

  test("names what is wrong with a folder", async () => {
    const dataDir = await usedFolder("ill");
    const harm: [about: string, says: RegExp, harm: (folder: string) => Promise<unknown>][] = [
      ["keys", /chmod 600/, (folder) => chmod(join(folder, "issuer.key"), 0o644)],
      ["keys", /missing/, (folder) => rm(join(folder, "issuer.key"))],
      ["keys", /holds no key/, (folder) => writeFile(join(folder, "issuer.key"), "lost")],
      ["database", /is missing/, (folder) => rm(join(folder, "chorus.db"))],
      [
        "database",
        /not a database/,
        (folder) => writeFile(join(folder, "chorus.db"), "nothing\n".repeat(999)),
      ],
      ["database", /lacks the last 4 events/, (folder) => writeFile(join(folder, "chorus.position"), "5\n")],
      ["database", /two installations/, (folder) => writeInstance(folder, "b".repeat(32))],
      [
        "data folder",
        /cannot be read by this version/,
        (folder) => writeFile(join(folder, "instance.json"), "{"),
      ],
      ["data folder", /chmod 700/, (folder) => chmod(folder, 0o755)],
    ];
    for (const [index, [about, says, doHarm]] of harm.entries()) {
      const folder = join(scratch, `ill-${index}`);
      await cp(dataDir, folder, { recursive: true });
      await chmod(folder, 0o700);
      await doHarm(folder);
      const found = await examine(folder);
      expect(found.says(about)).toMatch(says);
      expect([about, found.code]).toEqual([about, says.source === "chmod 700" ? 0 : 1]);
    }
  });

  test("sees a clock that has stepped back behind the newest event", async () => {
    const found = await examine(await usedFolder("ahead", Date.now() + DAY_MS));
    expect([found.code, found.level("clock")]).toEqual([1, "wrong"]);
  });

  test("tells another program's port and a certificate that does not fit", async () => {
    const dataDir = await usedFolder("doors");
    const other = createServer((socket) => socket.end("220 mail\r\n"));
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as AddressInfo;
    const long = Date.now() - 500 * DAY_MS;
    const certificate = async (name: string, nowUnixMs: number) => {
      const ports = { wall: { nowUnixMs: () => nowUnixMs }, random: randomBytes };
      await openOwnCertificate(ports, join(scratch, name), "good.local", []);
      return join(scratch, name, "tls/server.pem");
    };
    const [good, old] = [await certificate("good", Date.now()), await certificate("old", long)];
    const ask = (cert: string, key: string, host: string) =>
      examine(dataDir, "--tls-cert", cert, "--tls-key", key, "--public-url", `https://${host}`);
    try {
      const taken = await examine(dataDir, "--port", String(port), "--host", "127.0.0.1");
      expect([taken.code, taken.says("port")]).toEqual([1, expect.stringContaining("another program")]);
    } finally {
      other.close();
    }
    const own = (folder: string) =>
      examine(join(scratch, folder), "--tls", "--public-url", "https://good.local");
    expect((await own("not-made")).says("certificate")).toMatch(/none yet/);
    expect((await own("good")).level("certificate")).toBe("ok");
    expect((await own("old")).says("certificate")).toMatch(/expired/);
    const right = await ask(good, good, "good.local");
    expect([right.code, right.level("certificate")]).toEqual([0, "ok"]);
    expect((await ask(good, good, "else.local")).says("certificate")).toMatch(/not for else\.local/);
    expect((await ask(good, old, "good.local")).says("certificate")).toMatch(/does not belong to the key/);
    expect((await ask(old, old, "good.local")).says("certificate")).toMatch(/expired/);
    expect((await ask(join(scratch, "none"), good, "good.local")).says("certificate")).toMatch(
      /cannot be read/,
    );
    expect((await ask(join(dataDir, "issuer.key"), good, "good.local")).says("certificate")).toMatch(
      /in PEM/,
    );
  });

  test("refuses bad options without showing what they hold", async () => {
    for (const args of [
      ["--port", "x"],
      ["--tls-key", "x"],
      ["--database-url", "mysql://me:hunter2@h/x"],
      ["--coordinator", "https://me:hunter2@h/"],
    ]) {
      const ended = await runCommand("doctor", args);
      expect([args[0], ended.code]).toEqual([args[0], 2]);
      expect(ended.stdout + ended.stderr).not.toContain("hunter2");
    }
  });
});

describe("[O3] the doctor on PostgreSQL", () => {
  test("an unreachable server is wrong, and its password is not shown", async () => {
    const found = await examine(
      join(scratch, "well"),
      "--database-url",
      "postgres://me:hunter2@127.0.0.1:9/x",
    );
    expect(found.level("database")).toBe("wrong");
    expect(found.text).not.toContain("hunter2");
  });

  test.skipIf(server === null)("checks that folder and database belong together", async () => {
    const postgres = present(server, "a server");
    const [own, empty] = [await postgres.createDatabase(), await postgres.createDatabase()];
    const dataDir = await usedFolder("postgres", Date.now(), own);
    const right = await examine(dataDir, "--database-url", own);
    expect([right.code, right.says("database")]).toEqual([
      0,
      expect.stringContaining("PostgreSQL, 1 events"),
    ]);
    expect((await examine(dataDir, "--database-url", empty)).says("database")).toMatch(/is empty/);
    expect((await examine(dataDir)).says("database")).toMatch(/set DATABASE_URL/);
  });
});

function writeInstance(folder: string, instance: string): Promise<void> {
  return writeFile(join(folder, "instance.json"), JSON.stringify({ instance }));
}
