import type { EventView, RoundDetail, RoundView, RunView, TaskView } from "#shared/protocol/api.ts";
import { modelTensors } from "#shared/task/model.ts";
import { effectiveSettings } from "#shared/task/settings.ts";
import { placeOf } from "#shared/vector/layout.ts";
import { bitsPerWeight, update } from "#shared/vector/segments/update.ts";
import { shownLayoutOf } from "#shared/vector/task-layout.ts";
import type { Lobby } from "../devices/lobby.ts";
import type {
  EventLog,
  Listed,
  Page,
  Readable,
  RoundViews,
  RunStore,
  ShownStore,
  StoredTask,
  TaskStore,
} from "../ports/store.ts";
import type { RoundDriver } from "../rounds/round-driver.ts";
import type { RunDriver } from "../runs/run-driver.ts";
import { eventView } from "../views/event-view.ts";
import { heldOutView } from "../views/held-out-view.ts";

/** Live state. Everything else comes from the store. */
export interface Living {
  readonly lobby: Lobby;
  /** Null if the run has ended. */
  run(runId: string): RunDriver | null;
  round(roundId: string): RoundDriver | null;
  activeRun(task: string): RunDriver | null;
}

type ReadStore = Pick<EventLog, "readNotes" | "listNotes"> &
  Pick<TaskStore, "listTasks" | "listVersions"> &
  Pick<RunStore, "listRuns" | "listRounds"> &
  ShownStore;

/** Views of the public API: rows of the store, overlaid with live state. */
export class Readers {
  readonly #store: ReadStore;
  readonly #living: Living;

  constructor(store: ReadStore, living: Living) {
    this.#store = store;
    this.#living = living;
  }

  async listTasks(
    readable: Readable & { readonly archived?: boolean },
    page: Page,
  ): Promise<Listed<TaskView>> {
    const { items, next } = await this.#store.listTasks(readable, page);
    return { items: items.map((stored) => this.#taskView(stored)), next };
  }

  async listVersions(slug: string, page: Page): Promise<Listed<TaskView>> {
    const { items, next } = await this.#store.listVersions(slug, page);
    return { items: items.map((stored) => this.#taskView(stored)), next };
  }

  async taskView(slug: string, version?: number): Promise<TaskView | null> {
    const stored = await this.#store.showTask(slug, version);
    return stored === null ? null : this.#taskView(stored);
  }

  #taskView({ task, taskHash, projectId, createdAt, actor, newest, settings }: StoredTask): TaskView {
    const layout = shownLayoutOf(task);
    const active = this.#living.activeRun(task.slug)?.view() ?? null;
    return {
      task,
      taskHash: taskHash as TaskView["taskHash"],
      projectId,
      settings: effectiveSettings(task, settings),
      heldOut: heldOutView(settings.heldOut, task.version),
      archived: settings.archived,
      parameterCount: modelTensors(task.model).parameterCount,
      vectorLength: layout.length,
      bitsPerWeight: bitsPerWeight(placeOf(layout, update)),
      deviceCount: this.#living.lobby.connected(task.slug).length,
      agreedCount: this.#living.lobby.agreedCount(task.slug, task.version),
      activeRunId: active?.runId ?? null,
      activeRun: active && { state: active.state, waiting: active.waiting ?? null },
      measures: newest?.measures ?? null,
      ...(newest?.measuredOn !== undefined && { measuredOn: newest.measuredOn }),
      latestModelHash: (newest?.modelHash ?? null) as TaskView["latestModelHash"],
      createdAt: new Date(createdAt).toISOString(),
      createdBy: actor,
    };
  }

  async runView(runId: string): Promise<RunView | null> {
    const living = this.#living.run(runId);
    if (living !== null) return living.view();
    const row = await this.#store.showRun(runId);
    return row === null ? null : row.view;
  }

  async listRuns(filter: Readable & { readonly task?: string }, page: Page): Promise<Listed<RunView>> {
    const { items, next } = await this.#store.listRuns(filter, page);
    return { items: items.map((row) => this.#living.run(row.runId)?.view() ?? row.view), next };
  }

  async listRounds(runId: string, page: Page): Promise<Listed<RoundView>> {
    const { items, next } = await this.#store.listRounds(runId, page);
    const viewOf = (roundId: string, stored: RoundViews) =>
      (this.#living.round(roundId)?.views() ?? stored).view;
    return { items: items.map((row) => viewOf(row.roundId, row.view)), next };
  }

  async listEvents(runId: string, page: Page): Promise<Listed<EventView>> {
    const { items, next } = await this.#store.listNotes(runId, page);
    return { items: items.map(eventView), next };
  }

  async roundDetail(roundId: string): Promise<RoundDetail | null> {
    const views = await this.#roundViews(roundId);
    if (views === null) return null;
    const notes = await this.#store.readNotes({ kind: "round", id: roundId });
    return { ...views.view, ...views.detail, events: notes.map(eventView).reverse() };
  }

  async publishedSumHash(roundId: string): Promise<string | null> {
    return (await this.#roundViews(roundId))?.detail.sumHash ?? null;
  }

  async #roundViews(roundId: string): Promise<RoundViews | null> {
    const living = this.#living.round(roundId);
    if (living !== null) return living.views();
    const row = await this.#store.showRound(roundId);
    return row === null ? null : row.view;
  }
}
