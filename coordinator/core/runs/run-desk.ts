import { present } from "#shared/kernel/assert.ts";
import type { Position } from "#shared/kernel/places.ts";
import { SerialQueue } from "#shared/kernel/serial-queue.ts";
import type { RunView } from "#shared/protocol/api.ts";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import type { RunId } from "#shared/protocol/ids.ts";
import { compatible } from "#shared/round/roster.ts";
import { isGoing } from "#shared/round/run.ts";
import type { RunLaunched } from "#shared/round/run-event.ts";
import { isLive } from "#shared/round/state.ts";
import type { Lobby } from "../devices/lobby.ts";
import { backoffMs } from "../ports/backoff.ts";
import { outageCode } from "../ports/outage.ts";
import type { CoordinatorPorts, StoredEvent, StoredNote } from "../ports/ports.ts";
import { endRoundsOf } from "../rounds/end-round.ts";
import { Forgetting } from "../rounds/forgetting.ts";
import type { RoundDriver } from "../rounds/round-driver.ts";
import { openSlots, type Slots } from "../rounds/slots.ts";
import { type RunTerms, runTerms } from "../tasks/terms.ts";
import { CurrentRuns } from "./current-runs.ts";
import { Notices } from "./notices.ts";
import type { Publisher } from "./publisher.ts";
import { Reloads } from "./reloads.ts";
import { type RunContext, RunDriver } from "./run-driver.ts";
import { readRun } from "./run-history.ts";
import { endUnreadableRun } from "./unreadable-run.ts";

/** All open runs: one active per task, the others queued. Rule R20. */
export class RunDesk {
  readonly #ports: CoordinatorPorts;
  readonly #lobby: Lobby;
  readonly #publisher: Publisher;
  readonly #onCandidate: (task: string, version: number) => void;
  /** Open runs by id, in order of launch. */
  readonly #runs = new Map<string, RunDriver>();
  readonly #current = new CurrentRuns<RunDriver>();
  readonly #reloads: Reloads;
  readonly #notices = new Notices();
  readonly #forgetting: Forgetting;
  /** Whether the leftovers of an earlier process have been dealt with. */
  #swept = false;
  /** Archived tasks whose runs this process has ended, or is ending. */
  readonly #archived = new Set<string>();
  #cancelSweep = () => {};
  #slots: Slots | null = null;
  readonly #offering = new SerialQueue();
  #closed = false;

  /** @param onCandidate  Called with the newest model of a run that has ended. */
  constructor(
    ports: CoordinatorPorts,
    lobby: Lobby,
    publisher: Publisher,
    onCandidate: (task: string, version: number) => void,
  ) {
    this.#ports = ports;
    this.#onCandidate = onCandidate;
    this.#lobby = lobby;
    this.#publisher = publisher;
    this.#reloads = new Reloads(ports.random);
    this.#forgetting = new Forgetting(ports);
  }

  /** Reads the open runs from their logs and continues them. */
  async start(): Promise<void> {
    this.#slots = await openSlots(this.#ports);
    for (const runId of await this.#ports.store.openRunIds()) {
      // An unreadable run does not keep the others from continuing.
      await this.#load(runId).catch((error) => this.#loadLater(runId, null, error));
    }
    for (const runId of await this.#ports.store.halfEndedRunIds()) {
      // A run that cannot be ended now is tried again at the next start.
      await this.#endLeftRound(runId).catch((error) => this.#logFault(runId, error));
    }
    const tasks = new Set([...this.#runs.values()].map((run) => run.state.facts.task));
    await Promise.all([...tasks].map((task) => this.#startNext(task)));
    // A kill may have come between the archiving of a task and the ends of its runs.
    for (const task of tasks) {
      const archived = (await this.#ports.store.findTask(task))?.settings.archived;
      if (archived != null) await this.archive(task, archived.by);
    }
    await this.#sweep();
  }

  /**
   * Forgets an earlier process's leftovers, once it is known which sessions live. A failed deletion is retried
   * by the process it failed in. Rule S11.
   */
  async #sweep(tries = 1): Promise<void> {
    if (this.#swept) return;
    try {
      this.#swept = await this.#forgetting.sweep(() => this.#livingSessions());
    } catch (error) {
      this.#ports.log.error({ error: String(error) }, "what an earlier process left could not be looked up");
    }
    this.#cancelSweep();
    if (this.#swept || this.#closed) return;
    const { after, random } = this.#ports;
    this.#cancelSweep = after(backoffMs(tries, random), () => void this.#sweep(tries + 1));
  }

  /** Null until every run and its round are read back from their logs. */
  async #livingSessions(): Promise<ReadonlySet<string> | null> {
    const open = await this.#ports.store.openRunIds();
    if (open.some((runId) => !this.#runs.has(runId))) return null;
    const sids = new Set<string>();
    for (const { state, round } of this.#runs.values()) {
      if (round === null ? state.roundIsOpen : round.closed) return null;
      for (const { sid } of (await round?.admission())?.sessions ?? []) sids.add(sid);
    }
    return sids;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelSweep();
    this.#forgetting.close();
    for (const run of new Set([...this.#runs.values(), ...this.#current.all()])) await run.close();
  }

  /** @throws if the launch could not be written. */
  async launch(terms: RunTerms, facts: RunLaunched, projectId: string): Promise<RunDriver> {
    const run = await RunDriver.launch(this.#context(terms, projectId), facts);
    this.#runs.set(run.runId, run);
    void this.#startNext(facts.task);
    return run;
  }

  /** Called when devices of this task come, go or become ready. */
  readinessChanged(task: string): void {
    const run = this.activeRun(task);
    if (run === null) return;
    run.readinessChanged();
    if (run.state.phase === "waiting") this.#publisher.runSoon(run.runId, () => this.#runs.get(run.runId));
  }

  /** Number of open runs, of this task and in all. */
  openRuns(task: string): { readonly ofTask: number; readonly inAll: number } {
    const ofTask = this.#openRunsOf(task).length;
    return { ofTask, inAll: this.#runs.size };
  }

  /**
   * Ends the runs of an archived task: those in line at once, the active one after its round. Then its devices are told
   * (A20).
   */
  async archive(task: string, actor: string): Promise<void> {
    this.#archived.add(task);
    // Queued ones first: otherwise one of them would take its turn.
    const byTurn = [...this.#openRunsOf(task)].sort(
      (left, right) => Number(right.state.phase === "queued") - Number(left.state.phase === "queued"),
    );
    for (const run of byTurn) await run.submit({ type: "archive-asked", actor });
    this.#tellArchived(task);
  }

  /** A new version takes the task up again. */
  takeUp(task: string): void {
    this.#archived.delete(task);
  }

  #openRunsOf(task: string): readonly RunDriver[] {
    return [...this.#runs.values()].filter((run) => run.state.facts.task === task);
  }

  /** Devices connect again after this, and hear why when they check in. */
  #tellArchived(task: string): void {
    if (!this.#archived.has(task) || this.#openRunsOf(task).length > 0) return;
    for (const identity of this.#lobby.connected(task)) this.#ports.devices.drop(identity, "TASK_ARCHIVED");
  }

  run(runId: string): RunDriver | null {
    return this.#runs.get(runId) ?? null;
  }

  activeRun(task: string): RunDriver | null {
    const run = this.#current.get(task);
    return run?.ended === false ? run : null;
  }

  /** Round of the active run, or the last round of the run before. */
  currentRound(task: string): RoundDriver | null {
    return this.#current.get(task)?.round ?? null;
  }

  earlierRound(task: string): RoundDriver | null {
    return this.#current.get(task)?.earlierRound ?? null;
  }

  round(roundId: string): RoundDriver | null {
    for (const run of this.#runs.values()) if (run.round?.state.facts.roundId === roundId) return run.round;
    return null;
  }

  /** The round whose current attempt includes this session. */
  async roundOfSession(sid: string): Promise<RoundDriver | null> {
    for (const { round } of this.#runs.values()) {
      const sessions = (await round?.admission())?.sessions ?? [];
      if (sessions.some((session) => session.sid === sid)) return round;
    }
    return null;
  }

  isSlotToken(sid: string, position: Position, token: string): Promise<boolean> {
    return this.#openedSlots().isToken(sid, position, token);
  }

  #openedSlots(): Slots {
    return present(this.#slots, "the desk has started");
  }

  /** Resolves once the task's next run, if any, is under way. */
  async #startNext(task: string): Promise<void> {
    if (this.#closed || this.activeRun(task) !== null) return;
    const open = this.#openRunsOf(task);
    const next = open.find((run) => run.state.phase !== "queued") ?? open[0];
    if (next === undefined) return;
    this.#current.set(task, next);
    await (next.state.phase === "queued" ? next.start() : next.resume());
  }

  async #load(runId: string): Promise<void> {
    const { store } = this.#ports;
    const log = await store.readStream({ kind: "run", id: runId });
    // The launch was never written.
    if (log.length === 0 && (await store.findRun(runId)) === null) return;
    const run = await this.#recover(runId, log);
    const known = this.#runs.get(runId);
    if (run === null) {
      const view = await endUnreadableRun(this.#ports, runId, log.at(-1)?.sequence ?? 0);
      if (known !== undefined) this.#onEnded(known);
      // A run that this process never drove: its devices may be connected all the same.
      else if (view !== null) this.#tellEnd(view.run.task, runId, "failed");
      if (view !== null) this.#publisher.run(view.projectId, view.run);
    } else if (!run.ended) this.#runs.set(runId, run);
    else if (known !== undefined) {
      // Its driver did not know whether the end was written, so it has told nobody.
      this.#onEnded(run);
      this.#publisher.run(run.projectId, run.view());
    }
  }

  /**
   * Ends a round that an earlier version left open in an ended run, and deletes what is kept of it. Rule R44.
   */
  async #endLeftRound(runId: string): Promise<void> {
    const run = await this.#recover(runId, await this.#ports.store.readStream({ kind: "run", id: runId }));
    if (run?.ended === true) await run.endLeftRound();
    // The open round may be an older one, too.
    await endRoundsOf(this.#ports, runId, run?.state.code ?? "LOG_UNREADABLE");
  }

  /**
   * @returns null if the run is unreadable.
   * @throws The database's error, after which it can be tried again.
   */
  async #recover(runId: string, log: readonly StoredEvent[]): Promise<RunDriver | null> {
    const history = readRun(log);
    if (!history.ok) {
      this.#ports.log.error({ runId, ...history.error }, "a run's log cannot be read");
      return null;
    }
    const { facts } = history.value.state;
    const stored = await this.#ports.store.findTask(facts.task, facts.taskVersion);
    if (stored === null) return null;
    try {
      const terms = await runTerms(this.#ports, stored.task, facts);
      const numbers = await this.#ports.store.modelNumbers(runId);
      return RunDriver.recover(this.#context(terms, stored.projectId), history.value, numbers);
    } catch (error) {
      this.#logFault(runId, error);
      return null;
    }
  }

  #context(terms: RunTerms, projectId: string): RunContext {
    return {
      ports: this.#ports,
      terms,
      projectId,
      slots: this.#openedSlots(),
      forgetting: this.#forgetting,
      onChange: (run, note) => {
        this.#reloads.wrote(run.runId);
        this.#notices.over(run.runId, "log");
        // A run that is paused, stopped or in a round does not wait for its next round.
        if (!isGoing(run.state) || run.state.roundIsOpen) this.#notices.over(run.runId, "round");
        if (run.state.unevaluated.length === 0) this.#notices.over(run.runId, "figures");
        if (note !== null) this.#publisher.event(run, note);
        this.#publisher.run(run.projectId, run.view());
        this.#showQueue(run);
      },
      presence: ({ forbiddenPairs, removed }) => {
        const { slug, version } = terms.task;
        return {
          ready: compatible(this.#lobby.ready(slug, version), forbiddenPairs, removed).length,
          connected: this.#lobby.connected(slug).length,
        };
      },
      logSize: (identity) => this.#lobby.logSize(identity),
      expectedDevices: () => this.#lobby.expectedCount(terms.task.slug, terms.task.version),
      ahead: (runId) => this.#ahead(terms.task.slug, runId),
      onRoundChange: (driver, note) => this.#onRoundChange(projectId, driver, note),
      onRecruiting: (round) => this.#recruit(terms, round),
      onFigures: (round) => this.#publisher.figures(projectId, round),
      onEnded: (run) => this.#onEnded(run),
      onFault: (run, error) => this.#onFault(run, error),
      onWait: (runId, waiter, error) => this.#note(runId, this.#notices.waits(runId, waiter, error)),
      notice: (runId) => this.#notices.of(runId),
      refusals: {
        code: (runId, round) => this.#notices.refusalCode(runId, round),
        isOpened: (runId, modelHash) => this.#notices.isOpened(runId, modelHash),
      },
      offering: (work) => this.#offering.run(work),
    };
  }

  #ahead(task: string, runId: string): RunView["queuedBehind"] {
    const active = this.activeRun(task);
    if (active === null || active.runId === runId) return null;
    const { facts, phase } = active.state;
    return { runId: active.runId as RunId, number: facts.number, state: phase };
  }

  /** Shows the queued runs of the task with this run's new phase. */
  #showQueue(run: RunDriver): void {
    const { facts, phase } = run.state;
    if (!this.#current.showPhase(facts.task, run, phase)) return;
    for (const other of this.#runs.values())
      if (other.state.phase === "queued" && other.state.facts.task === facts.task)
        this.#publisher.run(other.projectId, other.view());
  }

  #onRoundChange(projectId: string, driver: RoundDriver, note: StoredNote | null): void {
    const { runId } = driver.state.facts;
    if (note !== null) this.#publisher.event({ runId, projectId }, note);
    const turned = this.#publisher.round(projectId, driver, () => this.#runs.get(runId)?.round);
    if (!isLive(driver.state)) this.#lobby.roundEnded(driver.state);
    this.#reloads.wrote(runId);
    let noted = this.#notices.over(runId, "log", ...(isLive(driver.state) ? [] : (["sum"] as const)));
    if (driver.state.phase === "committed") noted = this.#notices.committed(runId) || noted;
    const run = this.#runs.get(runId);
    if ((turned || noted) && run !== undefined) this.#publisher.run(run.projectId, run.view());
    if (turned && driver.state.phase === "training") {
      // An invited device is no longer waiting. It checks in again when its part is over, or when it left and
      // came back.
      for (const [identity, member] of driver.state.members)
        if (member.invited && member.out === null) this.#lobby.invited(identity);
    }
  }

  /** Checks in all waiting devices as one event, so that lots decide and not the order of arrival (R3). */
  #recruit({ task }: RunTerms, round: RoundDriver): void {
    for (const identity of this.#lobby.connected(task.slug)) {
      // After a restart a living round's devices may be back before the round is.
      void round.deviceUp(identity);
    }
    if (round.state.phase !== "recruiting") return;
    void round.checkIn(this.#lobby.checkIns(this.#lobby.ready(task.slug, task.version)));
  }

  /** Called when a device leaves a round it was invited to and says why. */
  deviceRefused(round: RoundDriver, identity: string, code: ErrorCode): void {
    const { facts, members, phase } = round.state;
    if (phase === "committed" || !this.#runs.has(facts.runId)) return;
    const invitedCount = () => [...members.values()].filter(({ invited }) => invited).length;
    this.#note(facts.runId, this.#notices.deviceRefused(facts, invitedCount, identity, code));
  }

  #note(runId: string, changed: boolean): void {
    const run = this.#runs.get(runId);
    if (changed && run !== undefined) this.#publisher.run(run.projectId, run.view());
  }

  #onEnded(run: RunDriver): void {
    this.#runs.delete(run.runId);
    this.#reloads.ended(run.runId);
    this.#notices.ended(run.runId);
    const { phase, code, facts } = run.state;
    const isStopped = code === "ABORTED_BY_OPERATOR" || code === "TASK_ARCHIVED";
    const state = isStopped ? "stopped" : phase === "completed" ? "completed" : "failed";
    this.#tellEnd(facts.task, run.runId, state);
    this.#current.ended(facts.task);
    void this.#startNext(facts.task);
    this.#tellArchived(facts.task);
    const { candidate } = run.view();
    if (candidate != null) this.#onCandidate(facts.task, candidate);
  }

  #tellEnd(task: string, runId: string, state: "stopped" | "completed" | "failed"): void {
    for (const identity of this.#lobby.connected(task))
      this.#ports.devices.send(identity, { type: "run-ended", runId: runId as RunId, state });
  }

  /** Nobody knows what the failed write did, so the drivers are dropped and the log is read again. */
  #onFault(run: RunDriver, error: unknown): void {
    this.#loadLater(run.runId, run, error);
  }

  /** @param run  The failed driver; null if its log could not be read. */
  #loadLater(runId: string, run: RunDriver | null, error: unknown): void {
    this.#logFault(runId, error);
    if (this.#closed) return;
    const roundsCommitted = run?.state.roundsCommitted ?? 0;
    // New drivers find out again what they wait for.
    this.#notices.over(runId, "round", "sum", "figures");
    if (outageCode(error) !== null) this.#note(runId, this.#notices.waits(runId, "log", error));
    const delayMs = this.#reloads.delayMs(runId, roundsCommitted, error);
    this.#ports.after(delayMs, () => void this.#reload(runId, run));
  }

  async #reload(runId: string, run: RunDriver | null): Promise<void> {
    if (this.#closed) return;
    try {
      await run?.close();
      await this.#load(runId);
    } catch (error) {
      this.#loadLater(runId, run, error);
      return;
    }
    const again = this.#runs.get(runId);
    const task = (again ?? run)?.state.facts.task;
    if (task === undefined) return;
    if (again !== undefined && this.#reloads.isHopeless(runId)) {
      // Devices that come back later ask the current run how it ended.
      if (this.#current.get(task) === run) this.#current.set(task, again);
      await again.giveUp("INTERNAL");
    }
    if (run !== null && this.#current.get(task) === run) this.#current.delete(task);
    await this.#startNext(task);
    await this.#sweep();
  }

  /**
   * The store was out of this process's control and another may have written. Every run is read again from
   * its log as soon as possible.
   */
  interrupt(reason: Error): void {
    for (const run of this.#runs.values()) run.interrupt(reason);
  }

  #logFault(runId: string, error: unknown): void {
    this.#ports.log.error({ runId, error: String(error) }, "a run could not go on");
  }
}
