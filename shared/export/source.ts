import type { LearnedTask } from "../task/engine.ts";

/** A model as it leaves Chorus, in whatever format. */
export interface ModelSource {
  /** For tools, e.g. "digits". */
  readonly name: string;
  /** For people, one sentence. */
  readonly about: string;
  readonly task: LearnedTask;
  /** Flat, in the order of `modelTensors`. */
  readonly weights: Float32Array;
  /** What tools keep beside the model: task, version, hashes, measures. */
  readonly metadata: Readonly<Record<string, string>>;
}
