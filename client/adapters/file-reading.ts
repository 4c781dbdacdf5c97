import type { SetReading } from "#shared/data/read-set.ts";
import { breathe } from "#shared/engine/breathe.ts";
import type { Slices } from "../core/slices.ts";
import type { ParticipantView } from "../core/view.ts";

/** Reads a person's files one set at a time, shows how far it is, and can be stopped. */
export interface FileReading {
  /** @param name  Shown while it is read. */
  run<T>(name: string, read: (onProgress: NonNullable<SetReading["onProgress"]>) => Promise<T>): Promise<T>;
  /** Whatever is being read ends with the refusal `stopped`. */
  stop(): void;
}

/** Each change of the view is a message to the page. */
const SHOWN_EVERY_MS = 100;

export function createFileReading(view: Slices<ParticipantView>): FileReading {
  let isStopped = false;
  return {
    stop: () => {
      isStopped = true;
    },
    run: async (name, read) => {
      isStopped = false;
      // Lets the worker hear that it should stop, and answer the page's pings.
      const pause = breathe();
      let shownMs = Number.NEGATIVE_INFINITY;
      try {
        return await read(async ({ unit, doneCount, totalCount }) => {
          const nowMs = performance.now();
          if (nowMs - shownMs >= SHOWN_EVERY_MS) {
            shownMs = nowMs;
            view.patch({ reading: { name, unit, doneCount, totalCount } });
          }
          await pause();
          return !isStopped;
        });
      } finally {
        view.patch({ reading: null });
      }
    },
  };
}
