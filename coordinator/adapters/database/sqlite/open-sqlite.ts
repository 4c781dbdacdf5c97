import type { Log } from "#coordinator/core/ports.ts";
import type { Store } from "#coordinator/core/store.ts";
import type { OpenedStore } from "../open-store.ts";
import type { Pragmas } from "./connection.ts";
import type { Method } from "./messages.ts";
import { ReadingThread } from "./reading-thread.ts";
import { StoreThread } from "./store-thread.ts";

export interface SqliteOptions {
  /** Made if it is missing. */
  readonly path: string;
  /** Where the writing thread notes how far the log has come. */
  readonly markPath: string;
  readonly projectId: string;
  readonly log: Log | undefined;
  /** The writing thread ended on its own: stop, and start again from the disk. */
  readonly onLost: (error: Error) => void;
}
export interface OpenedSqlite extends Omit<OpenedStore, "wasMade"> {
  readonly pragmas: Pragmas;
  /** Of the newest event. */
  readonly position: number;
}

/**
 * Which thread serves a method. Whatever writes or stands in the way of a round goes to the writing one; what people
 * and auditors look at goes to the reading one, so that a list of 100,000 runs delays no round. A committed write is
 * seen by every read that starts after it.
 */
const THREAD_OF: Readonly<Record<Method, "write" | "read">> = {
  append: "write",
  appendNext: "write",
  readStream: "read",
  readShown: "read",
  listEvents: "read",
  auditLeaves: "read",
  findTask: "read",
  listTasks: "read",
  openRunIds: "read",
  halfEndedRunIds: "read",
  nextRunNumber: "write",
  findRun: "read",
  listRuns: "read",
  findRound: "read",
  listRounds: "read",
  listModelVersions: "read",
  findOffer: "write",
  findSlot: "write",
  acceptInput: "write",
  // Of a round that is over, for its device or an auditor.
  findInput: "read",
  listInputs: "write",
  saveMaterial: "write",
  loadMaterial: "write",
  deleteMaterial: "write",
  unforgotten: "read",
  saveTranscript: "write",
  keepOpenings: "write",
  loadTranscript: "read",
  findTranscript: "read",
  loadOpenings: "read",
  listTranscripts: "read",
  deleteTranscript: "write",
  saveEvidence: "write",
  loadEvidence: "write",
  sealEvidence: "write",
  loadSealedEvidence: "read",
  deleteEvidence: "write",
  putJoinToken: "write",
  useJoinToken: "write",
  noteDevice: "write",
  getSetting: "read",
  putSettingOnce: "write",
};

/**
 * The store on a SQLite file: one thread writes, another reads.
 *
 * @throws SQLite's error, or one that says what to do if the file was made by a newer program.
 */
export async function openSqlite(options: SqliteOptions): Promise<OpenedSqlite> {
  const { path, markPath, projectId } = options;
  let isOpen = false;
  const writer = new StoreThread((error) => {
    if (isOpen) options.onLost(error);
  });
  // Its thread starts beside the other's; its connection cannot make the file and waits for it.
  const reader = new ReadingThread({
    start: (onLost) => new StoreThread(onLost),
    request: { path, markPath, access: "read", projectId },
    log: options.log,
  });
  const { pragmas, instanceId, position } = await writer
    .open({ path, markPath, access: "write", projectId })
    .catch(async (error: unknown) => {
      await reader.close();
      await writer.close().catch(() => undefined);
      throw error;
    });
  isOpen = true;
  reader.open();
  const callers = {
    write: (method: Method, parameters: readonly unknown[]) => writer.call(method, parameters),
    read: (method: Method, parameters: readonly unknown[]) => reader.call(method, parameters),
  };
  const methods = Object.entries(THREAD_OF).map(([method, thread]) => [
    method,
    (...parameters: unknown[]) => callers[thread](method as Method, parameters),
  ]);
  const store: Store = {
    kind: "embedded",
    // The worker calls the method of the same name, so the types are those of `Store`.
    ...(Object.fromEntries(methods) as Pick<Store, Method>),
    ping: async () => {
      await Promise.all([writer.call("ping", []), reader.call("ping", [])]);
    },
    close: async () => {
      // The last to close takes the write-ahead log into the file and removes it.
      await reader.close();
      await writer.close();
    },
  };
  return { store, pragmas, instanceId, position, mark: (id) => writer.mark(id) };
}
