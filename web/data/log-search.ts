import type { FoundEntry, FoundPage, LogFilter } from "./log-messages.ts";

/** How a search of the log stands. */
export interface SearchView {
  /** Newest first; each was checked here. */
  readonly items: readonly FoundEntry[];
  /** `paused`: as many were found as were asked for. `stopped`: by a person. */
  readonly state: "searching" | "paused" | "stopped" | "ended" | "failed";
  /** Entries of the log that were looked at, counted from the newest, and all. */
  readonly lookedAt: number;
  readonly size: number;
  readonly error: Error | null;
}

/** Asks for one page of a search. May reject. */
export type FindPage = (filter: LogFilter, cursor: string | null, limit: number) => Promise<FoundPage>;

const PAGE = 50;
/** For files, which need no entry soon. */
const LARGE_PAGE = 200;
const EMPTY: SearchView = { items: [], state: "searching", lookedAt: 0, size: 0, error: null };

/**
 * One search of the whole log, page by page, whatever its size. It can be stopped after each page and goes on from there. Rule
 * A112.
 */
export class LogSearch {
  readonly #find: FindPage;
  readonly #filter: LogFilter;
  readonly #listeners = new Set<() => void>();
  #view: SearchView = EMPTY;
  #next: string | null = null;
  #wanted = 0;
  #isRunning = false;

  constructor(find: FindPage, filter: LogFilter) {
    this.#find = find;
    this.#filter = filter;
  }

  view = (): SearchView => this.#view;

  /** @returns Stops listening. */
  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  /** Goes on until at least `count` entries are found, or all that fit. Resolves when it rests. */
  async find(count: number): Promise<SearchView> {
    this.#wanted = count;
    if (!this.#isRunning && this.#view.state !== "ended") await this.#run();
    return this.#view;
  }

  /** Rests after the page under way. */
  stop(): void {
    if (this.#isRunning) this.#wanted = -1;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    this.#show({ state: "searching", error: null });
    try {
      do {
        const limit = this.#wanted > PAGE * 2 ? LARGE_PAGE : PAGE;
        const { items, next, size } = await this.#find(this.#filter, this.#next, limit);
        this.#next = next;
        this.#show({
          items: [...this.#view.items, ...items],
          size,
          lookedAt: next === null ? size : Math.max(0, size - Number(next)),
        });
      } while (this.#next !== null && this.#view.items.length < this.#wanted);
      this.#show({ state: this.#next === null ? "ended" : this.#wanted < 0 ? "stopped" : "paused" });
    } catch (error) {
      this.#show({ state: "failed", error: error instanceof Error ? error : new Error(String(error)) });
    } finally {
      this.#isRunning = false;
    }
  }

  #show(change: Partial<SearchView>): void {
    this.#view = { ...this.#view, ...change };
    for (const listener of this.#listeners) listener();
  }
}
