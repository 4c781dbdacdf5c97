import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Spool } from "#coordinator/core/ports/ports.ts";
import { storeTrouble } from "#coordinator/core/ports/store-trouble.ts";
import { assert } from "#shared/kernel/assert.ts";
import type { Position } from "#shared/kernel/places.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import { err, ok } from "#shared/kernel/result.ts";
import { syncFolder } from "#shared/node/durable-files.ts";
import { byteCountOf } from "#shared/node/read-files.ts";
import type { Intake } from "./intake.ts";
import { type BodySource, Cut, receiveInto } from "./receive-body.ts";
import { chunkReader } from "./spool-chunks.ts";

type Upload = Parameters<Spool["receive"]>[0];
type Received = Awaited<ReturnType<Spool["receive"]>>;

const SID = /^[0-9a-z]+$/i;

/** An upload in progress. A newer one for the same slot cuts it and waits for its end. */
interface Turn {
  readonly cut: Cut;
  readonly ended: Promise<unknown>;
}

/**
 * Uploads on disk: `<sid>/<position>.part` while bytes arrive, `<sid>/<position>` once complete, verified and
 * durable. Memory is a few chunks per upload, whatever its length. The intake verifies what is on disk.
 *
 * Each slot takes one upload at a time. A newer one takes over, because the older connection is one that its
 * device has given up.
 */
export async function openSpool(
  folder: string,
  primitives: Primitives,
  intake: Pick<Intake, "verify" | "forget">,
): Promise<Spool> {
  await mkdir(folder, { recursive: true });
  const turns = new Map<string, Turn>();
  const chunks = chunkReader(primitives);
  const sessions = new SessionFolders();
  const pathOf = (sid: string, position: Position) => {
    // Values come from the database, but a path must not depend on that.
    assert(SID.test(sid) && Number.isInteger(position) && position >= 1, "not a slot");
    return join(folder, sid, String(position));
  };

  return {
    path: pathOf,
    chunk: (sid, position, index, root) => chunks.read(pathOf(sid, position), index, root),
    offset: async (sid, position) => {
      const path = pathOf(sid, position);
      return (await byteCountOf(path)) ?? (await byteCountOf(`${path}.part`)) ?? 0;
    },
    receive: async (upload, body, free = () => {}) => {
      const path = pathOf(upload.sid, upload.position);
      const older = turns.get(path);
      older?.cut.now();
      const cut = new Cut();
      const received = (older?.ended ?? Promise.resolve()).then(() =>
        receive(path, upload, { body, free }, { cut, intake, sessions }),
      );
      const turn: Turn = { cut, ended: received.catch(() => undefined) };
      turns.set(path, turn);
      try {
        return await received;
      } finally {
        if (turns.get(path) === turn) turns.delete(path);
      }
    },
    sessions: async () => (await readdir(folder)).filter((name) => SID.test(name)),
    discard: async (sid, kept = []) => {
      const session = join(folder, sid);
      // An upload under way would write its file again.
      for (const [path, turn] of turns) {
        if (dirname(path) !== session) continue;
        turn.cut.now();
        await turn.ended;
      }
      intake.forget(
        session,
        kept.map((position) => pathOf(sid, position)),
      );
      if (kept.length === 0) {
        sessions.forget(session);
        await rm(session, { recursive: true, force: true });
        return;
      }
      const keptNames = new Set(kept.map(String));
      for (const name of await readdir(session).catch(() => [])) {
        if (!keptNames.has(name)) await rm(join(session, name), { force: true });
      }
    },
  };
}

interface ReceiveParts {
  readonly cut: Cut;
  readonly intake: Pick<Intake, "verify">;
  readonly sessions: SessionFolders;
}

async function receive(
  path: string,
  upload: Upload,
  source: BodySource,
  { cut, intake, sessions }: ReceiveParts,
): Promise<Received> {
  if ((await byteCountOf(path)) !== null) {
    // It may already be acknowledged, so it stays whatever arrives now.
    if (!(await intake.verify(path, upload, null))) return err({ type: "bad-root" });
    // The sync after the rename may have failed, and a receipt must survive a power cut.
    await syncTogether(dirname(path));
    return ok("complete");
  }
  const part = `${path}.part`;
  let refusal: Extract<Received, { readonly ok: false }>;
  try {
    await sessions.make(dirname(path));
    const written = await receiveInto(part, upload, source, cut);
    if (written.ok && written.value === "partial") return ok("partial");
    if (written.ok && (await intake.verify(part, upload, path))) {
      await rename(part, path);
      await syncTogether(dirname(path));
      return ok("complete");
    }
    refusal = written.ok ? err({ type: "bad-root" }) : written;
  } catch (error) {
    if (storeTrouble(error) !== "full") throw error;
    refusal = err({ type: "storage-full" });
  }
  // Refused bytes are removed. No upload can resume from them, and a full disk needs the room.
  if (refusal.error.type !== "bad-offset") await rm(part, { force: true });
  return refusal;
}

/** The running sync of a folder and the one queued behind it. */
interface Syncs {
  readonly running: Promise<void>;
  next: Promise<void> | null;
}
const syncsByFolder = new Map<string, Syncs>();

/**
 * Like `syncFolder`, but shared by callers that ask meanwhile: a sync covers everything renamed before it
 * starts. Eight simultaneous uploads need a quarter of the syncs.
 */
function syncTogether(folder: string): Promise<void> {
  const known = syncsByFolder.get(folder);
  if (known !== undefined) {
    known.next ??= known.running.catch(() => undefined).then(() => begin());
    return known.next;
  }
  return begin();

  function begin(): Promise<void> {
    const syncs: Syncs = { running: syncFolder(folder), next: null };
    syncsByFolder.set(folder, syncs);
    const ended = () => {
      if (syncs.next === null) syncsByFolder.delete(folder);
    };
    syncs.running.then(ended, ended);
    return syncs.running;
  }
}

/** Session folders whose names are known to be durable. */
class SessionFolders {
  readonly #durable = new Set<string>();

  /** Resolves once the folder exists and its name is durable, even if another upload has just made it. */
  async make(folder: string): Promise<void> {
    const made = await mkdir(folder, { recursive: true });
    if (made === undefined && this.#durable.has(folder)) return;
    await syncTogether(dirname(folder));
    this.#durable.add(folder);
  }

  forget(folder: string): void {
    this.#durable.delete(folder);
  }
}
