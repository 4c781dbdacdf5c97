import { mkdir, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { localSigner } from "#shared/crypto/signature.ts";
import { bytesToHex, hexToBytes } from "#shared/kernel/bytes.ts";
import type { RandomBytes, Signer } from "#shared/kernel/ports.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import type { Authority } from "#shared/task/agreed-config.ts";

/*
 * An edge's state folder (0700): `identity.key` (32 bytes in hex, 0600), `memory.jsonl`, `authority.json` with the keys that
 * the coordinator had at the first start, and `lock` with the id of the process that uses it.
 */

export interface StateFolder {
  readonly folder: string;
  readonly signer: Signer;
  release(): Promise<void>;
}

/** Errors: a sentence for the person who started the edge. @param served  What the coordinator says of itself now. */
export async function openStateFolder(
  folder: string,
  random: RandomBytes,
  served: Authority,
): Promise<Result<StateFolder, string>> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const lock = join(folder, "lock");
  const holder = await takeLock(lock);
  if (holder !== null) {
    return err(
      `Another process (${holder}) takes part from ${folder}. End that one, or give this one a folder of its own with --state.`,
    );
  }
  const pinned = await pinAuthority(folder, served);
  if (!pinned.ok) {
    await rm(lock, { force: true });
    return pinned;
  }
  const seed = await readSeed(join(folder, "identity.key"), random);
  return ok({
    folder,
    signer: localSigner(seed, globalThis.crypto.subtle),
    release: () => rm(lock, { force: true }),
  });
}

const pinnedSchema = z.strictObject({ projectId: z.string(), issuerKey: z.string(), logKey: z.string() });

/**
 * Pins the coordinator's keys at the first start and holds it to them ever after: under another issuer any set of made-up
 * devices could sit in a roster, and another log could tell another story (S6). The code's version may change.
 *
 * Errors: a sentence for the person who started the edge.
 */
async function pinAuthority(folder: string, served: Authority): Promise<Result<void, string>> {
  const path = join(folder, "authority.json");
  const { projectId, issuerKey, logKey } = served;
  const own = JSON.stringify({ projectId, issuerKey, logKey });
  const stored = await readFile(path, "utf8").catch((fault) => {
    if (isCode(fault, "ENOENT")) return null;
    throw fault;
  });
  if (stored === null) {
    await writeFile(`${path}.part`, `${own}\n`, { mode: 0o600, flush: true });
    await rename(`${path}.part`, path);
    return ok(undefined);
  }
  const pinned = pinnedSchema.safeParse(JSON.parse(stored));
  if (pinned.success && JSON.stringify(pinned.data) === own) return ok(undefined);
  return err(
    `This coordinator has other keys than the one that ${folder} was made with. If that is as it should be, give it a folder of its own with --state.`,
  );
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
