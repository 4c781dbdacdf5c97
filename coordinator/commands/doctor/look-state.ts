import { access, constants, readdir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { probeFolder } from "#shared/node/lock.ts";
import { type FolderFacts, folderFacts, instanceMismatch } from "../../adapters/database/instance.ts";
import type { DatabaseReport } from "../../adapters/database/report.ts";
import { checkFolder, databasePath, doesNotOpen } from "../../adapters/database/sqlite/folder.ts";
import { networkFileSystem } from "../../adapters/database/sqlite/network-file-system.ts";
import { markPath, readMark } from "../../adapters/database/sqlite/position-mark.ts";
import { readSqlite } from "../../adapters/database/sqlite/read-sqlite.ts";
import { freeByteCount } from "../../adapters/disk.ts";
import { messageOf } from "../../adapters/system-errors.ts";
import type { Finding } from "./finding.ts";
import {
  type DatabaseLook,
  type FolderLook,
  judgeClock,
  judgeDatabase,
  judgeDisk,
  judgeFileSystem,
  judgeFolder,
  judgeKeys,
  judgeLock,
  type KeyLook,
} from "./judge-state.ts";

export interface StateToExamine {
  readonly dataDir: string;
  /** PostgreSQL; SQLite in `dataDir` if undefined. */
  readonly databaseUrl: string | undefined;
  /** Of HTTPS, outside the folder. */
  readonly tlsKeyPath: string | undefined;
  readonly nowUnixMs: number;
}

export interface Examined {
  readonly findings: readonly Finding[];
  /** Whether a coordinator has the folder. */
  readonly isHeld: boolean;
}

/** Looks at folder, keys, database and clock. Changes nothing. Never rejects because of what it finds. */
export async function examineState(state: StateToExamine): Promise<Examined> {
  const { dataDir, databaseUrl, tlsKeyPath, nowUnixMs } = state;
  const folder = await lookAtFolder(dataDir, databaseUrl === undefined);
  const findings = [judgeFolder(folder), judgeDisk(folder), judgeFileSystem(folder)];
  const keys = await lookAtKeys(dataDir, tlsKeyPath);
  if (folder.found?.isFolder !== true) {
    const clock = judgeClock(nowUnixMs, null);
    return { findings: [...findings, ...judgeKeys(keys, false), clock], isHeld: false };
  }
  const probed = probeFolder(dataDir);
  const refusal = probed.ok ? null : probed.error;
  const isHeld = refusal?.type === "held";
  findings.push(judgeLock(refusal));
  const facts = await folderFacts(dataDir).catch((error: unknown) => messageOf(error));
  if (typeof facts === "string") {
    findings.push({ level: "wrong", about: "data folder", says: facts });
    return { findings: [...findings, ...judgeKeys(keys, true), judgeClock(nowUnixMs, null)], isHeld };
  }
  const wasFinished = facts.file !== null && facts.file.pending !== true;
  findings.push(...judgeKeys(keys, wasFinished || facts.isUsed));
  const database = await lookAtDatabase(facts, databaseUrl, isHeld);
  findings.push(...judgeDatabase(database));
  const newest = database.kind === "read" ? database.report.newestEventUnixMs : null;
  findings.push(judgeClock(nowUnixMs, newest));
  return { findings, isHeld };
}

async function lookAtFolder(path: string, usesSqlite: boolean): Promise<FolderLook> {
  const found = await stat(path).catch(() => null);
  // The disk of a folder that is still to be made is that of the nearest one above.
  let near = path;
  while ((await stat(near).catch(() => null)) === null && dirname(near) !== near) near = dirname(near);
  return {
    path,
    found: found && {
      isFolder: found.isDirectory(),
      mode: found.mode & 0o777,
      ownerUid: found.uid,
      isWritable: await access(path, constants.W_OK | constants.X_OK).then(
        () => true,
        () => false,
      ),
    },
    uid: process.getuid?.() ?? null,
    freeByteCount: await freeByteCount(near).catch(() => null),
    network: await networkFileSystem(near).catch(() => null),
    usesSqlite,
  };
}

/** Hex keys at the top of the folder, PEM files of its own certificate, and HTTPS's key. */
async function lookAtKeys(dataDir: string, tlsKeyPath: string | undefined): Promise<readonly KeyLook[]> {
  const namesIn = async (folder: string, ending: string) =>
    (await readdir(join(dataDir, folder)).catch(() => []))
      .filter((name) => name.endsWith(ending))
      .map((name) => join(folder, name));
  const looks: KeyLook[] = [];
  for (const name of await namesIn("", ".key"))
    looks.push(...(await lookAtKey(name, join(dataDir, name), /^[0-9a-f]{64}\s*$/)));
  for (const name of await namesIn("tls", ".pem"))
    looks.push(...(await lookAtKey(name, join(dataDir, name), PEM_KEY)));
  if (tlsKeyPath !== undefined) looks.push(...(await lookAtKey(tlsKeyPath, tlsKeyPath, PEM_KEY)));
  return looks;
}

const PEM_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;

async function lookAtKey(name: string, path: string, pattern: RegExp): Promise<readonly KeyLook[]> {
  const found = await stat(path).catch(() => null);
  if (found?.isFile() !== true) return [];
  const text = await readFile(path, "utf8").catch(() => null);
  return [{ name, mode: found.mode & 0o777, isKey: text === null ? null : pattern.test(text) }];
}

async function lookAtDatabase(
  facts: FolderFacts,
  databaseUrl: string | undefined,
  isHeld: boolean,
): Promise<DatabaseLook> {
  try {
    return databaseUrl === undefined ? await lookHere(facts, isHeld) : await lookThere(facts, databaseUrl);
  } catch (error) {
    return { kind: "unusable", sentence: messageOf(error) };
  }
}

async function lookHere(facts: FolderFacts, isHeld: boolean): Promise<DatabaseLook> {
  if (!(await checkFolder(facts))) return { kind: "new" };
  const path = databasePath(facts.dataDir);
  // Read first: a coordinator that runs moves the mark after its commit.
  const mark = readMark(markPath(facts.dataDir));
  const { report, faults } = await readSqlite(path, isHeld).catch((error: unknown) => {
    throw doesNotOpen(path, error);
  });
  return lookOf(facts, path, { report, faults, mark });
}

async function lookThere(facts: FolderFacts, databaseUrl: string): Promise<DatabaseLook> {
  const { readPostgres } = await import("../../adapters/database/postgres-tools.ts");
  const report = await readPostgres(databaseUrl);
  return lookOf(facts, "PostgreSQL", { report, faults: null, mark: 0 });
}

function lookOf(
  facts: FolderFacts,
  name: string,
  { report, faults, mark }: { report: DatabaseReport | null; faults: readonly string[] | null; mark: number },
): DatabaseLook {
  const instanceId = report?.instanceId ?? null;
  const sentence = instanceMismatch(facts, { instanceId, wasMade: report !== null, name });
  if (sentence !== null) return { kind: "unusable", sentence };
  return report === null ? { kind: "new" } : { kind: "read", name, report, faults, mark };
}
