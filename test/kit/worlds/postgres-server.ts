import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chown, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import pg from "pg";

const run = promisify(execFile);

interface Outage {
  down(): Promise<void>;
  up(): Promise<void>;
  /** Stops its processes while connections stay open, like a machine that hangs or a network that drops everything. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
}

/** A PostgreSQL server for tests; each test file creates its own databases in it. */
export interface PostgresServer {
  /** URL of a new, empty database, dropped at `stop`. @param as  Appended to `create database NAME`. */
  createDatabase(as?: string): Promise<string>;
  /** Runs a statement as superuser, in the server's own database or in the one at `databaseUrl`. */
  query(text: string, databaseUrl?: string): Promise<void>;
  /**
   * Stops a throw-away server like its operator would, sessions included; `up` starts it again. Null for a given
   * server.
   */
  readonly outage: Outage | null;
  stop(): Promise<void>;
}

/**
 * The server that CHORUS_TEST_DATABASE_URL or DATABASE_URL names, or a throw-away cluster from the newest local
 * binaries, on a Unix socket (no port collisions). Null, with a note on the console, if there is neither.
 */
export async function startPostgres({
  durable = false,
}: {
  /** Makes commits wait for the disk, as in production; tests do not need to survive a power cut. */
  readonly durable?: boolean;
} = {}): Promise<PostgresServer | null> {
  const url = process.env["CHORUS_TEST_DATABASE_URL"] ?? process.env["DATABASE_URL"];
  if (url !== undefined && url !== "") return serverAt(url, async () => undefined, null);
  const binaries = await findBinaries();
  if (binaries === null) {
    console.warn(
      "SKIPPED: no PostgreSQL. Install it (apt-get install postgresql) or set CHORUS_TEST_DATABASE_URL to run these tests.",
    );
    return null;
  }
  return startCluster(binaries, durable);
}

async function findBinaries(): Promise<string | null> {
  const root = "/usr/lib/postgresql";
  const versions = await readdir(root).catch(() => []);
  const newest = versions
    .map(Number)
    .filter(Number.isFinite)
    .sort((a, b) => b - a)[0];
  return newest === undefined ? null : join(root, String(newest), "bin");
}

async function startCluster(binaries: string, durable: boolean): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), "chorus-postgres-"));
  const as = await unprivileged();
  if (as !== null) await chown(folder, as.uid, as.gid);
  const options = as === null ? {} : { uid: as.uid, gid: as.gid };
  const data = join(folder, "data");
  const initArguments = [
    "-D",
    data,
    "-U",
    "postgres",
    "--auth=trust",
    "--no-sync",
    "-E",
    "UTF8",
    "--locale=C.UTF-8",
  ];
  await run(join(binaries, "initdb"), initArguments, { ...options, cwd: folder });
  const serverArguments = [
    "-D",
    data,
    "-k",
    folder,
    "-c",
    "listen_addresses=",
    "-c",
    `fsync=${durable ? "on" : "off"}`,
  ];
  const url = `postgresql://postgres@localhost/postgres?host=${encodeURIComponent(folder)}`;
  const up = async () => {
    const server = spawn(join(binaries, "postgres"), serverArguments, {
      ...options,
      cwd: folder,
      stdio: "ignore",
    });
    await waitUntilUp(url, server);
    return server;
  };
  let server = await up();
  const down = async () => {
    // SIGINT: fast shutdown, which ends open sessions.
    server.kill("SIGINT");
    await new Promise((resolve) => (server.exitCode === null ? server.once("exit", resolve) : resolve(null)));
  };
  const stop = async () => {
    await down();
    await rm(folder, { recursive: true, force: true });
  };
  return serverAt(url, stop, {
    down,
    up: async () => {
      server = await up();
    },
    freeze: () => signalAll(server, "SIGSTOP"),
    thaw: () => signalAll(server, "SIGCONT"),
  });
}

/** Signals the server and its children, one for each session. */
async function signalAll(server: ChildProcess, signal: "SIGSTOP" | "SIGCONT"): Promise<void> {
  const { stdout } = await run("pgrep", ["-P", String(server.pid)]);
  for (const pid of [server.pid as number, ...stdout.trim().split("\n").map(Number)])
    process.kill(pid, signal);
}

/** PostgreSQL refuses to run as root; its package creates a user for it. Null if this process is not root. */
async function unprivileged(): Promise<{ uid: number; gid: number } | null> {
  if (process.getuid?.() !== 0) return null;
  const [uid, gid] = await Promise.all(
    ["-u", "-g"].map(async (flag) => Number((await run("id", [flag, "postgres"])).stdout)),
  );
  return { uid: uid as number, gid: gid as number };
}

async function waitUntilUp(url: string, server: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (server.exitCode !== null) throw new Error(`the test's PostgreSQL ended with code ${server.exitCode}`);
    try {
      await query(url, "select 1");
      return;
    } catch {
      await sleep(100);
    }
  }
  throw new Error("the test's PostgreSQL did not come up within 20 s");
}

function serverAt(url: string, stopServer: () => Promise<void>, outage: Outage | null): PostgresServer {
  const names: string[] = [];
  return {
    outage,
    query: (text, databaseUrl = url) => query(databaseUrl, text),
    createDatabase: async (as = "") => {
      const name = `chorus_test_${randomBytes(6).toString("hex")}`;
      await query(url, `create database ${name} ${as}`);
      names.push(name);
      const own = new URL(url);
      own.pathname = `/${name}`;
      return own.href;
    },
    stop: async () => {
      for (const name of names) await query(url, `drop database ${name} with (force)`);
      await stopServer();
    },
  };
}

async function query(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}
