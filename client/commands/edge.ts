import { endOnSignals } from "#shared/node/end-on-signals.ts";

/** Longer than the edge itself waits for an unreachable coordinator. */
const STOP_MS = 10_000;

const onStarted = endOnSignals(STOP_MS);
// If another program (the demo) started this one, it ends together with that program.
process.on("disconnect", () => process.emit("SIGTERM"));
const { takePart } = await import("./edge/take-part.ts");
await takePart(onStarted);
