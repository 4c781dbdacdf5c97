import { join } from "node:path";
import { present } from "#shared/kernel/assert.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import { primitives } from "#shared/node/system.ts";
import { type Checkpoint, openCheckpoint, parseCheckpoint } from "#shared/tlog/checkpoint.ts";
import {
  parseNote,
  parseVerifierKey,
  SIGNATURE_TYPES,
  type VerifierKey,
  verifierKey,
} from "#shared/tlog/note.ts";
import { formatReceipt } from "#shared/tlog/receipt.ts";
import { openTiledTree } from "#shared/tlog/tiled-tree.ts";
import { TILE_WIDTH } from "#shared/tlog/tiles.ts";
import { lockDataFolder } from "../../adapters/folder-lock.ts";
import { LOG_FOLDER, openLogFiles, trustLog } from "../../adapters/log-files.ts";
import { LOG_KEY_FILE, readLogKeys } from "../../adapters/log-key.ts";
import { checkLog } from "../../core/audit/check-log.ts";
import type { LogFiles } from "../../core/ports/public-log.ts";
import { keyAfter } from "./key-after.ts";
import type { LogOptions } from "./options.ts";
import { rotate } from "./rotate.ts";
import { verifyFile } from "./verify-file.ts";

/** @returns The exit code. @throws Error that says what to do. */
export async function performLog(options: LogOptions): Promise<number> {
  switch (options.verb) {
    case "fsck":
      return fsck(options.dataDir, options.key);
    case "prove":
      return prove(options.dataDir, options.index);
    case "verify":
      return verifyFile(options.file, options.key, options.quorum);
    case "trust":
      return trust(options.dataDir);
    case "rotate":
      return rotate(options.dataDir, options.databaseUrl);
  }
}

async function givenKey(text: string): Promise<VerifierKey> {
  const key = await parseVerifierKey(primitives, text);
  if (!key.ok) throw new Error(key.error.sentence);
  return key.value;
}

/** The log's own keys, in its data folder. @throws Error that says what to do if there is none. */
async function ownKeys(dataDir: string, origin: string): Promise<readonly VerifierKey[]> {
  const signers = await readLogKeys(dataDir);
  if (signers === null)
    throw new Error(
      `${dataDir} has no ${LOG_KEY_FILE} to check the signature with. Give the key with --key.`,
    );
  return Promise.all(
    signers.map(({ publicKey }) => verifierKey(primitives, origin, SIGNATURE_TYPES.ed25519, publicKey)),
  );
}

/** A key and all that the log's entries hand over to from it. Entries of a damaged log lead nowhere. */
async function keysFrom(
  key: VerifierKey,
  checkpoint: Checkpoint,
  files: Pick<LogFiles, "read">,
): Promise<readonly VerifierKey[]> {
  const keys = [key];
  const tree = await openTiledTree(primitives, checkpoint, files.read);
  for (let begin = 0; tree.ok && begin < checkpoint.size; begin += TILE_WIDTH) {
    const leaves = await tree.value.leaves(begin, Math.min(checkpoint.size, begin + TILE_WIDTH));
    if (!leaves.ok) break;
    for (const bytes of leaves.value) {
      const next = await keyAfter(bytes, present(keys.at(-1), "there is the first"));
      if (next !== null) keys.push(next);
    }
  }
  return keys;
}

interface FoundLog {
  readonly note: string;
  readonly checkpoint: Checkpoint;
}

/** @throws Error that says what to do if there is none. */
async function findLog(dataDir: string): Promise<FoundLog> {
  const note = await openLogFiles(join(dataDir, LOG_FOLDER)).checkpoint();
  if (note === null)
    throw new Error(`${dataDir} has no log that was signed. Name a coordinator's folder with --data.`);
  const parsed = parseNote(note);
  const checkpoint = parsed.ok ? parseCheckpoint(parsed.value.text) : parsed;
  if (!checkpoint.ok) throw new Error(`The log's checkpoint is damaged. ${checkpoint.error.sentence}`);
  return { note, checkpoint: checkpoint.value };
}

async function fsck(dataDir: string, given: string | undefined): Promise<number> {
  const { note, checkpoint } = await findLog(dataDir);
  const files = openLogFiles(join(dataDir, LOG_FOLDER));
  const keys =
    given === undefined
      ? await ownKeys(dataDir, checkpoint.origin)
      : await keysFrom(await givenKey(given), checkpoint, files);
  const whose = given === undefined ? `the key in ${LOG_KEY_FILE}` : "this key or one that follows from it";
  const opened = await Promise.all(keys.map((key) => openCheckpoint(primitives, note, key)));
  if (!opened.some(({ ok }) => ok)) {
    const why = opened.map((each) => (each.ok ? "" : each.error.type)).join(", ");
    console.error(`WRONG: the checkpoint does not hold under ${whose} (${why}).`);
    return 1;
  }
  const fault = await checkLog({ primitives, files }, checkpoint);
  if (fault !== null) {
    console.error(`WRONG: ${fault.path} is ${fault.type === "no-tile" ? "missing" : "damaged"}.`);
    return 1;
  }
  const doubt = await files.doubt();
  if (doubt !== null) console.log(doubt);
  console.log(
    `All ${checkpoint.size} entries of ${checkpoint.origin} are under its checkpoint, signed by ${whose}.`,
  );
  return 0;
}

async function prove(dataDir: string, index: number): Promise<number> {
  const { note, checkpoint } = await findLog(dataDir);
  if (index >= checkpoint.size)
    throw new Error(`The checkpoint has ${checkpoint.size} entries, so the last is ${checkpoint.size - 1}.`);
  const read = openLogFiles(join(dataDir, LOG_FOLDER)).read;
  const tree = await openTiledTree(primitives, checkpoint, read);
  const path = tree.ok ? await tree.value.inclusion(index) : tree;
  const leaves = tree.ok ? await tree.value.leaves(index, index + 1) : tree;
  if (!path.ok || !leaves.ok) throw new Error("A file of the log is damaged. Ask npm run log -- fsck.");
  const leaf: Bytes = present(leaves.value[0], "a leaf of the tree");
  process.stdout.write(formatReceipt({ extra: leaf, index, path: path.value, checkpoint: note }));
  return 0;
}

async function trust(dataDir: string): Promise<number> {
  const lock = lockDataFolder(dataDir);
  try {
    const isTrusted = await trustLog(join(dataDir, LOG_FOLDER));
    console.log(
      isTrusted
        ? "The log is taken as the newest. It signs from the next start on."
        : "Nobody doubts this log.",
    );
    return 0;
  } finally {
    lock.release();
  }
}
