import { assert } from "#shared/kernel/assert.ts";
import { answerCall } from "#shared/kernel/calls.ts";
import { err, type Result } from "#shared/kernel/result.ts";
import { createTrainer } from "../core/engine/trainer.ts";
import type { OpenError, ParticipantEnd } from "../core/participant/door.ts";
import type { ParticipantView } from "../core/view.ts";
import { BROWSER_BACKENDS, openEngineWorker } from "./engine-worker.ts";
import { holdForLife } from "./life-lock.ts";
import { openPageLink } from "./page-link.ts";
import type { ParticipantHere } from "./participant-here.ts";
import { openParticipantHere } from "./participant-open.ts";
import { platformAfter, platformClock, platformWall } from "./platform-ports.ts";
import type { FromWorker, MethodCall, ToWorker } from "./worker-rpc.ts";

/* The worker's half of the door, with one participant. All heavy work of a page runs here. */

/** Changes of the view within this time are sent together. */
const PATCH_MS = 30;

const tell = (message: FromWorker) => globalThis.postMessage(message);
/** Fires the page's `offline` and `online`. */
const network = new EventTarget();
let participant: ParticipantHere | null = null;
let pending: Partial<ParticipantView> | null = null;

globalThis.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  switch (data.kind) {
    case "open":
      void open(data);
      return;
    case "ping":
      tell({ kind: "pong" });
      return;
    case "visibility":
      participant?.setHidden(data.hidden);
      return;
    case "network":
      network.dispatchEvent(new Event(data.event));
      return;
    case "call":
      void answerCall(data, perform, tell);
      return;
  }
};

async function open({ options, hidden, life }: Extract<ToWorker, { kind: "open" }>): Promise<void> {
  const trainer = createTrainer(
    { openWorker: openEngineWorker, clock: platformClock, wall: platformWall, after: platformAfter },
    BROWSER_BACKENDS,
  );
  const link = openPageLink(options.coordinatorUrl, network);
  // A browser that lends no storage refuses locks, too.
  const opened = await holdForLife(life)
    .then(() => openParticipantHere(options, link, trainer, onStorageEnd))
    .catch(storageFault);
  if (!opened.ok) {
    tell({ kind: "not-opened", error: opened.error });
    return;
  }
  participant = opened.value;
  participant.setHidden(hidden);
  participant.view.subscribe((patch) => {
    if (pending === null) setTimeout(flush, PATCH_MS);
    pending = { ...pending, ...patch };
  });
  tell({ kind: "opened", view: participant.view.get() });
}

function onStorageEnd(end: ParticipantEnd): void {
  tell({ kind: "ended", end });
}

/** Some private windows have no IndexedDB, and the disk may be full. */
function storageFault(fault: unknown): Result<never, OpenError> {
  const reason = fault instanceof Error ? fault.message : String(fault);
  return err({
    type: "unsupported",
    sentence: `This browser gives this page no storage (${reason}). Allow it, or use another window.`,
  });
}

async function perform({ method, args }: MethodCall): Promise<unknown> {
  assert(participant !== null, "the page calls after it was opened");
  const action = participant.actions[method] as (...args: readonly unknown[]) => Promise<unknown>;
  const value = await action(...args);
  // The page must see what an action changed before it sees the result.
  flush();
  return value;
}

function flush(): void {
  if (pending === null) return;
  const patch = pending;
  pending = null;
  tell({ kind: "view", patch });
}
