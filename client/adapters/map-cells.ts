import type { CellChange, Cells } from "../core/memory.ts";

/** Cells in memory, gone with the process. For tests, and for stores that load everything when they open. */
export class MapCells implements Cells {
  readonly #values: Map<string, string>;

  constructor(values: Iterable<readonly [string, string]> = []) {
    this.#values = new Map(values);
  }

  async get(key: string): Promise<string | null> {
    return this.#values.get(key) ?? null;
  }

  async swap(changes: readonly CellChange[]): Promise<boolean> {
    if (!this.fits(changes)) return false;
    this.adopt(changes);
    return true;
  }

  fits(changes: readonly CellChange[]): boolean {
    return changes.every(({ key, before }) => (this.#values.get(key) ?? null) === before);
  }

  adopt(changes: readonly Pick<CellChange, "key" | "after">[]): void {
    for (const { key, after } of changes) this.#values.set(key, after);
  }
}
