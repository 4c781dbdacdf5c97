import { statfs } from "node:fs/promises";
import type { Disk } from "#coordinator/core/ports.ts";
import type { MonotonicClock } from "#shared/kernel/ports.ts";
import { LIMITS } from "#shared/protocol/limits.ts";

/** Each upload asks; the answer of the last second is good enough. */
const KEPT_MS = 1_000;

/** The disk that holds `folder`. One that does not answer has no room. */
export function openDisk(folder: string, clock: MonotonicClock): Disk {
  let askedMs = Number.NEGATIVE_INFINITY;
  let answer: Promise<boolean> = Promise.resolve(false);
  return {
    hasRoom: () => {
      if (clock.nowMs() - askedMs >= KEPT_MS) {
        askedMs = clock.nowMs();
        answer = ask(folder);
      }
      return answer;
    },
  };
}

async function ask(folder: string): Promise<boolean> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize >= LIMITS.diskFreeByteCountMin;
  } catch {
    return false;
  }
}
