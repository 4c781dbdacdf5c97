import { assert } from "#shared/kernel/assert.ts";
import { Calls } from "#shared/kernel/calls.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { type Silence, watchSilence } from "#shared/kernel/silence.ts";
import type { OpenError, Participant, ParticipantEnd, ParticipantOptions } from "../core/participant/door.ts";
import type { ParticipantView } from "../core/view.ts";
import { lifeLockName, onLifeEnd } from "./life-lock.ts";
import { platformAfter, platformClock } from "./platform-ports.ts";
import type { Actions, FromWorker, Method, MethodCall, ToWorker } from "./worker-rpc.ts";

/** A record instead of a list, so that the compiler finds a missing action. */
const METHODS: Readonly<Record<Method, true>> = {
  agree: true,
  withdraw: true,
  readTable: true,
  addTable: true,
  dropTable: true,
  leftOutRows: true,
  addDrawing: true,
  addImages: true,
  addSet: true,
  stopReading: true,
  readPicture: true,
  removeExample: true,
  start: true,
  pause: true,
  resume: true,
  leave: true,
  trustLogAnew: true,
  deleteMyData: true,
  setBackend: true,
  predict: true,
  heldBufferCount: true,
  bearer: true,
  contribution: true,
  receipt: true,
  downloadContribution: true,
  downloadContributions: true,
};

const PING_MS = 5_000;
/** A large file is read in one go, which may take a while on a phone. */
const SILENT_MS_MAX = 60_000;
/** The worker's code is downloaded first. */
const START_MS_MAX = 180_000;

const ENDED: ParticipantEnd = {
  type: "ended",
  sentence:
    "The browser has stopped the worker that takes part for this page, as it does when memory runs out.",
};
const SILENT: ParticipantEnd = {
  type: "silent",
  sentence:
    "The worker that takes part for this page has not answered for a minute or more, so it was stopped.",
};
const fault = (message: string): ParticipantEnd => ({
  type: "fault",
  sentence: `This page failed (${message.slice(0, 200)}), so it no longer takes part.`,
});

/**
 * The page's half. It forwards calls, merges changed slices into the view, and tells the worker when the tab is hidden.
 */
export function openOverWorker(
  worker: Worker,
  options: ParticipantOptions,
): Promise<Result<Participant, OpenError>> {
  const remote = new RemoteParticipant(worker, options);
  return remote.opened;
}

class RemoteParticipant {
  readonly opened: Promise<Result<Participant, OpenError>>;
  readonly #worker: Worker;
  readonly #calls: Calls<MethodCall>;
  readonly #listeners = new Set<() => void>();
  readonly #endListeners = new Set<(end: ParticipantEnd) => void>();
  readonly #silence: Silence;
  readonly #pings: ReturnType<typeof setInterval>;
  readonly #onVisibility = () => this.#tell({ kind: "visibility", hidden: isHidden() });
  readonly #onOffline = () => this.#tell({ kind: "network", event: "offline" });
  readonly #onOnline = () => this.#tell({ kind: "network", event: "online" });
  #view: ParticipantView | null = null;
  #end: ParticipantEnd | "closed" | null = null;
  #forgetLife: () => void = () => {};
  #resolveOpened: (opened: Result<Participant, OpenError>) => void = () => {};

  constructor(worker: Worker, options: ParticipantOptions) {
    this.#worker = worker;
    this.#calls = new Calls((call) => this.#tell(call));
    this.opened = new Promise((resolve) => {
      this.#resolveOpened = resolve;
    });
    const life = lifeLockName();
    // If the script could not be loaded, the event has no message.
    worker.onerror = ({ message }) => this.#stop(fault(message || "its code could not be loaded"));
    worker.onmessageerror = () => this.#stop(fault("a message could not be read"));
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#onMessage(data, life);
    this.#silence = watchSilence(
      { clock: platformClock, after: platformAfter },
      () => (this.#view === null ? START_MS_MAX : SILENT_MS_MAX),
      () => this.#stop(SILENT),
    );
    this.#pings = setInterval(() => this.#tell({ kind: "ping" }), PING_MS);
    this.#tell({ kind: "open", options, hidden: isHidden(), life });
  }

  #tell(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #onMessage(message: FromWorker, life: string): void {
    this.#silence.heard();
    switch (message.kind) {
      case "opened":
        this.#view = message.view;
        document.addEventListener("visibilitychange", this.#onVisibility);
        globalThis.addEventListener("offline", this.#onOffline);
        globalThis.addEventListener("online", this.#onOnline);
        // By now the worker holds its lock.
        this.#forgetLife = onLifeEnd(life, () => this.#stop(ENDED));
        this.#resolveOpened(ok(this.#participant()));
        return;
      case "not-opened":
        this.#stop("closed");
        this.#resolveOpened(err(message.error));
        return;
      case "view":
        if (this.#view !== null) this.#view = { ...this.#view, ...message.patch };
        for (const listener of this.#listeners) listener();
        return;
      case "done":
      case "failed":
        this.#calls.hear(message);
        return;
      case "ended":
        this.#stop(message.end);
        return;
      case "pong":
        return;
    }
  }

  #participant(): Participant {
    const actions = Object.fromEntries(
      Object.keys(METHODS).map((method) => [
        method,
        (...args: unknown[]) => this.#calls.ask({ method: method as Method, args }),
      ]),
    ) as unknown as Actions;
    return {
      ...actions,
      view: () => {
        assert(this.#view !== null, "opened with a view");
        return this.#view;
      },
      subscribe: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
      onEnd: (listener) => {
        if (this.#end !== null && this.#end !== "closed") listener(this.#end);
        else this.#endListeners.add(listener);
        return () => this.#endListeners.delete(listener);
      },
      close: async () => this.#stop("closed"),
    };
  }

  /** Rejects all pending calls, and tells the listeners why unless the page itself closed the participant. */
  #stop(end: ParticipantEnd | "closed"): void {
    if (this.#end !== null) return;
    this.#end = end;
    this.#silence.end();
    clearInterval(this.#pings);
    this.#forgetLife();
    document.removeEventListener("visibilitychange", this.#onVisibility);
    globalThis.removeEventListener("offline", this.#onOffline);
    globalThis.removeEventListener("online", this.#onOnline);
    this.#worker.terminate();
    this.#calls.end(new Error(end === "closed" ? "closed" : end.sentence));
    if (end === "closed") return;
    this.#resolveOpened(err({ type: "busy", sentence: end.sentence }));
    for (const listener of this.#endListeners) listener(end);
  }
}

const isHidden = (): boolean => document.visibilityState === "hidden";
