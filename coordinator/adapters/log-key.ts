import { readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { localSigner } from "#shared/crypto/signature.ts";
import { present } from "#shared/kernel/assert.ts";
import { type Bytes, bytesToHex, equalBytes, hexToBytes } from "#shared/kernel/bytes.ts";
import type { RandomBytes, Signer } from "#shared/kernel/ports.ts";
import { syncFolder } from "#shared/node/durable-files.ts";
import { createSecretFile, removePartials } from "./secret-file.ts";
import { isErrorCode } from "./system-errors.ts";

export const LOG_KEY_FILE = "log.key";
/** The next key, from its making until a checkpoint is signed with it. */
export const NEXT_LOG_KEY_FILE = "log-next.key";

/**
 * Opens the log's Ed25519 keys, which are kept in files that only this user can read. Needs the folder's lock.
 *
 * @param mayMake  Whether the log has not begun. A lost key is never replaced silently, because devices pin its public half.
 * @throws Error that says what to do if the key is missing or is none.
 */
export async function openLogKeys(
  dataDir: string,
  random: RandomBytes,
  mayMake: boolean,
): Promise<readonly Signer[]> {
  const path = join(dataDir, LOG_KEY_FILE);
  await removePartials(path, dataDir);
  if (mayMake) await createSecretFile(path, dataDir, bytesToHex(random(32)));
  const keys = await readLogKeys(dataDir);
  if (keys === null)
    throw new Error(
      `${path} is missing. Restore it from a backup. Devices follow the log by this key, so it is not made anew; to start over, choose another --data folder.`,
    );
  return keys;
}

/** The keys in a folder, which nobody has to hold; null if there is none. @throws Error that says what to do if a file is no key. */
export async function readLogKeys(dataDir: string): Promise<readonly Signer[] | null> {
  const current = await readKey(dataDir, LOG_KEY_FILE);
  if (current === null) return null;
  const next = await readKey(dataDir, NEXT_LOG_KEY_FILE);
  return next === null ? [current] : [current, next];
}

/**
 * Makes the key that a rotation hands over to, durably, or finds the one that an earlier try has made. Needs the folder's lock.
 *
 * @throws Error that says what to do if the file is no key.
 */
export async function makeNextLogKey(dataDir: string, random: RandomBytes): Promise<Signer> {
  const path = join(dataDir, NEXT_LOG_KEY_FILE);
  await removePartials(path, dataDir);
  await createSecretFile(path, dataDir, bytesToHex(random(32)));
  return present(await readKey(dataDir, NEXT_LOG_KEY_FILE), "the next key was made");
}

/**
 * Puts the next key in the place of the one before, whose file is then gone. Does nothing while the log is still signed by
 * that one. Needs the folder's lock. May be repeated after a crash.
 *
 * @param publicKey  The key that signs the published log.
 */
export async function settleLogKey(dataDir: string, publicKey: Bytes): Promise<void> {
  const next = await readKey(dataDir, NEXT_LOG_KEY_FILE);
  if (next === null || !equalBytes(next.publicKey, publicKey)) return;
  await rename(join(dataDir, NEXT_LOG_KEY_FILE), join(dataDir, LOG_KEY_FILE));
  await syncFolder(dataDir);
}

async function readKey(dataDir: string, name: string): Promise<Signer | null> {
  const path = join(dataDir, name);
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    if (isErrorCode(error, "ENOENT")) return null;
    throw error;
  });
  if (text === null) return null;
  if (!/^[0-9a-f]{64}\s*$/.test(text))
    throw new Error(`${path} holds no key of a log. Restore it from a backup.`);
  return localSigner(hexToBytes(text.trim()), crypto.subtle);
}
