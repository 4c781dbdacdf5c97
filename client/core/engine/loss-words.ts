import type { LossCause } from "../ports.ts";

/** Why an engine stopped, as the end of a sentence: "WebGL stopped: ...". */
export const LOSS_WORDS: Readonly<Record<LossCause, string>> = {
  "context-lost": "the browser took its graphics context away",
  "device-lost": "its graphics device went away",
  "out-of-memory": "it ran out of memory",
  ended: "its worker ended",
  silent: "it gave no sign of life",
  fault: "it failed at its work",
};
