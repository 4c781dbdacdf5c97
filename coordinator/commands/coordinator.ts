import { endOnSignals } from "#shared/node/end-on-signals.ts";
import { keepCompiled } from "../adapters/compile-cache.ts";

const STOP_MS = 30_000;

const onStarted = endOnSignals(STOP_MS);
const writeCompiled = keepCompiled();
const { serve } = await import("./coordinator/serve.ts");
await serve((running) => onStarted(() => running.stop()));
writeCompiled();
