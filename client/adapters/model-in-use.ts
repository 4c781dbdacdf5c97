import { modelFromBytes } from "#shared/codec/model-bytes.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import { modelTensors } from "#shared/task/model.ts";
import type { Task } from "#shared/task/task.ts";
import { createModelCache, type ModelCache } from "../core/model-cache.ts";
import type { ClientPorts } from "../core/ports.ts";
import type { ModelView } from "../core/view.ts";
import type { BrowserStore } from "./browser-store.ts";

/** The newest model that this browser holds; stored, so that it can be used without a connection. */
export class ModelInUse {
  readonly #task: Task;
  readonly #store: BrowserStore;
  readonly #ports: Pick<ClientPorts, "link" | "primitives">;
  readonly #onChange: (model: ModelView | null) => void;
  #weights: Float32Array | null = null;
  #cache: ModelCache;

  constructor(
    task: Task,
    store: BrowserStore,
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
    const stored = await this.#store.models.get(this.#task.slug);
    const weights = stored === undefined ? null : decodeModel(stored.bytes, this.#task);
    if (stored === undefined || weights === null) return;
    this.#weights = weights;
    const { modelHash, runId, round, bytes } = stored;
    this.#onChange({ modelHash, runId, round, byteCount: bytes.length });
  }

  /** Which round's sum it came from, which is known once the round is over. */
  async comesFrom({ modelHash, runId, round }: ModelView): Promise<void> {
    await this.#store.models
      .where({ slug: this.#task.slug })
      .and((model) => model.modelHash === modelHash)
      .modify({ runId, round });
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
      // Without room the page uses the model from memory.
      this.#store.models.put({ slug: this.#task.slug, ...origin, bytes }).catch(() => {});
    });
  }
}

function decodeModel(bytes: Bytes, task: Task): Float32Array | null {
  const weights = modelFromBytes(modelTensors(task.model), bytes);
  return weights.ok ? weights.value : null;
}
