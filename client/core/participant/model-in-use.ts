import { modelFromBytes } from "#shared/codec/model-bytes.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import { modelTensors } from "#shared/task/model.ts";
import type { Task } from "#shared/task/task.ts";
import { createModelCache, type ModelCache } from "../model-cache.ts";
import type { ClientPorts } from "../ports.ts";
import type { ModelView } from "../view.ts";
import type { ModelStore } from "./ports.ts";

/** The model with which the coordinator wants people to predict. */
export interface ServedModel {
  readonly modelHash: string;
  /** The run and round that made it, if it was promoted; null if it is only the newest. */
  readonly promoted: { readonly runId: string; readonly round: number } | null;
}

/**
 * The model with which this device predicts: the promoted one; without one, the newest that came. It is stored, so that it
 * works offline.
 */
export class ModelInUse {
  readonly #task: Task;
  readonly #store: ModelStore;
  readonly #ports: Pick<ClientPorts, "link" | "primitives">;
  readonly #onChange: (model: ModelView | null) => void;
  #weights: Float32Array | null = null;
  #modelHash: string | null = null;
  #served: ServedModel | null = null;
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

  /** The model to fetch before anyone can predict with it; null if it is here. */
  get wanted(): string | null {
    const { modelHash, promoted } = this.#served ?? {};
    if (modelHash === undefined || modelHash === this.#modelHash) return null;
    return promoted != null || this.#weights === null ? modelHash : null;
  }

  /** True if the models of rounds are not for predicting, because another one is promoted. */
  get isPromoted(): boolean {
    return this.#served?.promoted != null;
  }

  /** @param served  Null if the coordinator does not answer, or has no model. */
  async restore(served: ServedModel | null): Promise<void> {
    this.#served = served;
    const stored = await this.#store.newest(this.#task.slug);
    const weights = stored === null ? null : decodeModel(stored.bytes, this.#task);
    if (stored === null || weights === null) return;
    this.#weights = weights;
    this.#modelHash = stored.modelHash;
    const { modelHash, runId, round, bytes } = stored;
    this.#onChange({ modelHash, runId, round, byteCount: bytes.length });
  }

  /** Records the round whose sum made the model; known once that round is over. */
  async comesFrom({ modelHash, runId, round }: ModelView): Promise<void> {
    await this.#store.setOrigin({ slug: this.#task.slug, modelHash, runId, round });
  }

  forget(): void {
    this.#weights = null;
    this.#modelHash = null;
    this.#cache = this.#makeCache();
    this.#onChange(null);
  }

  #makeCache(): ModelCache {
    return createModelCache(this.#ports, this.#task, decodeModel, ({ hash, weights, byteCount }, bytes) => {
      const { modelHash: wanted, promoted = null } = this.#served ?? {};
      if (promoted !== null && hash !== wanted) return;
      this.#weights = weights;
      this.#modelHash = hash;
      const origin = { modelHash: hash, runId: promoted?.runId ?? null, round: promoted?.round ?? null };
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
