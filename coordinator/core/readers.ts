import type { EventView, RoundDetail, RoundView, RunView, TaskView } from "#shared/protocol/api.ts";
import { modelTensors } from "#shared/task/model.ts";
import { effectiveSettings } from "#shared/task/settings.ts";
import { placeOf } from "#shared/vector/layout.ts";
import { bitsPerWeight, update } from "#shared/vector/segments/update.ts";
import { layoutOf } from "#shared/vector/task-layout.ts";
import type { Lobby } from "./lobby.ts";
import type { RoundDriver } from "./round-driver.ts";
import type { RoundViews } from "./round-view.ts";
import type { RunDriver } from "./run-driver.ts";
import type { EventLog, Listed, Page, RunStore, StoredTask, TaskStore } from "./store.ts";
import { eventView } from "./stored-event.ts";

/** What is going on now; everything else comes from the store. */
export interface Living {
  readonly lobby: Lobby;
  /** A run that has not ended. */
  run(runId: string): RunDriver | null;
  round(roundId: string): RoundDriver | null;
  activeRun(task: string): RunDriver | null;
}

type ReadStore = EventLog & TaskStore & RunStore;

/** The views of the public API: rows of the store, overlaid with what lives. */
export class Readers {
  readonly #store: ReadStore;
  readonly #living: Living;

  constructor(store: ReadStore, living: Living) {
    this.#store = store;
    this.#living = living;
  }

  async listTasks(page: Page): Promise<Listed<TaskView>> {
    const { items, next } = await this.#store.listTasks(page);
    return { items: items.map((stored) => this.#taskView(stored)), next };
  }

  async taskView(slug: string, version?: number): Promise<TaskView | null> {
    const stored = await this.#store.findTask(slug, version);
    return stored === null ? null : this.#taskView(stored);
  }

  #taskView({ task, taskHash, createdAt, actor, newest, settings }: StoredTask): TaskView {
    const layout = layoutOf(task, "train", null);
    return {
      task,
      taskHash: taskHash as TaskView["taskHash"],
      settings: effectiveSettings(task, settings),
      parameterCount: modelTensors(task.model).parameterCount,
      vectorLength: layout.length,
      bitsPerWeight: bitsPerWeight(placeOf(layout, update)),
      deviceCount: this.#living.lobby.connected(task.slug).length,
      activeRunId: (this.#living.activeRun(task.slug)?.runId ?? null) as TaskView["activeRunId"],
      accuracy: newest?.accuracy ?? null,
      latestModelHash: (newest?.modelHash ?? null) as TaskView["latestModelHash"],
      createdAt: new Date(createdAt).toISOString(),
      createdBy: actor,
    };
  }

  async runView(runId: string): Promise<RunView | null> {
    const living = this.#living.run(runId);
    if (living !== null) return living.view();
    const row = await this.#store.findRun(runId);
    return row === null ? null : row.view;
  }

  async listRuns(filter: { readonly task?: string }, page: Page): Promise<Listed<RunView>> {
    const { items, next } = await this.#store.listRuns(filter, page);
    return { items: items.map((row) => this.#living.run(row.runId)?.view() ?? row.view), next };
  }

  async listRounds(runId: string, page: Page): Promise<Listed<RoundView>> {
    const { items, next } = await this.#store.listRounds(runId, page);
    const viewOf = (roundId: string, stored: RoundViews) =>
      (this.#living.round(roundId)?.views() ?? stored).view;
    return { items: items.map((row) => viewOf(row.roundId, row.view)), next };
  }

  /** Those that people are shown; the others are skipped, so a page is filled from several of the store's. */
  async listEvents(runId: string, page: Page): Promise<Listed<EventView>> {
    const items: EventView[] = [];
    let cursor = page.cursor;
    for (;;) {
      const { items: stored, next } = await this.#store.listEvents(runId, {
        limit: page.limit - items.length,
        cursor,
      });
      for (const one of stored) {
        const view = eventView(one.stream, one.stored);
        if (view !== null) items.push(view);
      }
      if (next === null || items.length >= page.limit) return { items, next };
      cursor = next;
    }
  }

  async roundDetail(roundId: string): Promise<RoundDetail | null> {
    const views = await this.#roundViews(roundId);
    if (views === null) return null;
    const log = await this.#store.readShown({ kind: "round", id: roundId });
    const events = log.flatMap((stored) => eventView({ kind: "round", id: roundId }, stored) ?? []).reverse();
    return { ...views.view, ...views.detail, events };
  }

  async publishedSumHash(roundId: string): Promise<string | null> {
    return (await this.#roundViews(roundId))?.detail.sumHash ?? null;
  }

  async #roundViews(roundId: string): Promise<RoundViews | null> {
    const living = this.#living.round(roundId);
    if (living !== null) return living.views();
    const row = await this.#store.findRound(roundId);
    return row === null ? null : row.view;
  }
}
