import { present } from "#shared/kernel/assert.ts";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import { recruitingMinMsOf } from "#shared/round/check-in.ts";
import type { RoundOpened } from "#shared/round/event.ts";
import { evaluationOf, isGoing, mayOpen, type RunState } from "#shared/round/run.ts";
import type { RunEvent } from "#shared/round/run-event.ts";
import { isLive } from "#shared/round/state.ts";
import { roundIdOf } from "#shared/secagg/attempt.ts";
import { byteCountOf, offerableModel } from "../models/models.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import { endedForOtherTerms, giveUpRound } from "../rounds/end-round.ts";
import { readRound, recoverRound } from "../rounds/recover-round.ts";
import { type RoundContext, RoundDriver } from "../rounds/round-driver.ts";
import { neverOpened, roundEnd } from "../rounds/round-end.ts";
import type { Slots } from "../rounds/slots.ts";
import { logAgreement } from "../tasks/task-leaf.ts";
import type { RunTerms } from "../tasks/terms.ts";
import type { Waiter } from "./notices.ts";
import { Obstacles } from "./obstacles.ts";
import { type DeviceCounts, Waiting } from "./waiting.ts";

/** What the rounds of a run need of those who have all runs. */
export interface RunRoundsContext {
  readonly ports: CoordinatorPorts;
  readonly terms: RunTerms;
  readonly slots: Slots;
  readonly forgetting: RoundContext["forgetting"];
  readonly onRoundChange: RoundContext["onChange"];
  /** Devices that this run could use. */
  readonly presence: (run: RunState) => DeviceCounts;
  /** How many devices a round opening now may expect. Rule R3. */
  readonly expectedDevices: () => number;
  /** What a device has seen of the public log. */
  readonly logSize: RoundContext["logSize"];
  /** Called when a round is open and accepts check-ins. */
  readonly onRecruiting: (round: RoundDriver) => void;
  /** Called with an error while something that the run needs is unavailable; with null once it is back. */
  readonly onWait: (runId: string, waiter: Waiter, error: unknown) => void;
  /** What refusing devices say, once they are too many to be chance. */
  readonly refusals: {
    readonly code: (runId: string, round: number) => ErrorCode | null;
    readonly isOpened: (runId: string, modelHash: string) => boolean;
  };
  /** Held from choosing a model until it is offered, so that two runs never offer the same one. */
  readonly offering: <T>(work: () => Promise<T>) => Promise<T>;
}

/** The run whose rounds they are. */
interface Run {
  readonly state: () => RunState;
  /** Of the model that this round has made. */
  readonly version: (round: number) => number | null;
  readonly submit: (event: RunEvent) => Promise<ErrorCode | null>;
  /** Queues work behind the run's effects. */
  readonly effect: (work: () => Promise<void>) => Promise<void>;
  readonly die: (error: unknown) => void;
}

/** Opens the rounds of one run, one after the other, and says how each ended. Called from the run's effects. */
export class RunRounds {
  readonly #context: RunRoundsContext;
  readonly #run: Run;
  readonly #waiting: Waiting;
  readonly #obstacles: Obstacles;
  #current: RoundDriver | null = null;
  #earlier: RoundDriver | null = null;
  /** Whether a check of the devices is already queued. */
  #looking = false;

  constructor(context: RunRoundsContext, run: Run) {
    this.#context = context;
    this.#run = run;
    const { ports, terms, onWait } = context;
    this.#obstacles = new Obstacles(ports, (error) => onWait(this.#runId, "round", error));
    this.#waiting = new Waiting({
      ports,
      terms,
      state: run.state,
      presence: () => context.presence(this.#state),
      look: () => this.readinessChanged(),
      expire: (atUnixMs) => void run.submit({ type: "wait-expired", atUnixMs }),
    });
  }

  get #state(): RunState {
    return this.#run.state();
  }

  get #runId(): string {
    return this.#state.facts.runId;
  }

  /** The current round, or the one that has just ended. */
  get current(): RoundDriver | null {
    return this.#current;
  }

  /** The round before that one. It is closed, but its devices may still ask for the outcome. */
  get earlier(): RoundDriver | null {
    return this.#earlier;
  }

  /** How many devices a round needs. */
  get needed(): number {
    return this.#waiting.needed;
  }

  /** Called when devices come, go or become ready. */
  readinessChanged(): void {
    if (this.#looking || !isGoing(this.#state) || !mayOpen(this.#state)) return;
    this.#looking = true;
    void this.#run.effect(() => {
      this.#looking = false;
      return this.next();
    });
  }

  /** Called after each change of the run's state. */
  stateChanged(): void {
    this.#waiting.update();
  }

  /** Begins no further round. @returns The current round's end, for who waits for it. */
  async close(): Promise<void> {
    this.#obstacles.close();
    this.#waiting.close();
    await this.#current?.close();
  }

  /** Opens the next round, or has the run wait for devices. */
  async next(): Promise<void> {
    const { ports, terms, offering, refusals } = this.#context;
    const state = this.#state;
    if (!isGoing(state) || !mayOpen(state)) return;
    switch (this.#waiting.next()) {
      case "nothing":
        return;
      case "wait": {
        const { ready } = this.#context.presence(state);
        await this.#run.submit({ type: "wait-began", atUnixMs: ports.wall.nowUnixMs(), ready });
        return;
      }
      case "open":
    }
    const round = state.round + 1;
    const parent = present(state.modelHash, "a running run has a model");
    if (!(await this.#obstacles.areGone(parent, () => void this.#run.effect(() => this.next())))) return;
    await offering(async () => {
      const isOpened = (hash: string) => refusals.isOpened(this.#runId, hash);
      const modelHash = await offerableModel(ports, terms, parent, this.#runId, round, isOpened);
      const { ready } = this.#context.presence(this.#state);
      // Some devices may have left since.
      if (ready < this.#waiting.needed) return this.readinessChanged();
      const refusal = await this.#run.submit({ type: "round-opened", round, modelHash, ready });
      if (refusal === null) await this.open();
    });
  }

  /** Also runs after a restart, when the round's log may exist or not. */
  async open(): Promise<void> {
    const { ports, terms, onRecruiting } = this.#context;
    const state = this.#state;
    if (!state.roundIsOpen || this.#current?.state.facts.round === state.round) return;
    const roundId = await roundIdOf(ports.primitives, this.#runId, state.round);
    const context = this.#roundContext();
    const read = async () => readRound(await ports.store.readStream({ kind: "round", id: roundId }));
    let history = await read();
    if (history.ok && (await endedForOtherTerms(ports, history.value.state.facts, terms)))
      history = await read();
    if (!history.ok && history.error.type !== "empty") {
      const fields = { runId: this.#runId, roundId, ...history.error };
      ports.log.error(fields, "a round's log cannot be read");
      await this.giveUp("LOG_UNREADABLE");
      return;
    }
    if (!history.ok) {
      if (state.phase === "stopping") {
        await this.#run.submit(neverOpened(state));
        return;
      }
      const parent = present(state.modelHash, "a running run has a model");
      if (!(await this.#obstacles.areGone(parent, () => void this.#run.effect(() => this.open())))) return;
    }
    await logAgreement(ports, terms);
    const before = this.#current;
    this.#current = history.ok
      ? await recoverRound(context, history.value)
      : await RoundDriver.open(context, await this.#facts(roundId));
    await before?.close();
    this.#earlier = before;
    if (!this.#current.closed) onRecruiting(this.#current);
  }

  async stop(): Promise<void> {
    if (this.#current?.state.facts.round !== this.#state.round) return this.open();
    // Refused past the point of no return. The round then ends by itself.
    await this.#current.submit({ event: { type: "stopped" } });
    this.#current.stopWaiting();
  }

  /** Ends the run because of a fault, after its open round. Rule R44. */
  async giveUp(code: ErrorCode): Promise<void> {
    const { primitives } = this.#context.ports;
    const { roundIsOpen, round } = this.#state;
    if (roundIsOpen) {
      await this.#current?.close();
      const roundId = await roundIdOf(primitives, this.#runId, round);
      // Tells returning devices how the round ended.
      this.#current = (await giveUpRound(this.#roundContext(), roundId, code)) ?? this.#current;
    }
    await this.#run.submit({ type: "broken", code });
  }

  /** Ends the round that an ended run left open. Rule R44. */
  async endLeft(): Promise<void> {
    const { round, code } = this.#state;
    const roundId = await roundIdOf(this.#context.ports.primitives, this.#runId, round);
    const driver = await giveUpRound(this.#roundContext(), roundId, code ?? "INTERNAL");
    await driver?.close();
  }

  #roundContext(): RoundContext {
    const { ports, terms, slots, forgetting, onRoundChange, onWait, logSize } = this.#context;
    const { facts, strategyStateHash } = this.#state;
    return {
      ports,
      terms,
      slots,
      forgetting,
      logSize,
      runNumber: facts.number,
      strategyStateHash,
      evaluation: (round) => evaluationOf(this.#state, round),
      version: this.#run.version,
      onChange: onRoundChange,
      onEnded: (driver) => void this.#run.effect(() => this.#ended(driver)),
      onFault: (error) => this.#run.die(error),
      onWait: (error) => onWait(this.#runId, "sum", error),
    };
  }

  async #facts(roundId: string): Promise<RoundOpened> {
    const { ports, terms, expectedDevices } = this.#context;
    const { round, modelHash, forbiddenPairs, removed } = this.#state;
    const parentModelHash = present(modelHash, "a running run has a model");
    return {
      type: "opened",
      runId: this.#runId,
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

  async #ended(driver: RoundDriver): Promise<void> {
    const { state } = driver;
    if (isLive(state) || !this.#state.roundIsOpen || state.facts.round !== this.#state.round) return;
    this.#obstacles.roundEnded(state.phase === "committed");
    const { ports, terms, refusals } = this.#context;
    const refusal = refusals.code(this.#runId, state.facts.round);
    await this.#run.submit(await roundEnd(ports, terms, this.#state, state, refusal));
  }
}
