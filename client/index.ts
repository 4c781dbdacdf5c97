import { err, type Result } from "#shared/kernel/result.ts";
import { siteAddressFault } from "#shared/protocol/site-address.ts";
import { openOverWorker } from "./adapters/participant-proxy.ts";
import { openSampleOver } from "./adapters/sample-proxy.ts";
import type { OpenError, Participant, ParticipantOptions } from "./core/participant/door.ts";
import type { Sample, SampleOptions } from "./core/sample/sample.ts";
import type { Workbench } from "./core/trial/workbench.ts";

export type { ImportRefusal, ImportReport } from "#shared/data/report.ts";
export type { Dataset } from "#shared/task/dataset.ts";
export type { BackendName } from "#shared/task/engine.ts";
export { storedTerms } from "./adapters/stored-terms.ts";
export { LOSS_WORDS } from "./core/engine/loss-words.ts";
export type * from "./core/participant/door.ts";
export { taskSlice } from "./core/participant/task-slice.ts";
export type { OwnReceipt } from "./core/round/own-receipt.ts";
export type * from "./core/sample/sample.ts";
export type { Calibration, EngineLoss } from "./core/training-facts.ts";
export { proposedClip } from "./core/trial/proposed-clip.ts";
export type * from "./core/trial/trial.ts";
export type { ModelTiming, Workbench } from "./core/trial/workbench.ts";

export type * from "./core/view.ts";

/*
 * The browser's door. Everything except this proxy runs in one worker: socket, training, masking, hashing, the
 * database.
 */

/**
 * Opens this browser's part in a task. Reads what is stored on the device, fetches the task and times the engines.
 * Sends nothing of the person's and does not connect until `start`.
 */
export async function openParticipant(options: ParticipantOptions): Promise<Result<Participant, OpenError>> {
  if (!globalThis.isSecureContext) {
    return err({
      type: "insecure-context",
      sentence:
        "This page came over plain HTTP from another machine, and browsers offer such pages no cryptography. Open it over https, or on the machine that the coordinator runs on.",
    });
  }
  if (typeof Worker === "undefined" || globalThis.indexedDB === undefined || navigator.locks === undefined) {
    return err({
      type: "unsupported",
      sentence:
        "This browser lacks workers, storage or locks, which taking part needs. Use a current Firefox, Chrome, Edge or Safari.",
    });
  }
  const { coordinatorUrl } = options;
  const fault = siteAddressFault(
    "The coordinator's address",
    URL.canParse(coordinatorUrl) ? new URL(coordinatorUrl) : null,
  );
  if (fault !== null) return err({ type: "bad-address", sentence: fault });
  const worker = new Worker(new URL("./adapters/participant.worker.ts", import.meta.url), { type: "module" });
  return openOverWorker(worker, options);
}

/** Reads a sample in a worker, to make a task from it. Nothing of it is sent. @param files  A CSV, a zip, or those of a folder. */
export function openSample(files: readonly File[], options: SampleOptions = {}): Sample {
  return openSampleOver(
    new Worker(new URL("./adapters/sample.worker.ts", import.meta.url), { type: "module" }),
    files,
    options,
  );
}

/**
 * Opens what this browser can say of a task that is being made. Engines run in a worker of their own; nothing is stored or
 * sent. Its code is loaded only now, since most pages need none of it. Pages and workers may call this.
 */
export async function openWorkbench(): Promise<Workbench> {
  const { workbenchHere } = await import("./adapters/workbench-open.ts");
  return workbenchHere();
}
