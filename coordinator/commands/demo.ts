import { endOnSignals } from "#shared/node/end-on-signals.ts";

/** Longer than the demo's own limit. */
const STOP_MS = 40_000;

const onStarted = endOnSignals(STOP_MS);
const { runDemo } = await import("./demo/run-demo.ts");
await runDemo(onStarted);
