import { join } from "node:path";
import { present } from "#shared/kernel/assert.ts";
import { type Bytes, bytesToHex, hexToBytes } from "#shared/kernel/bytes.ts";
import type { MonotonicClock, Primitives, RandomBytes } from "#shared/kernel/ports.ts";
import { logOriginSchema } from "#shared/protocol/ids.ts";
import { folderFacts } from "./adapters/database/instance.ts";
import { openLogCheck } from "./adapters/log-check.ts";
import { LOG_FOLDER, openLogFiles } from "./adapters/log-files.ts";
import { openLogKeys, settleLogKey } from "./adapters/log-key.ts";
import { Sequencer } from "./core/audit/sequencer.ts";
import type { LeafStore } from "./core/ports/leaf-store.ts";
import type { Log, SettingStore } from "./core/ports/ports.ts";
import type { WitnessPort } from "./core/ports/witnesses.ts";

const ORIGIN_SETTING = "log-origin";
const KEY_SETTING = "log-first-key";

/** What of a database the log needs. */
export type LogStore = LeafStore & Pick<SettingStore, "getSetting" | "putSettingOnce">;

export interface PublicLogPorts {
  readonly store: LogStore;
  readonly dataDir: string;
  /** What the operator calls it; undefined for the name that it has. */
  readonly origin: string | undefined;
  readonly primitives: Primitives;
  readonly random: RandomBytes;
  readonly clock: MonotonicClock;
  readonly after: (delayMs: number, run: () => void) => () => void;
  readonly log: Log;
  readonly witnesses: readonly WitnessPort[];
}

/**
 * Opens the public log of a data folder; it has not begun yet. Its name and its first key are settings of the database, since devices agree to them
 * for the log's whole life.
 *
 * @throws Error that says what to do: a lost key, another name than before.
 */
export async function openPublicLog(ports: PublicLogPorts): Promise<Sequencer> {
  const { store, dataDir, random, origin: asked } = ports;
  const fault = logOriginFault(asked);
  if (fault !== null) throw new Error(fault);
  const firstKey = await store.getSetting(KEY_SETTING);
  const signers = await openLogKeys(dataDir, random, firstKey === null);
  const [current] = signers;
  const publicKey = await store.putSettingOnce(
    KEY_SETTING,
    bytesToHex(current?.publicKey ?? new Uint8Array(0)),
  );
  const origin = await store.putSettingOnce(ORIGIN_SETTING, asked ?? (await ownOrigin(dataDir)));
  if (asked !== undefined && origin !== asked)
    throw new Error(
      `The log is called ${origin}, which devices have agreed to. Start without --log-origin, or with that name.`,
    );
  const folder = join(dataDir, LOG_FOLDER);
  const { primitives, clock, after, log, witnesses } = ports;
  const key = { origin, publicKey: hexToBytes(publicKey) };
  const [files, check] = [openLogFiles(folder), openLogCheck(folder)];
  const system = { primitives, clock, random, after, log };
  const settleKey = (current: Bytes) => settleLogKey(dataDir, current);
  return new Sequencer({ ...system, store, files, check, signers, settleKey, key, witnesses });
}

/** True if a coordinator has begun a log on this database. */
export async function hasPublicLog(store: LogStore): Promise<boolean> {
  return (await store.getSetting(KEY_SETTING)) !== null;
}

/** What is wrong with a name for the log; null if nothing is, or none is given. */
export function logOriginFault(origin: string | undefined): string | null {
  if (origin === undefined || logOriginSchema.safeParse(origin).success) return null;
  return "--log-origin takes at most 128 printable ASCII characters without spaces and plus signs, such as learn.example.org/log.";
}

/** A log that nobody has named is called by its installation. */
async function ownOrigin(dataDir: string): Promise<string> {
  const { file } = await folderFacts(dataDir);
  return `chorus.invalid/${present(file, "the store was opened").instance}`;
}
