import { present } from "#shared/kernel/assert.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import type { Signer } from "#shared/kernel/ports.ts";
import { after, monotonicClock, primitives, randomBytes, wallClock } from "#shared/node/system.ts";
import { rotationBody } from "#shared/tlog/key-rotation.ts";
import { formatVerifierKey, SIGNATURE_TYPES, verifierKey } from "#shared/tlog/note.ts";
import { openStore } from "../../adapters/database/open-store.ts";
import { lockDataFolder } from "../../adapters/folder-lock.ts";
import { makeNextLogKey, readLogKeys } from "../../adapters/log-key.ts";
import type { Sequencer } from "../../core/audit/sequencer.ts";
import type { LeafStore } from "../../core/ports/leaf-store.ts";
import { hasPublicLog, type LogStore, openPublicLog } from "../../open-public-log.ts";

/** @returns The exit code. @throws Error that says what to do. */
export async function rotate(dataDir: string, databaseUrl: string | undefined): Promise<number> {
  if ((await readLogKeys(dataDir)) === null)
    throw new Error(`${dataDir} has no log whose key could change. Name a coordinator's folder with --data.`);
  const lock = lockDataFolder(dataDir);
  try {
    const alone = { onLost: raise, onRegained: () => {}, onTaken: raise };
    const store = await openStore({ dataDir, databaseUrl, alone });
    try {
      if (!(await hasPublicLog(store)))
        throw new Error(
          "The log has not begun. Start the coordinator once; a key that signed nothing needs no change.",
        );
      const { index, verifier } = await rotateKey(store, dataDir);
      console.log(`From entry ${index} on the log is signed by another key:\n${verifier}`);
      console.log(
        "Devices and pages follow by themselves. Whoever has pinned the key before takes this one: entry " +
          `${index} hands over to it, and 'npm run log -- prove ${index}' prints the proof. Backups from before have the old key.`,
      );
      return 0;
    } finally {
      await store.close();
    }
  } finally {
    lock.release();
  }
}

/**
 * Hands the log over to a new key, in this order:
 *
 * 1. the next key is durable, in log-next.key;
 * 2. the entry `log.keyRotated`, signed by the key before, is staged;
 * 3. the checkpoint that has it is signed by both keys and published;
 * 4. log-next.key becomes log.key, so that the key before is gone.
 *
 * After a kill from step 2 on, this or the coordinator's next start goes on, and nothing is handed over twice. Before it, nothing
 * has changed: the key of step 1 waits for the next time that this is asked for.
 *
 * @param store  Needs the folder's lock.
 * @throws Error that says what to do if the log signs nothing.
 */
export async function rotateKey(
  store: LogStore,
  dataDir: string,
): Promise<{ readonly index: number; readonly verifier: string }> {
  const [, pending] = (await readLogKeys(dataDir)) ?? [];
  // Ends a rotation that was killed last, and refuses a log that must not sign before a key is made.
  const origin = await signing(await openedLog(store, dataDir), async (log) => log.key.origin);
  if (pending !== undefined && (await readLogKeys(dataDir))?.length === 1)
    return rotatedTo(store, origin, pending);
  const next = await makeNextLogKey(dataDir, randomBytes);
  return signing(await openedLog(store, dataDir), async (log) => {
    const index =
      (await stagedRotation(store, origin, next)) ?? (await stageRotation(store, dataDir, origin, next));
    log.start();
    if (!(await log.covers(index))) throw new Error(troubleOf(log));
    return rotatedTo(store, origin, next);
  });
}

async function rotatedTo(store: LeafStore, origin: string, { publicKey }: Signer) {
  const index = present(await stagedRotation(store, origin, { publicKey }), "the key was handed over to");
  const named = await verifierKey(primitives, origin, SIGNATURE_TYPES.ed25519, publicKey);
  return { index, verifier: formatVerifierKey(named) };
}

async function openedLog(store: LogStore, dataDir: string): Promise<Sequencer> {
  const warn = (_: object, message: string) => console.error(message);
  const log = { info: () => {}, warn, error: () => {} };
  const opened = await openPublicLog({
    store,
    dataDir,
    origin: undefined,
    primitives,
    random: randomBytes,
    clock: monotonicClock,
    after,
    log,
    // They are asked at the coordinator's next start.
    witnesses: [],
  });
  await opened.open();
  return opened;
}

async function signing<Value>(log: Sequencer, act: (log: Sequencer) => Promise<Value>): Promise<Value> {
  try {
    if (log.state().type === "halted") throw new Error(troubleOf(log));
    return await act(log);
  } finally {
    await log.stop();
  }
}

function troubleOf(log: Sequencer): string {
  const state = log.state();
  return "sentence" in state ? state.sentence : "The log signs no more.";
}

/** Where an earlier try has handed over to this key; null if none has. */
async function stagedRotation(
  store: LeafStore,
  origin: string,
  next: Pick<Signer, "publicKey">,
): Promise<number | null> {
  const rotations = await store.findLeaves("log.keyRotated", origin);
  const found = rotations.findLast(({ body }) => body["to"] === bytesToHex(next.publicKey));
  return found === undefined ? null : found.sequence - 1;
}

async function stageRotation(
  store: LeafStore,
  dataDir: string,
  origin: string,
  next: Signer,
): Promise<number> {
  const [current] = (await readLogKeys(dataDir)) ?? [];
  if (current === undefined)
    throw new Error(`The log's key is gone from ${dataDir}. Restore it from a backup.`);
  const body = Object.assign({ version: 1 }, await rotationBody(current, origin, next.publicKey));
  return (await store.stageLeaves([{ kind: "log.keyRotated", body }], wallClock.nowUnixMs())) - 1;
}

function raise(reason: Error | string): never {
  throw reason instanceof Error ? reason : new Error(reason);
}
