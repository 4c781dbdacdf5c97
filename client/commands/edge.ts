import { endOnSignals } from "#shared/node/end-on-signals.ts";

/** Longer than the edge itself waits for a coordinator that is gone. */
const STOP_MS = 10_000;

const onStarted = endOnSignals(STOP_MS);
// Started by another program (the demo): its end is this one's, however it ends.
process.on("disconnect", () => process.emit("SIGTERM"));
const { takePart } = await import("./edge/take-part.ts");
await takePart(onStarted);
