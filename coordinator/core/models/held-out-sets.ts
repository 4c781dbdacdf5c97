import { canonicalJson, type Json } from "#shared/codec/canonical-json.ts";
import { DOMAINS } from "#shared/crypto/domains.ts";
import { E } from "#shared/crypto/encode.ts";
import { assert } from "#shared/kernel/assert.ts";
import { bytesToHex, hexToBytes } from "#shared/kernel/bytes.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { SerialQueue } from "#shared/kernel/serial-queue.ts";
import { loggedInProject, type ProjectEvent } from "#shared/project/log.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";
import type { HashHex } from "#shared/protocol/ids.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import {
  type HeldOutCard,
  type HeldOutReading,
  type HeldOutSet,
  judges,
  type StoredHeldOut,
  shownHeldOut,
} from "#shared/task/held-out.ts";
import type { Task } from "#shared/task/task.ts";
import { MACHINE } from "../access/principal.ts";
import type {
  CheckProgress,
  CoordinatorPorts,
  HeldOutRows,
  StoredTask,
  StoreRecord,
} from "../ports/ports.ts";
import { ALL_READABLE } from "../ports/store.ts";

/** A check while a version is being published ends after this time, also if it still waits for its turn. */
const PUBLISHING_MS = 20_000;

type SetPorts = Pick<
  CoordinatorPorts,
  "store" | "heldOutFiles" | "wall" | "random" | "primitives" | "after" | "log"
>;

/** An upload whose bytes are all here. */
export interface CompleteUpload {
  readonly uploadId: string;
  readonly slug: string;
  readonly reading: HeldOutReading;
  readonly byteCount: number;
  readonly card: HeldOutCard;
  readonly actor: string;
}

export type SetRefusal = Pick<WireError, "code" | "message" | "retry"> & {
  readonly problems: readonly { readonly row: number | null; readonly sentence: string }[];
};

/** The rows that judge models of this version now; null if only devices do. */
export async function heldOutRows(
  store: Pick<CoordinatorPorts["store"], "findTask">,
  { slug, version }: Pick<Task, "slug" | "version">,
): Promise<(HeldOutSet & HeldOutRows) | null> {
  const { heldOut: set = null, operatingPoint } = (await store.findTask(slug, version))?.settings ?? {};
  if (set === null || !judges(set, version)) return null;
  return { ...shownHeldOut(set), ...(operatingPoint !== undefined && { operatingPoint }) };
}

/** The sets of held-out rows in use: a setting of each task, changed by an event with a leaf (E20). */
export class HeldOutSets {
  readonly #ports: SetPorts;
  /** One change at a time, so that each is checked against the newest version. */
  readonly #changes = new SerialQueue();

  constructor(ports: SetPorts) {
    this.#ports = ports;
  }

  /**
   * Checks every row of an upload against the newest version, and has it judge the task's models from now on. Nothing is
   * stored of one that is refused.
   *
   * @throws the signal's reason, and outages of store or disk.
   */
  check(
    upload: CompleteUpload,
    onProgress: (progress: CheckProgress) => void,
    signal: AbortSignal,
  ): Promise<Result<HeldOutSet, SetRefusal>> {
    return this.#checkAndSet(upload, onProgress, signal, null);
  }

  async #checkAndSet(
    upload: CompleteUpload,
    onProgress: (progress: CheckProgress) => void,
    signal: AbortSignal,
    checkedFor: Task | null,
  ): Promise<Result<HeldOutSet, SetRefusal>> {
    const { store, heldOutFiles } = this.#ports;
    const { uploadId, slug, reading } = upload;
    const stored = await store.findTask(slug);
    if (stored === null) return refused(wireError("NOT_FOUND", "The task was deleted meanwhile."));
    assert(
      checkedFor === null || !sameRows(checkedFor, stored.task),
      "the rows were checked for this version",
    );
    const checked = await heldOutFiles.check({ uploadId }, reading, stored.task, onProgress, signal);
    if (!checked.ok) return err({ ...checked.error.error, problems: checked.error.problems });
    const done = await this.#changes.run(async () => {
      signal.throwIfAborted();
      const now = await store.findTask(slug);
      if (now === null) return refused(wireError("NOT_FOUND", "The task was deleted meanwhile."));
      // A version that was published meanwhile may take other rows.
      if (!sameRows(now.task, stored.task)) return null;
      const { byteCount, card, actor } = upload;
      const set: HeldOutSet = {
        ...checked.value,
        hash: checked.value.hash as HashHex,
        ...reading,
        byteCount,
        card,
        versions: await this.#versionsLike(now.task),
        setAt: new Date(this.#ports.wall.nowUnixMs()).toISOString(),
        setBy: actor,
      };
      return ok(await this.#set(now, uploadId, set));
    });
    return done ?? this.#checkAndSet(upload, onProgress, signal, stored.task);
  }

  /** The versions that take the same rows as this newest one, ascending. */
  async #versionsLike(newest: Task): Promise<number[]> {
    const { store } = this.#ports;
    const versions: number[] = [];
    for (const version of await store.listTaskVersions(newest.slug)) {
      const stored = version < newest.version ? await store.findTask(newest.slug, version) : null;
      if (stored !== null && sameRows(stored.task, newest)) versions.push(version);
    }
    return [...versions, newest.version];
  }

  async #set(stored: StoredTask, uploadId: string, set: HeldOutSet): Promise<HeldOutSet> {
    const { heldOutFiles, random } = this.#ports;
    const known = stored.settings.heldOut;
    const { slug } = stored.task;
    // The file is durable before anything names it.
    await heldOutFiles.keep(uploadId, slug, set.hash);
    // A change without effect is no event.
    if (known !== null && sameSet(shownHeldOut(known), set)) return shownHeldOut(known);
    const kept: StoredHeldOut = { ...set, salt: bytesToHex(random(32)) as HashHex };
    await this.#append(
      stored,
      { type: "held-out-set", slug, set, replaces: known?.hash ?? null, actor: set.setBy },
      { type: "task-settings", slug, changes: { heldOut: kept } },
      [
        // Leaves hold no free text, and no hash by which someone who has the rows could tell that they are these.
        {
          kind: "task.heldOutSet",
          body: { version: 1, slug, mark: await this.#markOf(kept), rowCount: set.rowCount },
        },
        ...(known === null || known.hash === set.hash ? [] : [rowsDeleted(slug, known)]),
      ],
    );
    await heldOutFiles.remove(slug, set.hash);
    return set;
  }

  /** From now on devices alone judge the task's models. Errors: NOT_FOUND. CONFLICT if they do already. */
  remove(slug: string, actor: string): Promise<Result<void, WireError>> {
    return this.#changes.run(async () => {
      const stored = await this.#ports.store.findTask(slug);
      if (stored === null) return err(wireError("NOT_FOUND"));
      const set = stored.settings.heldOut;
      if (set === null)
        return err(wireError("CONFLICT", "This task has no held-out rows. Nothing was changed."));
      await this.#append(
        stored,
        { type: "held-out-removed", slug: stored.task.slug, hash: set.hash, actor },
        { type: "task-settings", slug, changes: { heldOut: null } },
        [
          { kind: "task.heldOutRemoved", body: { version: 1, slug, mark: await this.#markOf(set) } },
          rowsDeleted(slug, set),
        ],
      );
      await this.#ports.heldOutFiles.remove(slug, null);
      return ok(undefined);
    });
  }

  /** What the public log calls a set; null for one of before there were marks. */
  async #markOf({ salt, hash }: StoredHeldOut): Promise<string | null> {
    if (salt === undefined) return null;
    const marked = E(DOMAINS.heldOut, hexToBytes(salt), hexToBytes(hash));
    return bytesToHex(await this.#ports.primitives.sha256(marked));
  }

  async #append(
    { projectId }: StoredTask,
    event: ProjectEvent,
    settings: Extract<StoreRecord, { type: "task-settings" }>,
    leaves: readonly { readonly kind: string; readonly body: unknown }[],
  ): Promise<void> {
    const written = await this.#ports.store.appendNext(
      { kind: "project", id: projectId },
      { at: this.#ports.wall.nowUnixMs(), event: loggedInProject(event) },
      [settings, ...leaves.map((leaf) => ({ type: "audit-leaf", ...leaf, actor: event.actor }) as const)],
    );
    assert(written.ok, "held-out rows are set, no task is made");
  }

  /**
   * Whether the rows in use fit a version that is about to be published, and if so, the set with that version. Rows are
   * read again only if the version takes others than those before.
   */
  async forVersion(
    previous: StoredTask,
    task: Task,
  ): Promise<{ readonly set: StoredHeldOut | null; readonly fault: string | null }> {
    const set = previous.settings.heldOut;
    if (set === null) return { set, fault: null };
    const withVersion = {
      ...set,
      versions: [...set.versions, task.version].sort((left, right) => left - right),
    };
    if (judges(set, previous.task.version) && sameRows(previous.task, task))
      return { set: withVersion, fault: null };
    const late = new AbortController();
    const cancel = this.#ports.after(PUBLISHING_MS, () => late.abort(new Error("it takes too long")));
    const unused = (reason: string) =>
      `The held-out rows in use are not used for version ${task.version}, so devices alone judge its models. ${reason}`;
    try {
      const { heldOutFiles } = this.#ports;
      const place = { slug: task.slug, hash: set.hash };
      const checked = await heldOutFiles.check(place, set, task, () => {}, late.signal);
      if (checked.ok) return { set: withVersion, fault: null };
      const { error, problems } = checked.error;
      const first = problems[0] === undefined ? "" : ` ${problems[0].sentence}`;
      return { set, fault: unused(`${error.message.replace(/ Nothing was stored\.$/, "")}${first}`) };
    } catch (error) {
      this.#ports.log.warn(
        { task: task.slug, error: String(error) },
        "held-out rows could not be checked again",
      );
      return {
        set,
        fault: unused("They could not be checked against it now; upload them again to use them."),
      };
    } finally {
      cancel();
    }
  }

  /** Makes rows that an earlier version's data folder has the sets of their tasks. */
  async adoptAll(): Promise<void> {
    let cursor: string | undefined;
    do {
      const page = await this.#ports.store.listTasks(
        { ...ALL_READABLE, archived: true },
        { limit: LIMITS.pageSizeMax, cursor },
      );
      for (const { task } of page.items) await this.adopt(task.slug);
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
  }

  /**
   * The same for one task; nothing happens if it has a set or no such rows. Rows that do not fit stay where they are.
   *
   * Errors: why they do not fit.
   */
  async adopt(slug: string): Promise<Result<void, SetRefusal>> {
    const { store, heldOutFiles, log, random } = this.#ports;
    const stored = await store.findTask(slug);
    if (stored === null || stored.settings.heldOut !== null) return ok(undefined);
    const { task } = stored;
    const earlier = await heldOutFiles.earlier(slug, task.version);
    if (earlier === null) return ok(undefined);
    const uploadId = bytesToHex(random(16));
    try {
      await earlier.copyInto(uploadId);
      const { format } = earlier;
      const byteCount = await heldOutFiles.offset(uploadId);
      const upload = { uploadId, slug, reading: { format }, byteCount, card: cardOf(task), actor: MACHINE };
      const set = await this.check(upload, () => {}, new AbortController().signal);
      if (set.ok) {
        await earlier.remove();
        return ok(undefined);
      }
      log.warn(
        { task: slug, error: set.error.message },
        "held-out rows of an earlier version cannot be used",
      );
      return set;
    } finally {
      await heldOutFiles.discard(uploadId);
    }
  }

  /** Does something that reads the settings of tasks and then writes them. */
  inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    return this.#changes.run(work);
  }
}

/** What the audit log keeps of rows that are deleted (A80). */
function rowsDeleted(slug: string, { rowCount }: HeldOutSet) {
  return { kind: "deletion.performed", body: { version: 1, what: "held-out-rows", count: rowCount, slug } };
}

function refused(error: WireError): Result<never, SetRefusal> {
  return err({ ...error, problems: [] });
}

/** True if rows that fit one version fit the other. */
function sameRows(left: Task, right: Task): boolean {
  return canonicalJson(left.features as Json) === canonicalJson(right.features as Json);
}

/** True apart from who set it and when. */
function sameSet(left: HeldOutSet, right: HeldOutSet): boolean {
  const { setAt, setBy } = left;
  return canonicalJson(left as Json) === canonicalJson({ ...right, setAt, setBy } as Json);
}

function cardOf({ dataCard }: Task): HeldOutCard {
  return {
    source: dataCard ?? "Not said.",
    licence: "As the source says.",
    ground: "Whoever runs this coordinator put the rows into its data folder.",
    collected: "As the source says.",
  };
}
