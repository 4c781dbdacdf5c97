import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { WitnessMemory } from "#coordinator/core/audit/witness.ts";
import { localSigner } from "#shared/crypto/signature.ts";
import { bytesToHex, hexToBytes, utf8 } from "#shared/kernel/bytes.ts";
import type { Primitives, RandomBytes, Signer } from "#shared/kernel/ports.ts";
import { syncFolder, writeDurably } from "#shared/node/durable-files.ts";
import { readCheckpoint } from "#shared/tlog/checkpoint.ts";
import { formatVerifierKey, parseNote, SIGNATURE_TYPES, verifierKey } from "#shared/tlog/note.ts";
import { createSecretFile, removePartials } from "../secret-file.ts";
import { isErrorCode } from "../system-errors.ts";

/*
 * What a witness keeps:
 *
 * | in the folder            | holds                                                                              |
 * | ------------------------ | ---------------------------------------------------------------------------------- |
 * | witness.key              | its Ed25519 key, 32 bytes in hex, for this user alone                              |
 * | witness.vkey             | its verifier key, NAME+KEYID+KEY; written last, so that a folder with it is whole  |
 * | logs/{SHA-256 of origin} | the newest checkpoint of that log that it has signed                               |
 * | split/{the same}         | two checkpoints of one size that the log has signed over different roots           |
 */

const KEY_FILE = "witness.key";
const VERIFIER_KEY_FILE = "witness.vkey";
const LOGS_FOLDER = "logs";
const SPLIT_FOLDER = "split";
const PUBLIC_MODE = 0o644;

export interface WitnessFolder {
  readonly signer: Signer;
  /** NAME+KEYID+KEY. */
  readonly verifierKey: string;
  readonly memory: WitnessMemory;
}

/**
 * Opens the folder of a witness, and makes its key at the first start. Needs the folder's lock.
 *
 * @param name  Of the witness, for its whole life.
 * @throws Error that says what to do: another name than before, a key or a memory that is gone or damaged.
 */
export async function openWitnessFolder(
  primitives: Pick<Primitives, "sha256">,
  random: RandomBytes,
  folder: string,
  name: string,
): Promise<WitnessFolder> {
  const keyPath = join(folder, KEY_FILE);
  const logs = join(folder, LOGS_FOLDER);
  const known = (await textIfThere(join(folder, VERIFIER_KEY_FILE)))?.trim() ?? null;
  await removePartials(keyPath, folder);
  if (known === null && (await textIfThere(keyPath)) !== null)
    throw new Error(
      `${join(folder, VERIFIER_KEY_FILE)} is missing, so nobody knows what the key beside it has signed. Restore the file; if this witness never ran, delete the folder and start again.`,
    );
  if (known === null) {
    await mkdir(logs, { recursive: true });
    await syncFolder(folder);
    await createSecretFile(keyPath, folder, bytesToHex(random(32)));
  }
  const text = await textIfThere(keyPath);
  if (text === null || !/^[0-9a-f]{64}\s*$/.test(text))
    throw new Error(
      `${keyPath} ${text === null ? "is missing" : "holds no key"}. Those who trust this witness know its key, so it is not made anew. Restore the file, or begin another witness with another --state folder.`,
    );
  const signer = localSigner(hexToBytes(text.trim()), crypto.subtle);
  const own = formatVerifierKey(
    await verifierKey(primitives, name, SIGNATURE_TYPES.cosignature, signer.publicKey),
  );
  if (known !== null && known !== own)
    throw new Error(
      `This folder is of the witness ${known}. Start it with that name, or begin another witness with another --state folder.`,
    );
  await checkMemory(logs);
  // A process that was killed may have renamed a checkpoint that no power cut is to undo.
  await syncFolder(logs);
  if (known === null) await writeDurably(join(folder, VERIFIER_KEY_FILE), `${own}\n`, PUBLIC_MODE);
  return { signer, verifierKey: own, memory: memoryIn(primitives, folder) };
}

function memoryIn(primitives: Pick<Primitives, "sha256">, folder: string): WitnessMemory {
  const pathOf = async (part: string, origin: string) =>
    join(folder, part, bytesToHex(await primitives.sha256(utf8(origin))));
  return {
    latest: async (origin) => textIfThere(await pathOf(LOGS_FOLDER, origin)),
    keep: async (origin, note) => writeDurably(await pathOf(LOGS_FOLDER, origin), note, PUBLIC_MODE),
    async keepSplit(origin, notes) {
      const path = await pathOf(SPLIT_FOLDER, origin);
      // The first is proof enough.
      if ((await textIfThere(path)) === null) await writeDurably(path, notes.join("\n"), PUBLIC_MODE);
    },
  };
}

/** A witness that has lost what it signed may sign a second history, so it does not begin. */
async function checkMemory(logs: string): Promise<void> {
  const names = await readdir(logs).catch((error: unknown) => {
    if (!isErrorCode(error, "ENOENT", "ENOTDIR")) throw error;
    throw new Error(
      `${logs} is gone, and with it what this witness has signed. A witness that forgets must not sign under the same key: begin another one with another --state folder, and give its key to those who trust this one.`,
    );
  });
  for (const name of names) {
    const path = join(logs, name);
    // What a killed process left before its rename was never signed.
    if (name.endsWith(".partial")) await rm(path, { force: true });
    if (!/^[0-9a-f]{64}$/.test(name)) continue;
    const note = parseNote(await readFile(path, "utf8"));
    if (!note.ok || !readCheckpoint(note.value.text).ok)
      throw new Error(
        `${path} is damaged: it is no checkpoint. Restore it only from a copy made since this witness signed last; else begin another witness with another --state folder.`,
      );
  }
}

async function textIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isErrorCode(error, "ENOENT")) return null;
    throw error;
  }
}
