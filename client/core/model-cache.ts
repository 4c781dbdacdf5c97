import { type Bytes, bytesToHex } from "#shared/kernel/bytes.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import type { Task } from "#shared/task/task.ts";
import type { ClientPorts, LinkError } from "./ports.ts";

export interface LoadedModel {
  /** SHA-256 of the received bytes, hex. */
  readonly hash: string;
  readonly weights: Float32Array;
  readonly byteCount: number;
}

/** Models by hash. A model never changes, so it is downloaded once. */
export interface ModelCache {
  /** Errors: the link's, or `damaged` if the bytes do not match the hash or are no model of the task. */
  fetch(
    hash: string,
    onProgress?: (byteCount: number) => void,
    signal?: AbortSignal,
  ): Promise<Result<LoadedModel, LinkError | { readonly type: "damaged" }>>;
}

const KEPT = 2;

/** @param decode  Returns weights in the order of `tensorShapes`, or null if the bytes are no model of the task. */
export function createModelCache(
  { link, primitives }: Pick<ClientPorts, "link" | "primitives">,
  task: Task,
  decode: (bytes: Bytes, task: Task) => Float32Array | null,
  onLoaded: (model: LoadedModel, bytes: Bytes) => void = () => {},
): ModelCache {
  const models = new Map<string, LoadedModel>();
  return {
    async fetch(hash, onProgress, signal) {
      const known = models.get(hash);
      if (known !== undefined) return ok(known);
      const received = await link.fetchModel(hash, onProgress, signal);
      if (!received.ok) return received;
      const bytes = received.value;
      if (bytesToHex(await primitives.sha256(bytes)) !== hash) return err({ type: "damaged" });
      const weights = decode(bytes, task);
      if (weights === null) return err({ type: "damaged" });
      const model = { hash, weights, byteCount: bytes.length };
      models.set(hash, model);
      for (const oldest of models.keys()) if (models.size > KEPT) models.delete(oldest);
      onLoaded(model, bytes);
      return ok(model);
    },
  };
}
