import { mkdir, open, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { localSigner } from "#shared/crypto/signature.ts";
import { bytesToHex, hexToBytes } from "#shared/kernel/bytes.ts";
import type { RandomBytes, Signer } from "#shared/kernel/ports.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";

/*
 * An edge's state folder (0700): `identity.key` (32 bytes in hex, 0600), `memory.jsonl`, and `lock` with the id of the
 * process that uses it.
 */

export interface StateFolder {
  readonly folder: string;
  readonly signer: Signer;
  release(): Promise<void>;
}

/** Errors: a sentence for the person who started the edge. */
export async function openStateFolder(
  folder: string,
  random: RandomBytes,
): Promise<Result<StateFolder, string>> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const lock = join(folder, "lock");
  const holder = await takeLock(lock);
  if (holder !== null) {
    return err(
      `Another process (${holder}) takes part from ${folder}. End that one, or give this one a folder of its own with --state.`,
    );
  }
  const seed = await readSeed(join(folder, "identity.key"), random);
  return ok({
    folder,
    signer: localSigner(seed, globalThis.crypto.subtle),
    release: () => rm(lock, { force: true }),
  });
}

/** @returns null where this process holds the lock now, else the id of the living process that does. */
async function takeLock(path: string): Promise<number | null> {
  for (;;) {
    try {
      await writeFile(path, String(process.pid), { flag: "wx", mode: 0o600 });
      return null;
    } catch (fault) {
      if (!isCode(fault, "EEXIST")) throw fault;
    }
    const holder = Number(await readFile(path, "utf8").catch(() => "0"));
    if (holder > 0 && holder !== process.pid && isAlive(holder)) return holder;
    // Left by a process that was killed.
    await rm(path, { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (fault) {
    return isCode(fault, "EPERM");
  }
}

async function readSeed(path: string, random: RandomBytes) {
  try {
    const file = await open(path, "wx", 0o600);
    try {
      await file.writeFile(`${bytesToHex(random(32))}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (fault) {
    if (!isCode(fault, "EEXIST")) throw fault;
  }
  const text = (await readFile(path, "utf8")).trim();
  if (!/^[0-9a-f]{64}$/.test(text))
    throw new Error(`${path} does not hold an identity key; move it away to get a new one`);
  return hexToBytes(text);
}

function isCode(fault: unknown, code: string): boolean {
  return fault instanceof Error && (fault as NodeJS.ErrnoException).code === code;
}
