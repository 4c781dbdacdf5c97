import { keepCompiled } from "../adapters/compile-cache.ts";
import type { RunningCoordinator } from "../main.ts";

/*
 * Signals first, the program after: loading it takes longer than a supervisor may wait before it changes its mind.
 */

const STOP_MS = 30_000;
let running: RunningCoordinator | null = null;

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
  process.on(signal, () => {
    // Nothing is under way yet that the next start would not go on with.
    if (running === null) process.exit(0);
    setTimeout(() => process.exit(1), STOP_MS).unref();
    // A second signal joins the stop of the first.
    void running.stop().then(() => process.exit(0));
  });
}

const writeCompiled = keepCompiled();
const { serve } = await import("./coordinator/serve.ts");
await serve((started) => {
  running = started;
});
writeCompiled();
