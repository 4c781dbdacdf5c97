import type { Log } from "#coordinator/core/ports/ports.ts";
import type { Store } from "#coordinator/core/ports/store.ts";
import type { OpenedStore } from "../opened-store.ts";
import { logEntered } from "../tracking/entered-runs.ts";
import type { Pragmas } from "./connection.ts";
import type { Method } from "./messages.ts";
import { ReadingThread } from "./reading-thread.ts";
import { StoreThread } from "./store-thread.ts";

export interface SqliteOptions {
  /** Created if missing. */
  readonly path: string;
  /** Where the writing thread records the log's position. */
  readonly markPath: string;
  readonly projectId: string;
  readonly log: Log | undefined;
  /** Called if the writing thread ends by itself. The caller should stop and restart from the disk. */
  readonly onLost: (error: Error) => void;
}
export interface OpenedSqlite extends Omit<OpenedStore, "wasMade"> {
  readonly pragmas: Pragmas;
  /** Of the newest event. */
  readonly position: number;
}

/**
 * Which thread serves each method. The writing one also serves what rounds, launches and devices read: single
 * rows and logs. The other serves people and auditors, so that a list of 100,000 runs delays no round. Every
 * read sees the writes committed before it starts.
 */
const THREAD_OF: Readonly<Record<Method, "write" | "read">> = {
  append: "write",
  appendNext: "write",
  readStream: "write",
  readNotes: "read",
  listNotes: "read",
  auditLeaves: "read",
  stageLeaves: "write",
  findLeaves: "write",
  leavesAfter: "write",
  leavesBefore: "read",
  importLeaves: "write",
  logHead: "write",
  moveLogHead: "write",
  findTask: "write",
  listTaskVersions: "write",
  listTasks: "read",
  listVersions: "read",
  countTasks: "read",
  findPlaces: "write",
  openRunIds: "write",
  halfEndedRunIds: "write",
  nextRunNumber: "write",
  findRun: "write",
  listRuns: "read",
  findRound: "write",
  listRounds: "read",
  listModelVersions: "read",
  findOffer: "write",
  listModels: "read",
  findModel: "write",
  modelNumbers: "write",
  listAliases: "write",
  showTask: "read",
  showRun: "read",
  showRound: "read",
  findSlot: "write",
  findInput: "write",
  listInputs: "write",
  loadMaterial: "write",
  deleteMaterial: "write",
  unforgotten: "write",
  saveTranscript: "write",
  keepOpenings: "write",
  loadTranscript: "read",
  findTranscript: "read",
  loadOpenings: "read",
  listTranscripts: "write",
  deleteTranscript: "write",
  saveEvidence: "write",
  loadEvidence: "write",
  sealEvidence: "write",
  loadSealedEvidence: "read",
  deleteEvidence: "write",
  noteDevice: "write",
  hasDevice: "write",
  getSetting: "write",
  putSettingOnce: "write",
  listAccessRows: "write",
  enrol: "write",
  findEnrolments: "write",
  deleteEnrolments: "write",
  noteSite: "write",
  countJoins: "write",
  findProjectData: "write",
  deleteProjectData: "write",
  createAuthRecord: "write",
  findAuthRecords: "write",
  updateAuthRecords: "write",
  removeAuthRecords: "write",
  countAuthRecords: "write",
  listDocuments: "read",
  findDocument: "read",
  putDocument: "write",
  removeDocument: "write",
  changeDocuments: "write",
  nextExperimentNumber: "write",
  createTrackedRun: "write",
  findTrackedRun: "read",
  changeTrackedRun: "write",
  logBatch: "write",
  deleteRunTag: "write",
  putRunLinks: "write",
  searchTrackedRuns: "read",
  findOwnRuns: "read",
  countOwnRuns: "read",
  readOwnRuns: "read",
  hasRunName: "read",
  listRunNames: "read",
  metricHistory: "read",
  putArtifact: "write",
  findArtifact: "read",
  listArtifacts: "read",
  removeArtifacts: "write",
};

/**
 * Opens the store on a SQLite file: one thread writes, another reads.
 *
 * @throws SQLite's error, or one that says what to do if the file was made by a newer program.
 */
export async function openSqlite(options: SqliteOptions): Promise<OpenedSqlite> {
  const { path, markPath, projectId } = options;
  let isOpen = false;
  const writer = new StoreThread(
    (error) => {
      if (isOpen) options.onLost(error);
    },
    (entered) => logEntered(options.log, entered),
  );
  // Both threads start at once. The reader's connection opens later, because only the writer can create the
  // file.
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
    // The worker calls the method of the same name, so the types of `Store` hold.
    ...(Object.fromEntries(methods) as Pick<Store, Method>),
    ping: async () => {
      await Promise.all([writer.call("ping", []), reader.call("ping", [])]);
    },
    close: async () => {
      // The last connection to close moves the write-ahead log into the file and removes it.
      await reader.close();
      await writer.close();
    },
  };
  return { store, pragmas, instanceId, position, mark: (id) => writer.mark(id) };
}
