import { SerialQueue } from "#shared/kernel/serial-queue.ts";
import type { RoundView, RunNotice, RunView } from "#shared/protocol/api.ts";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import { logged } from "#shared/round/log.ts";
import {
  hasEnded,
  launchRun,
  pendingRunEffects,
  type RunEffect,
  type RunState,
  stepRun,
} from "#shared/round/run.ts";
import type { RunEvent, RunLaunched } from "#shared/round/run-event.ts";
import { Evaluation } from "../models/evaluation.ts";
import { putMade } from "../models/models.ts";
import type { Note, StoredNote, StoreRecord } from "../ports/ports.ts";
import type { RoundDriver } from "../rounds/round-driver.ts";
import type { RunTerms } from "../tasks/terms.ts";
import { type RunSurroundings, type RunTimes, runView, viewColumns } from "../views/run-view.ts";
import { type Figures, figuresAfter } from "./figure-records.ts";
import { type RunHistory, timesAfter } from "./run-history.ts";
import { launchNote, runNote } from "./run-note.ts";
import { runRecords } from "./run-records.ts";
import { RunRounds, type RunRoundsContext } from "./run-rounds.ts";

export interface RunContext extends RunRoundsContext {
  /** Of the run's task. */
  readonly projectId: string;
  /** The run that has the task's turn while this one is queued. */
  readonly ahead: (runId: string) => RunSurroundings["queuedBehind"];
  readonly onChange: (run: RunDriver, note: StoredNote | null) => void;
  /** Called when a finished round has its figures. */
  readonly onFigures: (round: RoundView) => void;
  readonly onEnded: (run: RunDriver) => void;
  readonly onFault: (run: RunDriver, error: unknown) => void;
  /** Why the run is stuck, if it is. */
  readonly notice: (runId: string) => RunNotice | null;
}

type RoundRecord = Extract<StoreRecord, { readonly type: "round-row" }>;

/** Drives one run and its rounds, one after the other, from the run's log. */
export class RunDriver {
  readonly #context: RunContext;
  readonly #evaluation: Evaluation;
  readonly #rounds: RunRounds;
  #state: RunState;
  #sequence: number;
  #times: RunTimes;
  /** Of the run's models among those of the task, by round. The store gives them out with each round's commit. */
  #numbers: ReadonlyMap<number, number>;
  readonly #queue = new SerialQueue();
  readonly #effects = new SerialQueue();
  #closed = false;
  /** The error that ended this driver. */
  #failure: unknown = null;

  private constructor(
    context: RunContext,
    { state, sequence, times }: RunHistory,
    numbers: ReadonlyMap<number, number>,
  ) {
    this.#context = context;
    this.#state = state;
    this.#sequence = sequence;
    this.#times = times;
    this.#numbers = numbers;
    this.#evaluation = new Evaluation({
      ports: context.ports,
      terms: context.terms,
      state: () => this.#state,
      answer: (event) => this.submit(event),
      onWait: (error) => context.onWait(this.runId, "figures", error),
    });
    this.#rounds = new RunRounds(context, {
      state: () => this.#state,
      version: (round) => this.#numbers.get(round) ?? null,
      submit: (event) => this.submit(event),
      effect: (work) => this.#effect(work),
      die: (error) => this.#die(error),
    });
  }

  /**
   * Writes the first event of a run. @throws if the write failed. If it succeeded after all, the desk finds
   * the run.
   */
  static async launch(context: RunContext, facts: RunLaunched): Promise<RunDriver> {
    const createdAtUnixMs = context.ports.wall.nowUnixMs();
    const times = { createdAtUnixMs, startedAtUnixMs: null, endedAtUnixMs: null };
    const run = new RunDriver(context, { state: launchRun(facts), sequence: 0, times }, new Map());
    const written = await run.#write(
      facts,
      run.#state,
      launchNote(facts.number, facts.actor),
      createdAtUnixMs,
    );
    if (!written) throw run.#failure;
    return run;
  }

  /**
   * Restores a run from its log. `resume` continues it.
   *
   * @param numbers  Of its models, by round.
   */
  static recover(context: RunContext, history: RunHistory, numbers: ReadonlyMap<number, number>): RunDriver {
    const run = new RunDriver(context, history, numbers);
    run.#rounds.stateChanged();
    return run;
  }

  get state(): RunState {
    return this.#state;
  }

  get runId(): string {
    return this.#state.facts.runId;
  }

  get projectId(): string {
    return this.#context.projectId;
  }

  get ended(): boolean {
    return hasEnded(this.#state);
  }

  /** The current round, or the one that has just ended. */
  get round(): RoundDriver | null {
    return this.#rounds.current;
  }

  /** The round before that one. It is closed, but its devices may still ask for the outcome. */
  get earlierRound(): RoundDriver | null {
    return this.#rounds.earlier;
  }

  get terms(): RunTerms {
    return this.#context.terms;
  }

  view(): RunView {
    return { ...this.#view(this.#state, this.#times), notice: this.#context.notice(this.runId) };
  }

  #view(state: RunState, times: RunTimes): RunView {
    const { round } = this;
    const open = state.roundIsOpen && round?.state.facts.round === state.round ? round.views().view : null;
    const surroundings: RunSurroundings = {
      // Only a waiting run shows it, and counting visits every connected device.
      ready: state.phase === "waiting" ? this.#context.presence(state).ready : 0,
      needed: this.#rounds.needed,
      queuedBehind: state.phase === "queued" ? this.#context.ahead(this.runId) : null,
      candidate: this.#numbers.get(state.published?.round ?? 0) ?? null,
    };
    return runView(state, times, open, surroundings);
  }

  /** Called when devices come, go or become ready. */
  readinessChanged(): void {
    this.#rounds.readinessChanged();
  }

  /** Continues what a reloaded run was about to do. */
  async resume(): Promise<void> {
    this.#run(pendingRunEffects(this.#state));
    await this.#effects.settled();
  }

  /** Called when the run's turn has come. */
  async start(): Promise<void> {
    await this.#effect(async () => {
      if (this.#state.phase !== "queued") return;
      const { ports, terms } = this.#context;
      const { seed, beginsWith } = this.#state.facts;
      const modelHash =
        beginsWith?.modelHash ?? (await putMade(ports, { kind: "initial", task: terms.task, seed }));
      await this.submit({ type: "started", modelHash });
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#evaluation.close();
    await this.#rounds.close();
    await this.#queue.settled();
    await this.#effects.settled();
  }

  /** Submits an event to the machine. @returns The code if it was refused. */
  submit(event: RunEvent): Promise<ErrorCode | null> {
    return this.#queue.run(async (): Promise<ErrorCode | null> => {
      if (this.#closed) return "UNAVAILABLE";
      const { state, effects } = stepRun(this.#state, event);
      const [first] = effects;
      if (first?.type === "reject") return first.code;
      const written = await this.#write(event, state, runNote(event), this.#context.ports.wall.nowUnixMs());
      if (!written) return "UNAVAILABLE";
      this.#run(effects);
      return null;
    });
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
    const stream = { kind: "run", id: runId } as const;
    const rounds = [this.round, this.earlierRound];
    let figures: Figures;
    let numbered: RoundRecord | null = null;
    try {
      if (fact.type === "round-ended" && fact.outcome === "committed") numbered = await this.#numberedRound();
      const row = {
        projectId: this.#context.projectId,
        task,
        taskVersion,
        number,
        state: state.phase,
        actor,
        createdAt: times.createdAtUnixMs,
        ...viewColumns(this.#view(state, times)),
      };
      const records: StoreRecord[] = [{ type: "run-row", runId, row }, ...runRecords(fact, this.#state)];
      if (note !== null) records.push({ type: "note", note });
      if (numbered !== null) records.push(numbered);
      figures = await figuresAfter({ ports, rounds }, this.#state, state);
      records.push(...figures.records);
      const written = await ports.store.append(stream, [
        { event: { sequence, at, event: logged(fact) }, records },
      ]);
      if (!written.ok) throw new Error(`another writer has event ${sequence} of run ${runId}`);
    } catch (error) {
      this.#die(error);
      return false;
    }
    this.#state = state;
    this.#times = times;
    this.#sequence = sequence;
    this.#rounds.stateChanged();
    if (numbered !== null) this.#context.onFigures(numbered.row.view.view);
    for (const view of figures.views) this.#context.onFigures(view);
    this.#context.onChange(this, note && { stream, sequence, at, note });
    return true;
  }

  /** The row of a round that has committed, with its model's number, which its own driver cannot know. */
  async #numberedRound(): Promise<RoundRecord | null> {
    this.#numbers = await this.#context.ports.store.modelNumbers(this.runId);
    const round = this.round;
    if (round?.state.phase !== "committed") return null;
    const { facts, phase } = round.state;
    const row = { runId: this.runId, round: facts.round, phase, view: round.views() };
    return { type: "round-row", roundId: facts.roundId, row };
  }

  /** Stops driving. The desk then reads the log again. */
  interrupt(reason: Error): void {
    this.#die(reason);
  }

  #die(error: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#failure = error;
    this.#evaluation.close();
    void this.#rounds.close();
    this.#context.onFault(this, error);
  }

  #run(effects: readonly RunEffect[]): void {
    for (const effect of effects) void this.#effect(() => this.#carryOut(effect));
  }

  /** Runs effects one at a time. If one fails, the log must be read again. */
  #effect(work: () => Promise<void>): Promise<void> {
    return this.#effects.run(() => (this.#closed ? undefined : work().catch((error) => this.#die(error))));
  }

  async #carryOut(effect: RunEffect): Promise<void> {
    switch (effect.type) {
      case "reject":
        return;
      case "next-round":
      case "wait":
        return this.#rounds.next();
      case "open-round":
        return this.#rounds.open();
      case "stop-round":
        return this.#rounds.stop();
      case "evaluate":
        return this.#evaluation.wake();
      case "ended":
        return this.#context.onEnded(this);
    }
  }

  /** Ends the run because of a fault, after its open round. Rule R44. */
  async giveUp(code: ErrorCode): Promise<void> {
    await this.#effect(() => this.#rounds.giveUp(code));
  }

  /** Ends the round that an ended run left open. Rule R44. */
  endLeftRound(): Promise<void> {
    return this.#rounds.endLeft();
  }
}
