import { present } from "#shared/kernel/assert.ts";
import type { RoundView, RunNotice, RunView } from "#shared/protocol/api.ts";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import { recruitingMinMsOf } from "#shared/round/check-in.ts";
import type { RoundOpened } from "#shared/round/event.ts";
import {
  evaluationOf,
  hasEnded,
  isGoing,
  launchRun,
  mayOpen,
  pendingRunEffects,
  type RunEffect,
  type RunState,
  stepRun,
} from "#shared/round/run.ts";
import type { RunEvent, RunLaunched } from "#shared/round/run-event.ts";
import { isLive } from "#shared/round/state.ts";
import { roundIdOf } from "#shared/secagg/attempt.ts";
import { endedForOtherTerms, giveUpRound } from "./end-round.ts";
import { Evaluation } from "./evaluation.ts";
import { type Figures, figuresAfter } from "./figure-records.ts";
import { byteCountOf, offerableModel, putInitialModel } from "./models.ts";
import { launchNote, type Note, runNote } from "./notes.ts";
import type { Waiter } from "./notices.ts";
import { Obstacles } from "./obstacles.ts";
import type { CoordinatorPorts, StoreRecord } from "./ports.ts";
import { readRound, recoverRound } from "./recover-round.ts";
import { type RoundContext, RoundDriver } from "./round-driver.ts";
import { neverOpened, roundEnd } from "./round-end.ts";
import { type RunHistory, timesAfter } from "./run-history.ts";
import { runRecords } from "./run-records.ts";
import { type RunSurroundings, type RunTimes, runView, viewColumns } from "./run-view.ts";
import type { Slots } from "./slots.ts";
import { storedEvent } from "./stored-event.ts";
import type { RunTerms } from "./terms.ts";
import { type Presence, Waiting } from "./waiting.ts";

export interface RunContext {
  readonly ports: CoordinatorPorts;
  readonly terms: RunTerms;
  readonly slots: Slots;
  readonly forgetting: RoundContext["forgetting"];
  readonly onRoundChange: RoundContext["onChange"];
  /** Of the devices that this run could take. */
  readonly presence: (run: RunState) => Presence;
  /** Devices that a round which opens now may expect. Rule R3. */
  readonly expectedDevices: () => number;
  /** The run that has its task's turn while this one is in the queue. */
  readonly ahead: (runId: string) => RunSurroundings["queuedBehind"];
  /** A round is open and takes check-ins. */
  readonly onRecruiting: (round: RoundDriver) => void;
  readonly onChange: (run: RunDriver, note: Note | null, sequence: number, atUnixMs: number) => void;
  /** A round that is over has its figures now. */
  readonly onFigures: (round: RoundView) => void;
  readonly onEnded: (run: RunDriver) => void;
  readonly onFault: (run: RunDriver, error: unknown) => void;
  /** Something that the run needs is out of reach, and is waited for; null once it is there. */
  readonly onWait: (runId: string, waiter: Waiter, error: unknown) => void;
  /** Why it does not get on, if it does not. */
  readonly notice: (runId: string) => RunNotice | null;
  /** What so many devices of a round say who refuse it that it is no accident. */
  readonly refusals: {
    readonly code: (runId: string, round: number) => ErrorCode | null;
    readonly isOpened: (runId: string, modelHash: string) => boolean;
  };
  /** Held from the choice of a model to its offer, so that two runs never offer the same one. */
  readonly offering: <T>(work: () => Promise<T>) => Promise<T>;
}

/** One run: its rounds one after the other, from its own log. */
export class RunDriver {
  readonly #context: RunContext;
  readonly #evaluation: Evaluation;
  readonly #waiting: Waiting;
  readonly #obstacles: Obstacles;
  #state: RunState;
  #sequence: number;
  #times: RunTimes;
  #round: RoundDriver | null = null;
  #earlierRound: RoundDriver | null = null;
  #queue: Promise<unknown> = Promise.resolve();
  #effects: Promise<void> = Promise.resolve();
  /** Whether a look at the devices is under way. */
  #looking = false;
  #closed = false;
  /** What ended this driver. */
  #failure: unknown = null;

  private constructor(context: RunContext, state: RunState, sequence: number, times: RunTimes) {
    this.#context = context;
    this.#state = state;
    this.#sequence = sequence;
    this.#times = times;
    this.#evaluation = new Evaluation({
      ports: context.ports,
      terms: context.terms,
      state: () => this.#state,
      answer: (event) => this.submit(event),
      onWait: (error) => context.onWait(this.runId, "figures", error),
    });
    this.#obstacles = new Obstacles(context.ports, (error) => context.onWait(this.runId, "round", error));
    this.#waiting = new Waiting({
      ports: context.ports,
      terms: context.terms,
      state: () => this.#state,
      presence: () => context.presence(this.#state),
      look: () => this.readinessChanged(),
      expire: (atUnixMs) => void this.submit({ type: "wait-expired", atUnixMs }),
    });
  }

  /** Writes the first event of a run. @throws if that write failed; should it stand after all, the desk finds it. */
  static async launch(context: RunContext, facts: RunLaunched): Promise<RunDriver> {
    const createdAtUnixMs = context.ports.wall.nowUnixMs();
    const times = { createdAtUnixMs, startedAtUnixMs: null, endedAtUnixMs: null };
    const run = new RunDriver(context, launchRun(facts), 0, times);
    const written = await run.#write(
      facts,
      run.#state,
      launchNote(facts.number, facts.actor),
      createdAtUnixMs,
    );
    if (!written) throw run.#failure;
    return run;
  }

  /** A run from its log; `resume` goes on with it. */
  static recover(context: RunContext, { state, sequence, times }: RunHistory): RunDriver {
    const run = new RunDriver(context, state, sequence, times);
    run.#waiting.update();
    return run;
  }

  get state(): RunState {
    return this.#state;
  }

  get runId(): string {
    return this.#state.facts.runId;
  }

  get ended(): boolean {
    return hasEnded(this.#state);
  }

  /** The current round, or the one that has just ended. */
  get round(): RoundDriver | null {
    return this.#round;
  }

  /** The one before it: closed, but its devices may still ask how it ended. */
  get earlierRound(): RoundDriver | null {
    return this.#earlierRound;
  }

  get terms(): RunTerms {
    return this.#context.terms;
  }

  view(): RunView {
    return { ...this.#view(this.#state, this.#times), notice: this.#context.notice(this.runId) };
  }

  #view(state: RunState, times: RunTimes): RunView {
    const open =
      state.roundIsOpen && this.#round?.state.facts.round === state.round ? this.#round.views().view : null;
    const surroundings: RunSurroundings = {
      // Only a run that waits says it, and counting takes a look at everyone who is connected.
      ready: state.phase === "waiting" ? this.#context.presence(state).ready : 0,
      needed: this.#waiting.needed,
      queuedBehind: state.phase === "queued" ? this.#context.ahead(this.runId) : null,
    };
    return runView(state, times, open, surroundings);
  }

  /** Devices have come or gone, or are ready. */
  readinessChanged(): void {
    if (this.#looking || !isGoing(this.#state) || !mayOpen(this.#state)) return;
    this.#looking = true;
    void this.#effect(() => {
      this.#looking = false;
      return this.#nextRound();
    });
  }

  /** Carries on with what a reloaded run was about to do. */
  async resume(): Promise<void> {
    this.#run(pendingRunEffects(this.#state));
    await this.#effects;
  }

  /** Its turn has come. */
  async start(): Promise<void> {
    await this.#effect(async () => {
      if (this.#state.phase !== "queued") return;
      const { ports, terms } = this.#context;
      const modelHash = await putInitialModel(ports, terms, this.#state.facts.seed);
      await this.submit({ type: "started", modelHash });
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#evaluation.close();
    this.#obstacles.close();
    this.#waiting.close();
    await this.#round?.close();
    await this.#queue.catch(() => {});
    await this.#effects;
  }

  /** One event through the machine. @returns the code where it was refused. */
  submit(event: RunEvent): Promise<ErrorCode | null> {
    const turn = this.#queue.then(async (): Promise<ErrorCode | null> => {
      if (this.#closed) return "UNAVAILABLE";
      const { state, effects } = stepRun(this.#state, event);
      const [first] = effects;
      if (first?.type === "reject") return first.code;
      const written = await this.#write(event, state, runNote(event), this.#context.ports.wall.nowUnixMs());
      if (!written) return "UNAVAILABLE";
      this.#run(effects);
      return null;
    });
    this.#queue = turn.catch(() => {});
    return turn;
  }

  async #write(
    fact: RunLaunched | RunEvent,
    state: RunState,
    note: Note | null,
    at: number,
  ): Promise<boolean> {
    const { ports } = this.#context;
    const { runId, task, taskVersion, number, actor } = state.facts;
    const times = timesAfter(this.#times, this.#state, state, at);
    const sequence = this.#sequence + 1;
    const row = {
      projectId: ports.projectId,
      task,
      taskVersion,
      number,
      state: state.phase,
      actor,
      createdAt: times.createdAtUnixMs,
      ...viewColumns(this.#view(state, times)),
    };
    const records: StoreRecord[] = [{ type: "run-row", runId, row }, ...runRecords(fact, this.#state)];
    let figures: Figures;
    try {
      figures = await figuresAfter({ ports, rounds: [this.#round, this.#earlierRound] }, this.#state, state);
      const event = storedEvent(sequence, at, fact, note);
      const written = await ports.store.append({ kind: "run", id: runId }, event, [
        ...records,
        ...figures.records,
      ]);
      if (!written.ok) throw new Error(`another writer has event ${sequence} of run ${runId}`);
    } catch (error) {
      this.#die(error);
      return false;
    }
    this.#state = state;
    this.#times = times;
    this.#sequence = sequence;
    this.#waiting.update();
    for (const view of figures.views) this.#context.onFigures(view);
    this.#context.onChange(this, note, sequence, at);
    return true;
  }

  /** Stops driving; the desk reads the log again. */
  interrupt(reason: Error): void {
    this.#die(reason);
  }

  #die(error: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#failure = error;
    this.#evaluation.close();
    this.#obstacles.close();
    this.#waiting.close();
    void this.#round?.close();
    this.#context.onFault(this, error);
  }

  #run(effects: readonly RunEffect[]): void {
    for (const effect of effects) void this.#effect(() => this.#carryOut(effect));
  }

  /** One after the other; a failure means that the log has to be read again. */
  #effect(work: () => Promise<void>): Promise<void> {
    this.#effects = this.#effects
      .then(() => (this.#closed ? undefined : work()))
      .catch((error) => this.#die(error));
    return this.#effects;
  }

  async #carryOut(effect: RunEffect): Promise<void> {
    switch (effect.type) {
      case "reject":
        return;
      case "next-round":
      case "wait":
        return this.#nextRound();
      case "open-round":
        return this.#openRound();
      case "stop-round":
        return this.#stopRound();
      case "evaluate":
        return this.#evaluation.wake();
      case "ended":
        return this.#context.onEnded(this);
    }
  }

  async #stopRound(): Promise<void> {
    if (this.#round?.state.facts.round !== this.#state.round) return this.#openRound();
    // Refused past the point of no return; the round then ends by itself.
    await this.#round.submit({ event: { type: "stopped" } });
    this.#round.stopWaiting();
  }

  async #nextRound(): Promise<void> {
    const { ports, terms, offering, refusals } = this.#context;
    const state = this.#state;
    if (!isGoing(state) || !mayOpen(state)) return;
    switch (this.#waiting.next()) {
      case "nothing":
        return;
      case "wait": {
        const { ready } = this.#context.presence(state);
        await this.submit({ type: "wait-began", atUnixMs: ports.wall.nowUnixMs(), ready });
        return;
      }
      case "open":
    }
    const round = state.round + 1;
    const parent = present(state.modelHash, "a running run has a model");
    if (!(await this.#obstacles.areGone(parent, () => void this.#effect(() => this.#nextRound())))) return;
    await offering(async () => {
      const isOpened = (hash: string) => refusals.isOpened(this.runId, hash);
      const modelHash = await offerableModel(ports, terms, parent, this.runId, round, isOpened);
      const { ready } = this.#context.presence(this.#state);
      // Some may have left since.
      if (ready < this.#waiting.needed) return this.readinessChanged();
      const refusal = await this.submit({ type: "round-opened", round, modelHash, ready });
      if (refusal === null) await this.#openRound();
    });
  }

  /** Also after a restart: the round's log may be there, whole or not at all. */
  async #openRound(): Promise<void> {
    const { ports, onRecruiting } = this.#context;
    const { state } = this;
    if (!state.roundIsOpen || this.#round?.state.facts.round === state.round) return;
    const roundId = await roundIdOf(ports.primitives, this.runId, state.round);
    const context = this.#roundContext();
    const read = async () => readRound(await ports.store.readStream({ kind: "round", id: roundId }));
    let history = await read();
    if (history.ok && (await endedForOtherTerms(ports, history.value.state.facts, this.#context.terms)))
      history = await read();
    if (!history.ok && history.error.type !== "empty") {
      const fields = { runId: this.runId, roundId, ...history.error };
      ports.log.error(fields, "a round's log cannot be read");
      await this.#giveUp("LOG_UNREADABLE");
      return;
    }
    if (!history.ok) {
      if (state.phase === "stopping") {
        await this.submit(neverOpened(state));
        return;
      }
      const parent = present(state.modelHash, "a running run has a model");
      if (!(await this.#obstacles.areGone(parent, () => void this.#effect(() => this.#openRound())))) return;
    }
    const before = this.#round;
    this.#round = history.ok
      ? await recoverRound(context, history.value)
      : await RoundDriver.open(context, await this.#facts(roundId));
    await before?.close();
    this.#earlierRound = before;
    if (!this.#round.closed) onRecruiting(this.#round);
  }

  #roundContext(): RoundContext {
    const { ports, terms, slots, forgetting, onRoundChange } = this.#context;
    const { facts, strategyStateHash } = this.#state;
    return {
      ports,
      terms,
      slots,
      forgetting,
      runNumber: facts.number,
      strategyStateHash,
      evaluation: (round) => evaluationOf(this.#state, round),
      onChange: onRoundChange,
      onEnded: (driver) => void this.#effect(() => this.#roundEnded(driver)),
      onFault: (error) => this.#die(error),
      onWait: (error) => this.#context.onWait(this.runId, "sum", error),
    };
  }

  /** Ends the run by a fault, and its open round before it. Rule R44. */
  async giveUp(code: ErrorCode): Promise<void> {
    await this.#effect(() => this.#giveUp(code));
  }

  async #giveUp(code: ErrorCode): Promise<void> {
    const { primitives } = this.#context.ports;
    const { roundIsOpen, round } = this.#state;
    if (roundIsOpen) {
      await this.#round?.close();
      const roundId = await roundIdOf(primitives, this.runId, round);
      // Devices that come back are still told how it ended.
      this.#round = (await giveUpRound(this.#roundContext(), roundId, code)) ?? this.#round;
    }
    await this.submit({ type: "broken", code });
  }

  /** Ends the newest round of a run that has ended and left it open. Rule R44. */
  async endLeftRound(): Promise<void> {
    const { round, code } = this.#state;
    const roundId = await roundIdOf(this.#context.ports.primitives, this.runId, round);
    const driver = await giveUpRound(this.#roundContext(), roundId, code ?? "INTERNAL");
    await driver?.close();
  }

  async #facts(roundId: string): Promise<RoundOpened> {
    const { ports, terms, expectedDevices } = this.#context;
    const { round, modelHash, forbiddenPairs, removed } = this.#state;
    const parentModelHash = present(modelHash, "a running run has a model");
    return {
      type: "opened",
      runId: this.runId,
      round,
      roundId,
      openedAtUnixMs: ports.wall.nowUnixMs(),
      rules: {
        ...terms.rules,
        recruitingMinMs: recruitingMinMsOf(terms.task.aggregation, expectedDevices()),
      },
      configHash: terms.configHash,
      roundHash: terms.roundHash,
      parentModelHash,
      modelByteCount: await byteCountOf(ports, parentModelHash),
      forbiddenPairs,
      removed,
    };
  }

  async #roundEnded(driver: RoundDriver): Promise<void> {
    const { state } = driver;
    if (isLive(state) || !this.#state.roundIsOpen || state.facts.round !== this.#state.round) return;
    this.#obstacles.roundEnded(state.phase === "committed");
    const { ports, terms, refusals } = this.#context;
    const refusal = refusals.code(this.runId, state.facts.round);
    await this.submit(await roundEnd(ports, terms, this.#state, state, refusal));
  }
}
