import type { LossCause } from "../training-facts.ts";

/** Why an engine stopped, as the second half of a sentence: "WebGL stopped: ...". */
export const LOSS_WORDS: Readonly<Record<LossCause, string>> = {
  "context-lost": "the browser took its graphics context away",
  "device-lost": "its graphics device went away",
  "out-of-memory": "it ran out of memory",
  ended: "its worker ended",
  silent: "it stopped responding",
  fault: "it failed while working",
};
