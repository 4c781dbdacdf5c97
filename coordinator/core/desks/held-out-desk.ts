import { bytesToHex } from "#shared/kernel/bytes.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { type Silence, watchSilence } from "#shared/kernel/silence.ts";
import type { HeldOutBegin, HeldOutUpload, TaskView } from "#shared/protocol/api.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";
import type { TaskSlug } from "#shared/protocol/ids.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import type { HeldOut } from "../coordinator.ts";
import type { CompleteUpload, HeldOutSets } from "../models/held-out-sets.ts";
import { DiskLow, outageCode, wireErrorOf } from "../ports/outage.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import { heldOutView } from "../views/held-out-view.ts";

type DeskPorts = Pick<
  CoordinatorPorts,
  "store" | "heldOutFiles" | "disk" | "random" | "log" | "clock" | "after"
>;

/** An upload, in memory only: a restart forgets what has not become a set. */
interface Upload extends CompleteUpload {
  readonly slug: TaskSlug;
  readonly stop: AbortController;
  /** Ends it if nothing is sent for too long. */
  readonly silence: Silence;
  /** All bytes have arrived. */
  isComplete: boolean;
  state: HeldOutUpload["state"];
  rowsChecked: number;
  checkedShare: number;
  refusal: HeldOutUpload["refusal"];
  set: HeldOutUpload["set"];
}

/** Takes uploads of held-out rows, and checks them behind the upload (E21). */
export class HeldOutDesk implements HeldOut {
  readonly #ports: DeskPorts;
  readonly #sets: HeldOutSets;
  /** By id, oldest first. */
  readonly #uploads = new Map<string, Upload>();

  constructor(ports: DeskPorts, sets: HeldOutSets) {
    this.#ports = ports;
    this.#sets = sets;
  }

  async beginHeldOut(
    slug: string,
    { byteCount, card, ...reading }: HeldOutBegin,
    actor: string,
  ): Promise<Result<HeldOutUpload, WireError>> {
    const { store, disk, random } = this.#ports;
    const stored = await store.findTask(slug);
    if (stored === null) return err(wireError("NOT_FOUND"));
    if (stored.settings.archived !== null) return err(wireError("CONFLICT", ARCHIVED));
    if (!(await disk.hasRoom(byteCount))) return err(wireErrorOf(new DiskLow()));
    const open = [...this.#uploads.values()].filter(isOpen);
    const ofTask = open.find((upload) => upload.slug === slug);
    if (ofTask !== undefined && ofTask.actor !== actor) {
      const detail = `${ofTask.actor} is uploading held-out rows for this task. Wait until that is over, or stop it.`;
      return err(wireError("CONFLICT", detail));
    }
    if (ofTask === undefined && open.length >= LIMITS.heldOutUploadsOpenMax)
      return err(wireError("RATE_LIMITED", "Too many uploads are under way. Try again in a moment."));
    // Whoever begins again has lost the other one.
    if (ofTask !== undefined) await this.#stop(ofTask);
    const uploadId = bytesToHex(random(16));
    const upload: Upload = {
      uploadId,
      silence: watchSilence(
        this.#ports,
        () => LIMITS.heldOutSilentMsMax,
        () => void this.#abandon(uploadId),
      ),
      isComplete: false,
      slug: stored.task.slug,
      reading,
      byteCount,
      card,
      actor,
      stop: new AbortController(),
      state: "receiving",
      rowsChecked: 0,
      checkedShare: 0,
      refusal: null,
      set: null,
    };
    this.#uploads.set(upload.uploadId, upload);
    this.#forgetOld();
    return ok(await this.#viewOf(upload));
  }

  async receiveHeldOut(
    slug: string,
    uploadId: string,
    part: Parameters<HeldOut["receiveHeldOut"]>[2],
  ): ReturnType<HeldOut["receiveHeldOut"]> {
    const upload = this.#find(slug, uploadId);
    if (upload === null) return err({ error: wireError("NOT_FOUND") });
    // A repeated part, after its answer was lost.
    if (upload.state !== "receiving") return ok(await this.#viewOf(upload));
    const { heldOutFiles } = this.#ports;
    const { offset, byteCount, body, free } = part;
    if (byteCount !== upload.byteCount)
      return err({
        error: wireError(
          "BAD_LENGTH",
          `This upload was announced with ${upload.byteCount} bytes, and ${byteCount} are sent. Begin again.`,
        ),
      });
    const heard = hearing(body, () => upload.silence.heard());
    const received = await heldOutFiles.receive({ uploadId, offset, byteCount }, heard, free);
    if (upload.state !== "receiving") {
      // Stopped or abandoned meanwhile.
      await heldOutFiles.discard(uploadId);
      return ok(await this.#viewOf(upload));
    }
    if (!received.ok) {
      switch (received.error.type) {
        case "bad-offset": {
          const reached = await heldOutFiles.offset(uploadId);
          return err({ error: wireError("CONFLICT", `Continue at byte ${reached}.`), reached });
        }
        case "bad-length":
          return err({ error: wireError("BAD_LENGTH", "More bytes came than were announced.") });
        case "storage-full":
          await this.#stop(upload);
          return err({ error: wireErrorOf(new DiskLow()) });
      }
    }
    if (received.value === "all-here") {
      upload.silence.end();
      Object.assign(upload, { state: "checking", isComplete: true });
      void this.#check(upload);
    }
    return ok(await this.#viewOf(upload));
  }

  async #check(upload: Upload): Promise<void> {
    const { heldOutFiles, log } = this.#ports;
    try {
      const checked = await this.#sets.check(
        upload,
        ({ rowsChecked, checkedShare }) => Object.assign(upload, { rowsChecked, checkedShare }),
        upload.stop.signal,
      );
      if (checked.ok) {
        const { rowCount } = checked.value;
        Object.assign(upload, { state: "set", set: checked.value, rowsChecked: rowCount, checkedShare: 1 });
        return;
      }
      const { problems, ...error } = checked.error;
      this.#refuse(upload, { error, problems: problems.slice(0, LIMITS.problemsListedMax) });
    } catch (error) {
      if (upload.state === "stopped") return;
      // The reason may name paths of this machine.
      log.warn({ task: upload.slug, error: String(error) }, "held-out rows could not be checked");
      const wire =
        outageCode(error) === null ? wireError("HELD_OUT_REFUSED", CHECK_FAILED) : wireErrorOf(error);
      this.#refuse(upload, { error: wire, problems: [] });
    } finally {
      await heldOutFiles.discard(upload.uploadId).catch(() => undefined);
    }
  }

  #refuse(upload: Upload, refusal: NonNullable<HeldOutUpload["refusal"]>): void {
    if (upload.state === "stopped") return;
    Object.assign(upload, { state: "refused", refusal });
  }

  async heldOutUpload(slug: string, uploadId: string): Promise<HeldOutUpload | null> {
    const upload = this.#find(slug, uploadId);
    return upload === null ? null : this.#viewOf(upload);
  }

  async heldOutState(slug: string): ReturnType<HeldOut["heldOutState"]> {
    const stored = await this.#ports.store.showTask(slug);
    if (stored === null) return null;
    const own = [...this.#uploads.values()].filter((upload) => upload.slug === slug);
    const uploads = await Promise.all(own.reverse().map((upload) => this.#viewOf(upload)));
    const set: TaskView["heldOut"] = heldOutView(stored.settings.heldOut, stored.task.version);
    return { set: set ?? null, uploads };
  }

  async stopHeldOut(slug: string, uploadId: string): Promise<Result<HeldOutUpload, WireError>> {
    const upload = this.#find(slug, uploadId);
    if (upload === null) return err(wireError("NOT_FOUND"));
    if (!isOpen(upload)) return err(wireError("CONFLICT", "This upload is over. Nothing was changed."));
    await this.#stop(upload);
    return ok(await this.#viewOf(upload));
  }

  removeHeldOut(slug: string, actor: string): Promise<Result<void, WireError>> {
    return this.#sets.remove(slug, actor);
  }

  #find(slug: string, uploadId: string): Upload | null {
    const upload = this.#uploads.get(uploadId);
    return upload?.slug === slug ? upload : null;
  }

  async #stop(upload: Upload): Promise<void> {
    upload.state = "stopped";
    upload.silence.end();
    upload.stop.abort(new Error("the upload was stopped"));
    await this.#ports.heldOutFiles.discard(upload.uploadId);
  }

  /** Its sender is gone, so that nobody would ever stop it. */
  async #abandon(uploadId: string): Promise<void> {
    const upload = this.#uploads.get(uploadId);
    if (upload?.state !== "receiving") return;
    this.#refuse(upload, { error: wireError("REQUEST_TIMEOUT", ABANDONED), problems: [] });
    const { heldOutFiles, log } = this.#ports;
    try {
      await heldOutFiles.discard(uploadId);
    } catch (error) {
      // The next start deletes it.
      log.warn({ task: upload.slug, error: String(error) }, "an abandoned upload could not be deleted");
    }
  }

  /** Ends the waiting for bytes. What has arrived is deleted at the next start. */
  close(): void {
    for (const { silence } of this.#uploads.values()) silence.end();
  }

  #forgetOld(): void {
    for (const [uploadId, upload] of this.#uploads) {
      if (this.#uploads.size <= LIMITS.heldOutUploadsKeptMax) return;
      if (!isOpen(upload)) this.#uploads.delete(uploadId);
    }
  }

  async #viewOf(upload: Upload): Promise<HeldOutUpload> {
    const { uploadId, slug, reading, byteCount, state, isComplete } = upload;
    const { rowsChecked, checkedShare, refusal, set } = upload;
    let receivedByteCount = 0;
    if (state === "receiving") receivedByteCount = await this.#ports.heldOutFiles.offset(uploadId);
    else if (isComplete && state !== "stopped") receivedByteCount = byteCount;
    return {
      uploadId,
      task: slug,
      format: reading.format,
      byteCount,
      state,
      receivedByteCount,
      rowsChecked,
      checkedShare,
      refusal,
      set,
    };
  }
}

const ABANDONED = `Nothing was sent for ${LIMITS.heldOutSilentMsMax / 60_000} minutes, so this upload has ended. Nothing was stored. Begin again.`;
const ARCHIVED = "This task is archived. Publish a new version to take it up again.";
const CHECK_FAILED =
  "The rows could not be checked: the file may be damaged, or larger than this coordinator's memory. Nothing was stored.";

/** Calls `onPiece` before each piece is given on. */
async function* hearing(body: AsyncIterable<Uint8Array>, onPiece: () => void): AsyncGenerator<Uint8Array> {
  for await (const piece of body) {
    onPiece();
    yield piece;
  }
}

function isOpen({ state }: Upload): boolean {
  return state === "receiving" || state === "checking";
}
