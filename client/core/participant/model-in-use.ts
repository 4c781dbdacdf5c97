import { modelFromBytes } from "#shared/codec/model-bytes.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import { modelTensors } from "#shared/task/model.ts";
import type { Task } from "#shared/task/task.ts";
import { createModelCache, type ModelCache } from "../model-cache.ts";
import type { ClientPorts } from "../ports.ts";
import type { ModelView } from "../view.ts";
import type { ModelStore } from "./ports.ts";

/** The newest model on this device. It is stored, so that it works offline. */
export class ModelInUse {
  readonly #task: Task;
  readonly #store: ModelStore;
  readonly #ports: Pick<ClientPorts, "link" | "primitives">;
  readonly #onChange: (model: ModelView | null) => void;
  #weights: Float32Array | null = null;
  #cache: ModelCache;

  constructor(
    task: Task,
    store: ModelStore,
    ports: Pick<ClientPorts, "link" | "primitives">,
    onChange: (model: ModelView | null) => void,
  ) {
    this.#task = task;
    this.#store = store;
    this.#ports = ports;
    this.#onChange = onChange;
    this.#cache = this.#makeCache();
  }

  get weights(): Float32Array | null {
    return this.#weights;
  }

  get cache(): ModelCache {
    return this.#cache;
  }

  async restore(): Promise<void> {
    const stored = await this.#store.newest(this.#task.slug);
    const weights = stored === null ? null : decodeModel(stored.bytes, this.#task);
    if (stored === null || weights === null) return;
    this.#weights = weights;
    const { modelHash, runId, round, bytes } = stored;
    this.#onChange({ modelHash, runId, round, byteCount: bytes.length });
  }

  /** Records the round whose sum made the model; known once that round is over. */
  async comesFrom({ modelHash, runId, round }: ModelView): Promise<void> {
    await this.#store.setOrigin({ slug: this.#task.slug, modelHash, runId, round });
  }

  forget(): void {
    this.#weights = null;
    this.#cache = this.#makeCache();
    this.#onChange(null);
  }

  #makeCache(): ModelCache {
    return createModelCache(this.#ports, this.#task, decodeModel, ({ hash, weights, byteCount }, bytes) => {
      this.#weights = weights;
      const origin = { modelHash: hash, runId: null, round: null };
      this.#onChange({ ...origin, byteCount });
      // If storage is full, the page uses the model from memory.
      this.#store.put({ slug: this.#task.slug, ...origin, bytes }).catch(() => {});
    });
  }
}

function decodeModel(bytes: Bytes, task: Task): Float32Array | null {
  const weights = modelFromBytes(modelTensors(task.model), bytes);
  return weights.ok ? weights.value : null;
}
