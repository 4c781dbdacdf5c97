import { assert } from "#shared/kernel/assert.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import type { ParticipantView } from "../core/view.ts";
import type { OpenError, Participant, ParticipantOptions } from "../index.ts";
import type { Actions, FromWorker, Method, ToWorker } from "./worker-rpc.ts";

/** A record, so that the compiler finds a missing action. */
const METHODS: Readonly<Record<Method, true>> = {
  agree: true,
  withdraw: true,
  addCsv: true,
  addDrawing: true,
  addImages: true,
  readPicture: true,
  removeExample: true,
  start: true,
  pause: true,
  resume: true,
  leave: true,
  deleteMyData: true,
  setBackend: true,
  predict: true,
  liveTensorCount: true,
  contribution: true,
  downloadContribution: true,
  downloadContributions: true,
};

/** The page's half: it forwards calls, merges changed slices into the view and tells the worker when the tab is hidden. */
export function openOverWorker(
  worker: Worker,
  options: ParticipantOptions,
): Promise<Result<Participant, OpenError>> {
  const tell = (message: ToWorker) => worker.postMessage(message);
  const calls = new Map<number, { resolve: (value: never) => void; reject: (fault: Error) => void }>();
  const listeners = new Set<() => void>();
  let view: ParticipantView | null = null;
  let nextId = 1;

  const call = (method: Method, args: readonly unknown[]) =>
    new Promise((resolve, reject) => {
      const id = nextId++;
      calls.set(id, { resolve, reject });
      tell({ kind: "call", id, method, args });
    });
  const actions = Object.fromEntries(
    Object.keys(METHODS).map((method) => [method, (...args: unknown[]) => call(method as Method, args)]),
  ) as unknown as Actions;

  const onVisibility = () => tell({ kind: "visibility", hidden: document.visibilityState === "hidden" });
  const end = (reason: string) => {
    document.removeEventListener("visibilitychange", onVisibility);
    worker.terminate();
    for (const pending of calls.values()) pending.reject(new Error(reason));
    calls.clear();
  };

  return new Promise((resolve, reject) => {
    worker.onerror = (event) => {
      end(`the worker failed: ${event.message}`);
      reject(new Error(`the worker failed: ${event.message}`));
    };
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      switch (data.kind) {
        case "opened":
          view = data.view;
          document.addEventListener("visibilitychange", onVisibility);
          resolve(
            ok({
              ...actions,
              view: () => {
                assert(view !== null, "opened with a view");
                return view;
              },
              subscribe: (listener: () => void) => {
                listeners.add(listener);
                return () => listeners.delete(listener);
              },
              close: async () => end("closed"),
            }),
          );
          break;
        case "not-opened":
          end("not opened");
          resolve(err(data.error));
          break;
        case "view":
          if (view !== null) view = { ...view, ...data.patch };
          for (const listener of listeners) listener();
          break;
        case "result":
          calls.get(data.id)?.resolve(data.value as never);
          calls.delete(data.id);
          break;
        case "failed":
          calls.get(data.id)?.reject(new Error(data.message));
          calls.delete(data.id);
          break;
      }
    };
    tell({ kind: "open", options, hidden: document.visibilityState === "hidden" });
  });
}
