import { webCryptoPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { createWorkbench, type Workbench } from "../core/trial/workbench.ts";
import { BROWSER_BACKENDS, openEngineWorker } from "./engine-worker.ts";
import { platformAfter, platformClock, platformRandom, platformWall } from "./platform-ports.ts";

/** A workbench in this thread. Its engines run in a worker. */
export function workbenchHere(): Workbench {
  return createWorkbench(
    {
      openWorker: openEngineWorker,
      primitives: webCryptoPrimitives(globalThis.crypto.subtle),
      random: platformRandom,
      clock: platformClock,
      wall: platformWall,
      after: platformAfter,
    },
    BROWSER_BACKENDS,
  );
}
