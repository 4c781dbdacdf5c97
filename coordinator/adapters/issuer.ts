import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { localSigner } from "#shared/crypto/signature.ts";
import { bytesToHex, hexToBytes } from "#shared/kernel/bytes.ts";
import type { RandomBytes, Signer } from "#shared/kernel/ports.ts";
import { createSecretFile, removePartials } from "./secret-file.ts";
import { isErrorCode } from "./system-errors.ts";

export const ISSUER_FILE = "issuer.key";

/**
 * Makes the Ed25519 key that certifies device identities, unless the folder has one. It is kept in a file that
 * only this user can read, never in the database (S11). Needs the folder's lock.
 */
export async function makeIssuer(dataDir: string, random: RandomBytes): Promise<void> {
  const path = join(dataDir, ISSUER_FILE);
  // A start that is killed here is repeated, because its instance is not confirmed yet.
  await removePartials(path, dataDir);
  await createSecretFile(path, dataDir, bytesToHex(random(32)));
}

/**
 * Reads that key. Devices pin its public half, so a lost one is never replaced silently (D10).
 *
 * @throws Error that says what to do if the file is missing or holds no key.
 */
export async function openIssuer(dataDir: string): Promise<Signer> {
  const path = join(dataDir, ISSUER_FILE);
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    if (isErrorCode(error, "ENOENT")) throw new Error(missingIssuer(dataDir));
    throw error;
  });
  if (!/^[0-9a-f]{64}\s*$/.test(text)) throw new Error(lost(`${path} holds no issuer key`));
  return localSigner(hexToBytes(text.trim()), crypto.subtle);
}

/** The sentence for a folder that has lost its key. */
export function missingIssuer(dataDir: string): string {
  return lost(`${join(dataDir, ISSUER_FILE)} is missing`);
}

function lost(what: string): string {
  return `${what}. Restore it from a backup. Without it every device must join again, so it is not made anew; to start over, choose another --data folder.`;
}
