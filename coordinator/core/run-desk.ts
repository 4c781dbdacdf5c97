import { present } from "#shared/kernel/assert.ts";
import type { RunView } from "#shared/protocol/api.ts";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import type { RunId } from "#shared/protocol/ids.ts";
import { compatible } from "#shared/round/roster.ts";
import { isGoing } from "#shared/round/run.ts";
import type { RunEvent, RunLaunched } from "#shared/round/run-event.ts";
import { isLive } from "#shared/round/state.ts";
import { backoffMs } from "./backoff.ts";
import { CurrentRuns } from "./current-runs.ts";
import { endRoundsOf } from "./end-round.ts";
import { Forgetting } from "./forgetting.ts";
import type { Lobby } from "./lobby.ts";
import { type Note, runNote } from "./notes.ts";
import { Notices } from "./notices.ts";
import { outageCode } from "./outage.ts";
import type { CoordinatorPorts, StoredEvent } from "./ports.ts";
import { type Publisher, runEventStream } from "./publisher.ts";
import type { RoundDriver } from "./round-driver.ts";
import { type RunContext, RunDriver } from "./run-driver.ts";
import { readRun } from "./run-history.ts";
import { brokenView } from "./run-view.ts";
import { openSlots, type Slots } from "./slots.ts";
import { storedEvent } from "./stored-event.ts";
import { type RunTerms, runTerms } from "./terms.ts";

/** After a fault the log is read again this much later. */
const RELOAD_AFTER_MS = 1_000;
/** A run that fails this often without a committed round in between is given up. */
const FAULTS_MAX = 10;

/** All runs that have not ended: one active for each task, the others in line. Rule R20. */
export class RunDesk {
  readonly #ports: CoordinatorPorts;
  readonly #lobby: Lobby;
  readonly #publisher: Publisher;
  /** Open runs by id, in the order of their launch. */
  readonly #runs = new Map<string, RunDriver>();
  readonly #current = new CurrentRuns<RunDriver>();
  /** Faults by run since its newest committed round, and how many were committed then. */
  readonly #faults = new Map<string, { readonly count: number; readonly roundsCommitted: number }>();
  /** By run that waits for its store or disk: the tries since something of it was written last. Rule R43. */
  readonly #outages = new Map<string, number>();
  readonly #notices = new Notices();
  readonly #forgetting: Forgetting;
  /** Whether what an earlier process did not forget is being forgotten. */
  #swept = false;
  #slots: Slots | null = null;
  #offering: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(ports: CoordinatorPorts, lobby: Lobby, publisher: Publisher) {
    this.#ports = ports;
    this.#lobby = lobby;
    this.#publisher = publisher;
    this.#forgetting = new Forgetting(ports);
  }

  /** Reads the open runs from their logs and goes on with them. */
  async start(): Promise<void> {
    this.#slots = await openSlots(this.#ports);
    for (const runId of await this.#ports.store.openRunIds()) {
      // One run that cannot be read does not keep the others from going on.
      await this.#load(runId).catch((error) => this.#loadLater(runId, null, error));
    }
    for (const runId of await this.#ports.store.halfEndedRunIds()) {
      // One that cannot be ended now is tried again at the next start.
      await this.#endLeftRound(runId).catch((error) => this.#logFault(runId, error));
    }
    const tasks = new Set([...this.#runs.values()].map((run) => run.state.facts.task));
    await Promise.all([...tasks].map((task) => this.#startNext(task)));
    await this.#sweep();
  }

  /** Until it has been done once: a failed deletion is tried again by the process that it failed in. Rule S11. */
  async #sweep(): Promise<void> {
    if (this.#swept) return;
    try {
      this.#swept = await this.#forgetting.sweep(() => this.#livingSessions());
    } catch (error) {
      this.#ports.log.error({ error: String(error) }, "what an earlier process left could not be looked up");
    }
  }

  /** Null while a run or its round is not read back from its log. */
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
    this.#forgetting.close();
    for (const run of new Set([...this.#runs.values(), ...this.#current.all()])) await run.close();
  }

  /** @throws if the launch could not be written. */
  async launch(terms: RunTerms, facts: RunLaunched): Promise<RunDriver> {
    const run = await RunDriver.launch(this.#context(terms), facts);
    this.#runs.set(run.runId, run);
    void this.#startNext(facts.task);
    return run;
  }

  /** Devices of this task have come or gone, or are ready. */
  readinessChanged(task: string): void {
    const run = this.activeRun(task);
    if (run === null) return;
    run.readinessChanged();
    if (run.state.phase === "waiting") this.#publisher.runSoon(run.runId, () => this.#runs.get(run.runId));
  }

  /** Of a task, and of all: runs that have not ended. */
  openRuns(task: string): { readonly ofTask: number; readonly inAll: number } {
    const ofTask = [...this.#runs.values()].filter((run) => run.state.facts.task === task).length;
    return { ofTask, inAll: this.#runs.size };
  }

  run(runId: string): RunDriver | null {
    return this.#runs.get(runId) ?? null;
  }

  activeRun(task: string): RunDriver | null {
    const run = this.#current.get(task);
    return run?.ended === false ? run : null;
  }

  /** Of the active run, or the last one of the run before. */
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

  /** The round of whose current attempt this session is one. */
  async roundOfSession(sid: string): Promise<RoundDriver | null> {
    for (const { round } of this.#runs.values()) {
      const sessions = (await round?.admission())?.sessions ?? [];
      if (sessions.some((session) => session.sid === sid)) return round;
    }
    return null;
  }

  isSlotToken(sid: string, position: number, token: string): Promise<boolean> {
    return this.#openedSlots().isToken(sid, position, token);
  }

  #openedSlots(): Slots {
    return present(this.#slots, "the desk has started");
  }

  /** Resolves when the task's next run, if there is one, is under way. */
  async #startNext(task: string): Promise<void> {
    if (this.#closed || this.activeRun(task) !== null) return;
    const open = [...this.#runs.values()].filter((run) => run.state.facts.task === task);
    const next = open.find((run) => run.state.phase !== "queued") ?? open[0];
    if (next === undefined) return;
    this.#current.set(task, next);
    await (next.state.phase === "queued" ? next.start() : next.resume());
  }

  async #load(runId: string): Promise<void> {
    const { store } = this.#ports;
    const log = await store.readStream({ kind: "run", id: runId });
    // A launch that was not written after all.
    if (log.length === 0 && (await store.findRun(runId)) === null) return;
    const run = await this.#recover(runId, log);
    if (run === null) await this.#endUnreadable(runId, log.at(-1)?.sequence ?? 0);
    else if (run.ended) this.#runs.delete(runId);
    else this.#runs.set(runId, run);
  }

  /** An ended run whose round an earlier version did not end: what is kept of that round goes now. Rule R44. */
  async #endLeftRound(runId: string): Promise<void> {
    const run = await this.#recover(runId, await this.#ports.store.readStream({ kind: "run", id: runId }));
    if (run?.ended === true) await run.endLeftRound();
    // Also if the open round is not the newest one.
    await endRoundsOf(this.#ports, runId, run?.state.code ?? "LOG_UNREADABLE");
  }

  /**
   * @returns null if nobody can read the run.
   * @throws what the database refuses, which can be tried again.
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
      return RunDriver.recover(this.#context(await runTerms(this.#ports, stored.task, facts)), history.value);
    } catch (error) {
      this.#logFault(runId, error);
      return null;
    }
  }

  /**
   * No later start can read it either: its row says so, or it would seem to run for ever and its task's queue would not
   * show why nothing happens. The log itself stays as it is, but for this last event.
   */
  async #endUnreadable(runId: string, lastSequence: number): Promise<void> {
    const { store, wall, log } = this.#ports;
    const found = await store.findRun(runId);
    if (found === null) return;
    log.error({ runId, lastSequence }, "a run's log cannot be read; the run is ended");
    await endRoundsOf(this.#ports, runId, "LOG_UNREADABLE");
    this.#runs.delete(runId);
    const at = wall.nowUnixMs();
    const fact: RunEvent = { type: "broken", code: "LOG_UNREADABLE" };
    const known = found.view;
    const endedAtUnixMs = Math.max(at, Date.parse(known.startedAt ?? known.createdAt));
    const view: RunView = { ...known, ...brokenView(fact.code, endedAtUnixMs) };
    const row = { ...found, state: "failed", view };
    const stored = storedEvent(lastSequence + 1, at, fact, runNote(fact));
    await store.append({ kind: "run", id: runId }, stored, [{ type: "run-row", runId, row }]);
    this.#publisher.run(view);
  }

  #context(terms: RunTerms): RunContext {
    return {
      ports: this.#ports,
      terms,
      slots: this.#openedSlots(),
      forgetting: this.#forgetting,
      onChange: (run, note, sequence, at) => {
        this.#outages.delete(run.runId);
        this.#notices.over(run.runId, "log");
        // A run that is paused, stopped or in a round waits for nothing before the next one.
        if (!isGoing(run.state) || run.state.roundIsOpen) this.#notices.over(run.runId, "round");
        if (run.state.unevaluated.length === 0) this.#notices.over(run.runId, "figures");
        this.#publisher.event(runEventStream(run), run.runId, sequence, at, note);
        this.#publisher.run(run.view());
        this.#showQueue(run);
      },
      presence: ({ forbiddenPairs, removed }) => {
        const { slug, version } = terms.task;
        return {
          ready: compatible(this.#lobby.ready(slug, version), forbiddenPairs, removed).length,
          connected: this.#lobby.connected(slug).length,
        };
      },
      expectedDevices: () => this.#lobby.expectedCount(terms.task.slug, terms.task.version),
      ahead: (runId) => this.#ahead(terms.task.slug, runId),
      onRoundChange: (driver, note, sequence, at) => this.#onRoundChange(driver, note, sequence, at),
      onRecruiting: (round) => this.#recruit(terms, round),
      onFigures: (round) => this.#publisher.figures(round),
      onEnded: (run) => this.#onEnded(run),
      onFault: (run, error) => this.#onFault(run, error),
      onWait: (runId, waiter, error) => this.#note(runId, this.#notices.waits(runId, waiter, error)),
      notice: (runId) => this.#notices.of(runId),
      refusals: {
        code: (runId) => this.#notices.refusalCode(runId),
        isOpened: (runId, modelHash) => this.#notices.isOpened(runId, modelHash),
      },
      offering: (work) => {
        const turn = this.#offering.then(work);
        this.#offering = turn.catch(() => {});
        return turn;
      },
    };
  }

  #ahead(task: string, runId: string): RunView["queuedBehind"] {
    const active = this.activeRun(task);
    if (active === null || active.runId === runId) return null;
    const { facts, phase } = active.state;
    return { runId: active.runId as RunId, number: facts.number, state: phase };
  }

  /** Those behind a run say how it stands. */
  #showQueue(run: RunDriver): void {
    const { facts, phase } = run.state;
    if (!this.#current.showPhase(facts.task, run, phase)) return;
    for (const other of this.#runs.values())
      if (other.state.phase === "queued" && other.state.facts.task === facts.task)
        this.#publisher.run(other.view());
  }

  #onRoundChange(driver: RoundDriver, note: Note | null, sequence: number, at: number): void {
    const { runId, roundId } = driver.state.facts;
    this.#publisher.event({ kind: "round", id: roundId }, runId, sequence, at, note);
    const turned = this.#publisher.round(driver, () => this.#runs.get(runId)?.round);
    if (!isLive(driver.state)) this.#lobby.roundEnded(driver.state);
    this.#outages.delete(runId);
    let noted = this.#notices.over(runId, "log", ...(isLive(driver.state) ? [] : (["sum"] as const)));
    if (driver.state.phase === "committed") noted = this.#notices.committed(runId) || noted;
    const run = this.#runs.get(runId);
    if ((turned || noted) && run !== undefined) this.#publisher.run(run.view());
    if (turned && driver.state.phase === "training") {
      // Who is invited is not waiting any more; it checks in again when its part is over, or when it left and came back.
      for (const [identity, member] of driver.state.members)
        if (member.invited && member.out === null) this.#lobby.invited(identity);
    }
  }

  /** All who wait check in as one event: their lots decide, not who came first (R3). */
  #recruit({ task }: RunTerms, round: RoundDriver): void {
    for (const identity of this.#lobby.connected(task.slug)) {
      // After a restart the devices of a living round may be back before it is.
      void round.deviceUp(identity);
    }
    if (round.state.phase !== "recruiting") return;
    void round.checkIn(this.#lobby.checkIns(this.#lobby.ready(task.slug, task.version)));
  }

  /** A device left a round that it was invited to, and said why. */
  refused(round: RoundDriver, identity: string, code: ErrorCode): void {
    const { runId, parentModelHash } = round.state.facts;
    this.#note(runId, this.#notices.refused(runId, parentModelHash, identity, code));
  }

  #note(runId: string, changed: boolean): void {
    const run = this.#runs.get(runId);
    if (changed && run !== undefined) this.#publisher.run(run.view());
  }

  #onEnded(run: RunDriver): void {
    this.#runs.delete(run.runId);
    this.#faults.delete(run.runId);
    this.#outages.delete(run.runId);
    this.#notices.ended(run.runId);
    const { phase, code, facts } = run.state;
    const state = code === "ABORTED_BY_OPERATOR" ? "stopped" : phase === "completed" ? "completed" : "failed";
    for (const identity of this.#lobby.connected(facts.task)) {
      this.#ports.devices.send(identity, { type: "run-ended", runId: run.runId as RunId, state });
    }
    this.#current.ended(facts.task);
    void this.#startNext(facts.task);
  }

  /** Nobody knows what the failed write did: the drivers are dropped and the log is read again. */
  #onFault(run: RunDriver, error: unknown): void {
    this.#loadLater(run.runId, run, error);
  }

  /** @param run  The driver that failed; null if its log could not even be read. */
  #loadLater(runId: string, run: RunDriver | null, error: unknown): void {
    this.#logFault(runId, error);
    if (this.#closed) return;
    const roundsCommitted = run?.state.roundsCommitted ?? 0;
    // What its drivers waited for they find out anew.
    this.#notices.over(runId, "round", "sum", "figures");
    if (outageCode(error) !== null) this.#note(runId, this.#notices.waits(runId, "log", error));
    const pauseMs = this.#pauseAfter(runId, roundsCommitted, error);
    this.#ports.after(pauseMs, () => void this.#reload(runId, run));
  }

  /** A store or a disk that is out of reach is waited for, however long; only real faults are counted. */
  #pauseAfter(runId: string, roundsCommitted: number, error: unknown): number {
    if (outageCode(error) === null) {
      const before = this.#faults.get(runId) ?? { count: 0, roundsCommitted };
      const count = roundsCommitted > before.roundsCommitted ? 1 : before.count + 1;
      this.#faults.set(runId, { count, roundsCommitted: Math.max(roundsCommitted, before.roundsCommitted) });
      return RELOAD_AFTER_MS;
    }
    const tries = (this.#outages.get(runId) ?? 0) + 1;
    this.#outages.set(runId, tries);
    return backoffMs(tries, this.#ports.random);
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
    if ((this.#faults.get(runId)?.count ?? 0) >= FAULTS_MAX) await again?.giveUp("INTERNAL");
    const task = (again ?? run)?.state.facts.task;
    if (task === undefined) return;
    if (run !== null && this.#current.get(task) === run) this.#current.delete(task);
    await this.#startNext(task);
    await this.#sweep();
  }

  /**
   * The store was out of this process's hands for a time and another may have written: every run is read again from its
   * log, as soon as that can be read.
   */
  interrupt(reason: Error): void {
    for (const run of this.#runs.values()) run.interrupt(reason);
  }

  #logFault(runId: string, error: unknown): void {
    this.#ports.log.error({ runId, error: String(error) }, "a run could not go on");
  }
}
