import type { CellChange, Cells } from "#client/core/memory.ts";
import type { World } from "./world.ts";

/** What a device has written for good; it outlives the device's lives. */
export class DurableCells {
  readonly values = new Map<string, string>();
  readonly #world: World;
  readonly #pending = new Set<() => boolean>();

  constructor(world: World) {
    this.#world = world;
  }

  /** The cells as one life of the device has them. */
  of(life: { readonly alive: boolean }, onWrite: () => void): Cells {
    return {
      get: async (key) => this.values.get(key) ?? null,
      swap: (changes) => {
        onWrite();
        return new Promise<boolean>((resolve) => {
          if (!life.alive) return;
          const write = () => this.#swap(changes);
          this.#pending.add(write);
          this.#world.clock.after(this.#world.dice.between(1, 15), () => {
            if (!life.alive) return;
            this.#pending.delete(write);
            resolve(write());
          });
        });
      },
    };
  }

  /** The device is gone: what it had begun to write is there, or is not. */
  crash(): void {
    for (const write of this.#pending) if (this.#world.dice.chance(0.5)) write();
    this.#pending.clear();
  }

  #swap(changes: readonly CellChange[]): boolean {
    if (!changes.every(({ key, before }) => (this.values.get(key) ?? null) === before)) return false;
    for (const { key, after } of changes) this.values.set(key, after);
    return true;
  }
}
