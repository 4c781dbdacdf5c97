import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { localSigner } from "#shared/crypto/signature.ts";
import { bytesToHex, hexToBytes } from "#shared/kernel/bytes.ts";
import type { RandomBytes, Signer } from "#shared/kernel/ports.ts";
import { createSecretFile } from "./secret-file.ts";

const FILE_NAME = "issuer.key";

/**
 * The Ed25519 key that certifies device identities: made once, kept in the data folder where only this user reads it
 * (never in the database, S11). Devices pin its public half, so a lost file means that every device must join anew.
 *
 * @throws Error with what to do, where the file is there but holds no key.
 */
export async function openIssuer(dataDir: string, random: RandomBytes): Promise<Signer> {
  const path = join(dataDir, FILE_NAME);
  const text =
    (await createSecretFile(path, dataDir, bytesToHex(random(32)))) ?? (await readFile(path, "utf8")).trim();
  if (!/^[0-9a-f]{64}$/.test(text)) {
    throw new Error(
      `${path} holds no issuer key. Restore it from a backup; without it devices must join anew.`,
    );
  }
  return localSigner(hexToBytes(text), crypto.subtle);
}
