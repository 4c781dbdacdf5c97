import type { CellChange, Cells } from "#client/core/memory.ts";
import type { World } from "./world.ts";

/** What a device has written durably; it outlives the device's lives. */
export class DurableCells {
  readonly values = new Map<string, string>();
  readonly #world: World;
  readonly #pending = new Set<() => boolean>();

  constructor(world: World) {
    this.#world = world;
  }

  /** The cells as seen by one life of the device. */
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

  /** Plays a crash: each unfinished write is done or is lost. */
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
