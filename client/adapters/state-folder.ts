import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { localSigner } from "#shared/crypto/signature.ts";
import { type Bytes, bytesToHex, hexToBytes } from "#shared/kernel/bytes.ts";
import type { RandomBytes, Signer } from "#shared/kernel/ports.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { writeDurably } from "#shared/node/durable-files.ts";
import { type LockRefusal, lockFolder } from "#shared/node/lock.ts";
import { type Authority, NO_LOG_KEY } from "#shared/task/agreed-config.ts";

/*
 * An edge's state folder (0700): `identity.key` (32 bytes in hex, 0600), `memory.jsonl` (journal-cells.ts),
 * `authority.json` with the coordinator's keys at the first start, `consents.jsonl` (consent-file.ts), `receipts/` (receipt-folder.ts), and `lock.db`. The process that uses the folder
 * holds the lock, because one identity in two processes could give two answers to one question (S10).
 */

export interface StateFolder {
  readonly folder: string;
  readonly signer: Signer;
  /** What its owner is to know about the coordinator's keys; null for nothing. */
  readonly notice: string | null;
  release(): void;
}

/**
 * Errors: a sentence for the person who started the edge. @param served  What the coordinator now states about itself.
 */
export async function openStateFolder(
  folder: string,
  random: RandomBytes,
  served: Authority,
): Promise<Result<StateFolder, string>> {
  let release = () => {};
  const refuse = (sentence: string) => {
    release();
    return err(sentence);
  };
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const lock = lockFolder(folder);
    if (!lock.ok) return refuse(describeLock(folder, lock.error));
    release = lock.value.release;
    // An earlier version kept a process id here. It proves nothing, because ids are reused.
    await rm(join(folder, "lock"), { force: true });
    const pinned = await pinAuthority(folder, served);
    if (!pinned.ok) return refuse(pinned.error);
    const seed = await readSeed(folder, random);
    if (!seed.ok) return refuse(seed.error);
    const signer = localSigner(seed.value, globalThis.crypto.subtle);
    return ok({ folder, signer, notice: pinned.value, release });
  } catch (fault) {
    return refuse(describeFileFault(folder, fault));
  }
}

function describeLock(folder: string, refusal: LockRefusal): string {
  if (refusal.type === "unusable") return unusable(folder, `${refusal.path}: ${refusal.reason}`);
  const holder = refusal.holder === null ? "" : ` (${refusal.holder})`;
  return `Another process${holder} uses ${folder}. End it, or give this one its own folder with --state.`;
}

/** Turns a file system error into a sentence for the person who started the edge. */
export function describeFileFault(folder: string, fault: unknown): string {
  return unusable(folder, fault instanceof Error ? fault.message : String(fault));
}

function unusable(folder: string, reason: string): string {
  return `The state folder ${folder} cannot be used (${reason}). It must be a folder that this user can write to, with free space. Fix that, or choose another folder with --state.`;
}

function damaged(path: string): string {
  return `${path} is damaged. Restore it from a backup, or give this device a new folder with --state, where it starts as a new device.`;
}

const pinnedSchema = z.strictObject({
  projectId: z.string(),
  issuerKey: z.string(),
  logKey: z.string(),
  logOrigin: z.string().exactOptional(),
});

/**
 * Pins the coordinator's keys at the first start and refuses any others later: another issuer could fill a roster with
 * made-up devices, and another log could tell a different story (S6). The code version may change, and a coordinator that
 * had no public log may begin one, once (A45).
 *
 * @returns What to tell the person who started the edge; null for nothing.
 * Errors: a sentence for that person.
 */
async function pinAuthority(folder: string, served: Authority): Promise<Result<string | null, string>> {
  const path = join(folder, "authority.json");
  const { projectId, issuerKey, logKey, logOrigin } = served;
  const own = JSON.stringify({ projectId, issuerKey, logKey, logOrigin });
  const stored = await readIfThere(path);
  const pinned = stored === null ? null : pinnedSchema.safeParse(jsonOrNull(stored));
  if (pinned?.success === false) return err(damaged(path));
  const before = pinned === null ? null : pinned.data;
  if (before !== null && JSON.stringify(before) === own) return ok(null);
  if (before === null) {
    await writeDurably(path, `${own}\n`, 0o600);
    return ok(null);
  }
  const beginsLog = before.projectId === projectId && before.issuerKey === issuerKey;
  if (beginsLog && before.logKey === NO_LOG_KEY) {
    await writeDurably(path, `${own}\n`, 0o600);
    return ok(
      `The coordinator keeps a public log now, ${logOrigin}. This device demands its proofs from now on (key ${logKey}).`,
    );
  }
  return err(
    `This coordinator's keys are not the ones that ${folder} was set up with. If that is intended, give it its own folder with --state.`,
  );
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Made at the first start. Errors: a sentence for the person who started the edge. */
async function readSeed(folder: string, random: RandomBytes): Promise<Result<Bytes, string>> {
  const path = join(folder, "identity.key");
  const stored = await readIfThere(path);
  if (stored === null) {
    const seed = random(32);
    await writeDurably(path, `${bytesToHex(seed)}\n`, 0o600);
    return ok(seed);
  }
  const text = stored.trim();
  if (/^[0-9a-f]{64}$/.test(text)) return ok(hexToBytes(text));
  return err(damaged(path));
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (fault) {
    if (fault instanceof Error && (fault as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw fault;
  }
}
