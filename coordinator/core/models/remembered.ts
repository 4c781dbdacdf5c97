/** Findings of one kind that are remembered. Each takes a few kilobytes. */
export const REMEMBERED_MAX = 500;

/** What was found out under a key, and is not found out twice. */
export class Remembered<Found> {
  readonly #countMax: number;
  /** The oldest first. */
  readonly #found = new Map<string, Promise<Found>>();

  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  of(key: string, find: () => Promise<Found>): Promise<Found> {
    const known = this.#found.get(key);
    if (known !== undefined) return known;
    const finding = find();
    this.#found.set(key, finding);
    for (const oldest of this.#found.keys()) {
      if (this.#found.size <= this.#countMax) break;
      this.#found.delete(oldest);
    }
    // A failure may pass.
    finding.catch(() => this.#found.delete(key));
    return finding;
  }
}
