import { err, ok, type Result } from "#shared/kernel/result.ts";
import { SerialQueue } from "#shared/kernel/serial-queue.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";
import { DiskLow } from "../ports/outage.ts";
import type { CoordinatorPorts, StagedBlob } from "../ports/ports.ts";
import { RUN_IS_OWN, refused } from "./refusals.ts";

/** A file or a folder, as a list shows it. */
export interface ListedFile {
  /** Relative to the folder that was asked for. */
  readonly path: string;
  readonly isFolder: boolean;
  /** Null for a folder, and for a file that is made when it is read. */
  readonly byteCount: number | null;
}

/** A file to send. */
export interface ServedFile {
  readonly byteCount: number;
  readonly stream: ReadableStream<Uint8Array>;
}

/** Files of Chorus's own models and runs, which are made when they are read. */
export interface OwnFiles {
  /** Null if the folder is none of its own. Paths are below the folder. */
  list(projectId: string, folder: string): Promise<readonly ListedFile[] | null>;
  /** Null if it has no such file. */
  open(projectId: string, path: string): Promise<ServedFile | null>;
  /** Whether nobody else may write below this path. */
  isOwn(projectId: string, path: string): Promise<boolean>;
}

/** The disk's room is looked at again after so many bytes of a file. */
const ROOM_ASKED_EVERY = 16 * 2 ** 20;

/** Files of runs, models and versions, by path within a project. Rule L4. */
export class Artifacts {
  readonly #ports: Pick<CoordinatorPorts, "store" | "blobs" | "disk">;
  readonly #own: OwnFiles;
  /** Of all projects: one blob may be named by several. */
  readonly #files = new SerialQueue();

  constructor(ports: Pick<CoordinatorPorts, "store" | "blobs" | "disk">, own: OwnFiles) {
    this.#ports = ports;
    this.#own = own;
  }

  /** What is directly in the folder, by name. A file's own path lists nothing. */
  async list(projectId: string, folder: string): Promise<readonly ListedFile[]> {
    const own = await this.#own.list(projectId, folder);
    const rows = await this.#ports.store.listArtifacts(projectId, folder);
    const start = folder === "" ? 0 : folder.length + 1;
    const stored = rows.map(({ path, byteCount }) => ({ path: path.slice(start), byteCount }));
    const listed = new Map((own ?? []).map((file) => [file.path, file]));
    for (const { path, byteCount } of stored) {
      const slash = path.indexOf("/");
      const name = slash === -1 ? path : path.slice(0, slash);
      const isFolder = slash !== -1;
      listed.set(name, { path: name, isFolder, byteCount: isFolder ? null : byteCount });
    }
    return [...listed.values()].sort((left, right) => (left.path < right.path ? -1 : 1));
  }

  /** Errors: NOT_FOUND. */
  async open(projectId: string, path: string): Promise<Result<ServedFile, WireError>> {
    const own = await this.#own.open(projectId, path);
    if (own !== null) return ok(own);
    const row = await this.#ports.store.findArtifact(projectId, path);
    const stream = row === null ? null : await this.#ports.blobs.stream(row.blobHash);
    if (row === null || stream === null) return refused("NOT_FOUND", `There is no artifact at ${path}.`);
    return ok({ byteCount: row.byteCount, stream });
  }

  /**
   * Stores the file before it answers. Memory does not grow with its size.
   *
   * Errors: FORBIDDEN for files of Chorus itself, CONFLICT if the path is a folder or goes through a file, STORAGE_FULL.
   */
  async put(
    projectId: string,
    path: string,
    body: AsyncIterable<Uint8Array>,
    byteCount: number | null,
  ): Promise<Result<void, WireError>> {
    const { blobs, disk } = this.#ports;
    if (await this.#own.isOwn(projectId, path)) return refused("FORBIDDEN", RUN_IS_OWN);
    if (!(await disk.hasRoom(byteCount ?? undefined))) return err(wireError("STORAGE_FULL"));
    const clash = await this.#clash(projectId, path);
    if (clash !== null) return refused("CONFLICT", clash);
    const staged = await blobs.stage(this.#whileThereIsRoom(body));
    return this.#files.run(() => this.#keep(projectId, path, staged));
  }

  /** In turn with all removals, so that no blob goes that a row is about to name. */
  async #keep(projectId: string, path: string, staged: StagedBlob): Promise<Result<void, WireError>> {
    const { blobs, store } = this.#ports;
    const clash = await this.#clash(projectId, path);
    if (clash !== null) {
      await staged.discard();
      return refused("CONFLICT", clash);
    }
    const { hash, byteCount } = staged;
    await staged.keep();
    const unnamed = await store.putArtifact(projectId, { path, blobHash: hash, byteCount });
    if (unnamed !== null) await blobs.remove(unnamed);
    return ok(undefined);
  }

  /** A sender may not say how much is to come. */
  async *#whileThereIsRoom(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    let sinceAsked = 0;
    for await (const piece of body) {
      sinceAsked += piece.length;
      if (sinceAsked >= ROOM_ASKED_EVERY) {
        if (!(await this.#ports.disk.hasRoom())) throw new DiskLow();
        sinceAsked = 0;
      }
      yield piece;
    }
  }

  /** The file, or the folder with all that is in it. Errors: NOT_FOUND, FORBIDDEN. */
  remove(projectId: string, path: string): Promise<Result<void, WireError>> {
    return this.#files.run(async () => {
      const { blobs, store } = this.#ports;
      if (await this.#own.isOwn(projectId, path)) return refused("FORBIDDEN", RUN_IS_OWN);
      const isThere =
        (await store.findArtifact(projectId, path)) !== null ||
        (await store.listArtifacts(projectId, path)).length > 0;
      if (!isThere) return refused("NOT_FOUND", `There is no artifact at ${path}.`);
      for (const hash of await store.removeArtifacts(projectId, path)) await blobs.remove(hash);
      return ok(undefined);
    });
  }

  /** Why there can be no file at this path; null if there can. */
  async #clash(projectId: string, path: string): Promise<string | null> {
    const { store } = this.#ports;
    if ((await store.listArtifacts(projectId, path)).length > 0) return `${path} is a folder.`;
    const parts = path.split("/");
    for (let count = 1; count < parts.length; count++) {
      const above = parts.slice(0, count).join("/");
      if ((await store.findArtifact(projectId, above)) !== null) return `${above} is a file, not a folder.`;
    }
    return null;
  }
}
