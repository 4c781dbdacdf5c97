import { type NamelessRow, namelessLog } from "#shared/audit/nameless-log.ts";
import type { Result } from "#shared/kernel/result.ts";
import type { EventView, RoundDetail, RoundView, RunView, TaskView } from "#shared/protocol/api.ts";
import type { WireError } from "#shared/protocol/errors.ts";
import { isEndPhase } from "#shared/round/phases.ts";
import { effectiveSettings } from "#shared/task/effective-settings.ts";
import { modelTensors } from "#shared/task/model.ts";
import type { LogProof } from "#shared/tlog/log-proof.ts";
import { placeOf } from "#shared/vector/layout.ts";
import { bitsPerWeight, update } from "#shared/vector/segments/update.ts";
import { shownLayoutOf } from "#shared/vector/task-layout.ts";
import type { Lobby } from "../devices/lobby.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
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
  TranscriptStore,
} from "../ports/store.ts";
import type { RoundDriver } from "../rounds/round-driver.ts";
import type { RunDriver } from "../runs/run-driver.ts";
import { eventView } from "../views/event-view.ts";
import { heldOutView } from "../views/held-out-view.ts";
import { servedView } from "../views/registry-view.ts";
import { proveSealedInputs } from "./input-proofs.ts";

/** Live state. Everything else comes from the store. */
export interface Living {
  readonly lobby: Lobby;
  /** Null if the run has ended. */
  run(runId: string): RunDriver | null;
  round(roundId: string): RoundDriver | null;
  activeRun(task: string): RunDriver | null;
}

type ReadStore = Pick<EventLog, "readNotes" | "listNotes" | "readStream"> &
  Pick<TaskStore, "listTasks" | "listVersions"> &
  Pick<RunStore, "listRuns" | "listRounds"> &
  Pick<TranscriptStore, "findTranscript"> &
  ShownStore;

type ReaderPorts = Pick<CoordinatorPorts, "publicLog" | "after"> & { readonly store: ReadStore };

/** Views of the public API: rows of the store, overlaid with live state. */
export class Readers {
  readonly #store: ReadStore;
  readonly #living: Living;
  readonly #ports: ReaderPorts;

  constructor(ports: ReaderPorts, living: Living) {
    this.#ports = ports;
    this.#store = ports.store;
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

  #taskView({ task, taskHash, projectId, createdAt, actor, newest, inUse, settings }: StoredTask): TaskView {
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
      ...servedView(newest, inUse),
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
    const kept = await this.#isKept(views.detail, roundId);
    return { ...views.view, ...views.detail, ...kept, events: notes.map(eventView).reverse() };
  }

  /** Whether an auditor can still check the round: with the parts of one session the others go, too. */
  async #isKept(detail: Partial<RoundViews>["detail"], roundId: string): Promise<Pick<RoundDetail, "kept">> {
    const first = detail?.transcript?.sessions[0];
    if (first === undefined) return {};
    return { kept: (await this.#store.findTranscript(roundId, first.shard)) !== null };
  }

  /**
   * A round's own log without names, for whoever replays it. Null while the round lives, and if it cannot be
   * read. Rule A62.
   */
  async namelessLog(roundId: string): Promise<readonly NamelessRow[] | null> {
    const views = await this.#roundViews(roundId);
    if (views === null || !isEndPhase(views.view.phase)) return null;
    const rows = await this.#store.readStream({ kind: "round", id: roundId });
    const log = namelessLog(rows);
    return log.ok ? log.value : null;
  }

  async sealedInputsProof(roundId: string, sid: string, from: number): Promise<Result<LogProof, WireError>> {
    const round = (await this.#roundViews(roundId))?.detail;
    const stored = round === undefined ? null : await this.#store.showTask(round.task, round.taskVersion);
    return proveSealedInputs(this.#ports, roundId, sid, from, stored?.task.logWitnesses ?? null);
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
