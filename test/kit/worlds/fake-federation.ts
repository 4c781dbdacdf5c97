import type { Note } from "#coordinator/core/ports/note.ts";
import { eventView } from "#coordinator/core/views/event-view.ts";
import type { EventView, RoundDetail, RoundView, RunView, Status, TaskView } from "#shared/protocol/api.ts";
import type { HashHex } from "#shared/protocol/ids.ts";
import type { ModelVersionView } from "#shared/protocol/registry.ts";
import { measuresFrom } from "#shared/task/measures/index.ts";
import type { Task } from "#shared/task/task.ts";

import { setupsOf } from "./fake-casts.ts";
import { aliasesOf, decisionsOf, gatesOf, inUseOf, modelsOf } from "./fake-models.ts";
import { CLASSES, groups, hash, roundView, runId, type Setup, sumsOf } from "./fake-rounds.ts";
import { heldOutOf, taskPart } from "./fake-task-pages.ts";
import { TASKS } from "./fake-tasks.ts";

/* Made-up runs for looking at pages. The figures are smooth curves with seeded noise and mean nothing. */

/** Items of a list in one answer. */
const PAGE = 50;

export class FakeFederation {
  readonly #setups: readonly Setup[];
  readonly #tasks: readonly Task[];
  readonly #startedMs = Date.now();
  readonly #atS: number | null;
  readonly #baseUrl: string;
  readonly #acts = new Map<string, Partial<RunView>>();

  constructor(options: {
    readonly atS: number | null;
    readonly cast: Parameters<typeof setupsOf>[0];
    readonly baseUrl: string;
  }) {
    this.#atS = options.atS;
    this.#baseUrl = options.baseUrl;
    this.#tasks = TASKS;
    this.#setups = setupsOf(options.cast);
  }

  #second(run: Setup): { round: number; nowS: number } {
    const pauseS = 5;
    const length = run.roundS * 1.05 + pauseS;
    const atS = run.atS ?? this.#atS;
    const elapsedS = atS ?? (Date.now() - this.#startedMs) / 1_000;
    const past = atS === null ? Math.floor(elapsedS / length) : 0;
    return {
      round: Math.min(run.planned, run.done + 1 + past),
      nowS: Math.round((elapsedS - past * length) * 10) / 10,
    };
  }

  #run(setup: Setup): RunView {
    const live = setup.state === "running";
    const { round, nowS } = this.#second(setup);
    const current = live
      ? roundView(setup, round, nowS)
      : roundView(setup, setup.failsAt ?? setup.done + (setup.stopsAtS === undefined ? 0 : 1), 1e6);
    const waits = setup.state === "waiting" || setup.state === "queued";
    const committed = live ? round - (current.phase === "committed" ? 0 : 1) : setup.done;
    const { task } = setup;
    return {
      runId: runId(setup.name),
      number: setup.number,
      task: task.slug,
      taskVersion: task.version,
      state: setup.state,
      pausing: false,
      code: setup.code ?? null,
      endedBy: setup.code === "ABORTED_BY_OPERATOR" ? "k7f2" : null,
      roundsPlanned: setup.planned,
      roundsCommitted: committed,
      strategy: task.aggregation.strategy,
      training: task.training,
      seed: 7,
      configHash: hash(setup.name),
      launchedBy: "researcher k7f2",
      createdAt: new Date(this.#startedMs - 3_600_000).toISOString(),
      startedAt: new Date(this.#startedMs - 3_500_000).toISOString(),
      endedAt:
        live || waits || setup.state === "paused"
          ? null
          : new Date(this.#startedMs - 60_000 * (1 + this.#setups.indexOf(setup))).toISOString(),
      currentRound: waits ? null : current,
      waiting:
        setup.state === "waiting"
          ? { since: new Date(this.#startedMs - 720_000).toISOString(), ready: 12, needed: 16 }
          : null,
      waitUntil: setup.state === "waiting" ? new Date(this.#startedMs + 14_400_000).toISOString() : null,
      queuedBehind:
        setup.state === "queued" ? { runId: runId("waiting"), number: 9, state: "waiting" } : null,
      newestRound: waits ? committed : current.round,
      newestVersion: committed,
      history: Array.from({ length: committed + 1 }, (_, index) => ({
        round: index,
        measures: measuresFrom(sumsOf(setup.accuracy(index), setup.rows), CLASSES),
      })),
      modelHash: committed > 0 ? hash(`model ${setup.name} ${committed}`) : null,
      secondsLeft: live ? (setup.planned - committed) * setup.roundS : null,
      ...this.#acts.get(runId(setup.name)),
    };
  }

  #rounds(setup: Setup): RoundView[] {
    const run = this.#run(setup);
    const rounds = Array.from({ length: run.roundsCommitted }, (_, index) =>
      roundView(setup, index + 1, 1e6),
    );
    const current = run.currentRound;
    return current === null || rounds.some(({ round }) => round === current.round)
      ? rounds
      : [...rounds, current];
  }

  /** Newest first, through the product's own words. */
  #events(setup: Setup): EventView[] {
    const rounds = this.#rounds(setup).toReversed();
    let sequence = 1_000_000;
    return rounds.flatMap((round) =>
      notesOf(round).map((note) =>
        eventView({
          stream: { kind: "round", id: round.roundId },
          sequence: sequence--,
          at: Date.parse(round.openedAt),
          note,
        }),
      ),
    );
  }

  #detail(setup: Setup, round: RoundView): RoundDetail {
    const shut = round.phase !== "committed";
    return {
      ...round,
      task: setup.task.slug,
      taskVersion: setup.task.version,
      runNumber: setup.number,
      configHash: hash(setup.name),
      roundHash: hash(`rules ${round.round}`),
      sid: round.threshold === null ? null : (hash(`sid ${round.round}`) as HashHex),
      sumHash: shut ? null : hash(`sum ${round.round}`),
      sumByteCount: shut ? null : 9_764,
      weightSum: shut ? null : 1_024,
      inputsRoot: shut ? null : hash(`inputs ${round.round}`),
      ...(setup.task.slug === "hmda" ? { shardList: groups(round) } : {}),
      aggregation: setup.task.aggregation,
      events: this.#events(setup).filter(({ roundId }) => roundId === round.roundId),
    };
  }

  #task(task: Task): TaskView {
    const setup = this.#setups.find((one) => one.task === task && one.state === "running");
    const run = setup && this.#run(setup);
    return {
      task,
      taskHash: hash(task.slug),
      projectId: task.slug === "digits" ? "digits" : "readmission",
      heldOut: heldOutOf(task),
      archived: null,
      parameterCount: 2_410,
      vectorLength: 2_441,
      bitsPerWeight: 32,
      deviceCount: setup?.devices ?? 0,
      agreedCount: Math.max(0, (setup?.devices ?? 0) - 1),
      activeRunId: run?.runId ?? null,
      activeRun: run === undefined ? null : { state: run.state, waiting: run.waiting ?? null },
      inUse: inUseOf(this.#models(task)),
      measures: run?.history.at(-1)?.measures ?? null,
      latestModelHash: run?.modelHash ?? null,
      createdAt: new Date(this.#startedMs).toISOString(),
      createdBy: "demo",
    };
  }

  #models(task: Task): ModelVersionView[] {
    const setups = this.#setups.filter((setup) => setup.task === task);
    return modelsOf(
      setups.map((setup) => this.#run(setup)),
      task,
    );
  }

  #status(): Status {
    return {
      product: "chorus",
      version: "0.1.0",
      codeVersion: hash("code"),
      projectId: "default",
      database: "embedded",
      startedAt: new Date(this.#startedMs).toISOString(),
      joinBaseUrl: this.#baseUrl,
      secureContext: false,
      issuerKey: hash("issuer"),
      logKey: hash("log"),
    };
  }

  runs(): readonly RunView[] {
    return this.#setups.map((setup) => this.#run(setup));
  }

  /**
   * The body of a route's answer, or null if there is nothing at `path`.
   *
   * @param query.cursor  Where a list goes on; of rounds, the number of the round before.
   */
  answer(method: string, path: string, body: string, query = new URLSearchParams()): unknown {
    const cursor = query.get("cursor");
    const list = (items: readonly unknown[]) => {
      const from = Number(cursor ?? 0);
      const next = from + PAGE;
      return { items: items.slice(from, next), next: next < items.length ? String(next) : null };
    };
    const parts = path.split("/").slice(1);
    const [collection, id, part, , detail] = parts;
    if (collection === "status") return this.#status();
    if (collection === "tasks") {
      if (id === undefined) return list(this.#tasks.map((task) => this.#task(task)));
      const task = this.#tasks.find(({ slug }) => slug === id);
      if (task === undefined) return null;
      const view = this.#task(task);
      if (part === "models" && detail === "decisions") return decisionsOf(this.#models(task));
      if (part === "models") return list(this.#models(task));
      if (part === "gates") return gatesOf(this.#models(task));
      if (part === "aliases") return aliasesOf(this.#models(task));
      return part === undefined ? view : taskPart(view, part);
    }
    if (collection === "runs" && id === undefined) {
      const first = this.#setups[0];
      if (method === "POST")
        return first ? { ...this.#run(first), number: 8, launch: JSON.parse(body) } : null;
      const slug = query.get("task");
      const asked = this.#setups.filter(({ task }) => slug === null || task.slug === slug);
      return list(asked.map((setup) => this.#run(setup)));
    }
    const setup = this.#setups.find(({ name }) => runId(name) === id);
    if (collection === "runs" && setup) {
      if (part === "rounds") {
        const after = Number(cursor ?? 0);
        return { items: this.#rounds(setup).filter(({ round }) => round > after), next: null };
      }
      if (part === "events") return list(this.#events(setup));
      this.#act(setup, part);
      return this.#run(setup);
    }
    if (collection === "rounds") {
      for (const one of this.#setups) {
        const round = this.#rounds(one).find(({ roundId }) => roundId === id);
        if (round) return this.#detail(one, round);
      }
    }
    return null;
  }

  /** The effect of a run's buttons: an open round ends first; a run without one is paused or ends at once (R16). */
  #act(setup: Setup, part: string | undefined): void {
    const hasRound = setup.state === "running";
    const idle = { currentRound: null, waiting: null, queuedBehind: null, secondsLeft: null } as const;
    const acts: Readonly<Record<string, Partial<RunView>>> = {
      pause: hasRound ? { pausing: true } : { ...idle, state: "paused" },
      stop: hasRound
        ? { state: "stopping" }
        : { ...idle, state: "failed", code: "ABORTED_BY_OPERATOR", endedAt: new Date().toISOString() },
      resume: { state: "running", pausing: false },
    };
    const change = acts[part ?? ""];
    if (change !== undefined) this.#acts.set(runId(setup.name), change);
  }

  /** The socket's messages in this second. */
  tick(): [string, unknown][] {
    if (this.#atS !== null) return [];
    return this.#setups
      .filter(({ state }) => state === "running")
      .flatMap((setup): [string, unknown][] => {
        const run = this.#run(setup);
        return [
          ["run", run],
          ["round", run.currentRound],
        ];
      });
  }
}

/** What the coordinator would have noted of a round by now, newest first. */
function notesOf(view: RoundView): Note[] {
  const { round, parentModelHash, threshold } = view;
  const notes: Note[] = [
    { kind: "round.opened", details: { round, modelHash: parentModelHash } },
    { kind: "round.invited", details: { round, invited: view.joined } },
  ];
  if (view.shared !== null && threshold !== null)
    notes.push({ kind: "round.collecting", details: { round, devices: view.shared, needed: threshold } });
  if (view.phase === "committed" && view.modelHash !== null) {
    const survivors = view.survivors ?? view.sent;
    notes.push(
      { kind: "round.opened-sum", details: { round, confirmed: view.confirmed } },
      { kind: "round.committed", details: { round, survivors, modelHash: view.modelHash } },
    );
  }
  if (view.phase === "failed" && view.code !== null)
    notes.push({ kind: "round.failed", details: { round, code: view.code } });
  return notes.toReversed();
}
