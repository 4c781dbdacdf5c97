import { SerialQueue } from "#shared/kernel/serial-queue.ts";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import { lowestLots } from "#shared/round/check-in.ts";
import { nextTickMs } from "#shared/round/deadline.ts";
import type { RoundEffect } from "#shared/round/effect.ts";
import type { CheckIn, RoundEvent, RoundOpened } from "#shared/round/event.ts";
import { logged } from "#shared/round/log.ts";
import { isLive, type RoundState, type Seated } from "#shared/round/state.ts";
import { openRound, step } from "#shared/round/step.ts";
import type { ReadyDevice } from "../devices/lobby.ts";
import { outageCode } from "../ports/outage.ts";
import type {
  CoordinatorPorts,
  LogEntry,
  RoundViews,
  StoredNote,
  StoreRecord,
  StreamId,
} from "../ports/ports.ts";
import type { RunTerms } from "../tasks/terms.ts";
import { type RoundEvaluation, roundViews } from "../views/round-view.ts";
import type { Admission } from "./admit.ts";
import type { Forgetting } from "./forgetting.ts";
import { Opening } from "./opening.ts";
import { PhaseMetrics } from "./phase-metrics.ts";
import { storeRecords } from "./records.ts";
import { type Entry, turns } from "./round-entry.ts";
import { RoundMessenger } from "./round-messenger.ts";
import { roundNote } from "./round-note.ts";
import { RoundSessions } from "./round-sessions.ts";
import type { RoundTerms, Session } from "./session.ts";
import type { Slots } from "./slots.ts";
import type { Submission, Submitted } from "./submission.ts";
import { SubmissionQueue } from "./submission-queue.ts";
import { TrafficMeter } from "./traffic.ts";

/** What a run gives to its round's driver. */
export interface RoundContext {
  readonly ports: CoordinatorPorts;
  readonly terms: RunTerms;
  readonly slots: Slots;
  readonly forgetting: Forgetting;
  /** What a device has seen of the public log, as it says; 0 for nothing. */
  readonly logSize: (identity: string) => number;
  readonly runNumber: number;
  /** The run's strategy state before this round. */
  readonly strategyStateHash: string | null;
  /** What the run knows about the round's model. */
  readonly evaluation: (round: number) => RoundEvaluation;
  /** The model's number among those of its task; null until the run has heard of it. */
  readonly version: (round: number) => number | null;
  readonly onChange: (driver: RoundDriver, note: StoredNote | null) => void;
  readonly onEnded: (driver: RoundDriver) => void;
  /** Called when a write has an unknown outcome: this driver is dead, and the log must be read again. */
  readonly onFault: (error: unknown) => void;
  /** Called with an error while something that the sum needs is unavailable; with null once it is back. */
  readonly onWait: (error: unknown) => void;
}

/**
 * Drives one round: events pass through the machine one at a time. Those that come while others are being written are
 * written together, with their records in one transaction, before their states are adopted and their effects run. Rule
 * R19.
 */
export class RoundDriver {
  readonly #context: RoundContext;
  readonly #roundTerms: RoundTerms;
  readonly #traffic = new TrafficMeter();
  readonly #sessions: RoundSessions;
  readonly #messenger: RoundMessenger;
  readonly #phaseMetrics: PhaseMetrics;
  readonly #opening: Opening;
  #state: RoundState;
  #sequence: number;
  #originMs: number;
  #endedAtUnixMs: number | null = null;
  readonly #queue = new SubmissionQueue((batch) => this.#take(batch));
  readonly #effects = new SerialQueue();
  #cancelTimer: () => void = () => {};
  #closed = false;
  #closedFor: ErrorCode = "UNAVAILABLE";

  constructor(context: RoundContext, state: RoundState, sequence: number) {
    this.#context = context;
    this.#state = state;
    this.#sequence = sequence;
    this.#originMs = context.ports.clock.nowMs() - state.nowMs;
    this.#phaseMetrics = new PhaseMetrics(context.ports, state.nowMs);
    const { runId, round, parentModelHash: modelHash } = state.facts;
    const { config, roundParams } = context.terms;
    this.#roundTerms = { runId, round, modelHash, config, roundParams };
    this.#sessions = new RoundSessions(context.ports, this.#roundTerms);
    this.#messenger = new RoundMessenger({
      ...context,
      sessions: this.#sessions,
      traffic: this.#traffic,
      state: () => this.#state,
      nowMs: () => this.nowMs,
    });
    this.#opening = new Opening({
      ports: context.ports,
      terms: context.terms,
      strategyStateHash: context.strategyStateHash,
      state: () => this.#state,
      sessions: () => this.#sessions.of(this.#state.attempt, this.#state),
      onWait: (error) => context.onWait(error),
      answer: (result) => this.submit({ event: { type: "combined", attempt: this.#state.attempt, result } }),
      damaged: (attempt, seats) => this.submit({ event: { type: "damaged", attempt, seats } }),
    });
  }

  /** Writes the first event of a round and continues from it. */
  static async open(context: RoundContext, facts: RoundOpened): Promise<RoundDriver> {
    const transition = openRound(facts);
    const driver = new RoundDriver(context, transition.state, 0);
    const entry = { fact: facts, transition, before: transition.state, note: null, submission: null };
    await driver.#write([entry]);
    return driver;
  }

  get state(): RoundState {
    return this.#state;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Milliseconds since the round opened, on the monotonic clock. A restart's downtime does not count. */
  get nowMs(): number {
    return Math.max(this.#state.nowMs, Math.round(this.#context.ports.clock.nowMs() - this.#originMs));
  }

  get endedAtUnixMs(): number | null {
    return this.#endedAtUnixMs;
  }

  set endedAtUnixMs(at: number | null) {
    this.#endedAtUnixMs = at;
  }

  views(): RoundViews {
    return this.#views(this.#state, this.#endedAtUnixMs);
  }

  #views(state: RoundState, endedAtUnixMs: number | null): RoundViews {
    const { terms, runNumber, evaluation, version } = this.#context;
    const traffic = this.#traffic.medians(!isLive(state) || state.phase !== this.#state.phase);
    return roundViews({
      state,
      nowMs: this.nowMs,
      endedAtUnixMs,
      traffic,
      terms,
      runNumber,
      evaluation: evaluation(state.facts.round),
      version: version(state.facts.round),
      sids: this.#sessions.sids,
    });
  }

  /** Stops silently: a write under way finishes, and everything else is left to the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTimer();
    this.#opening.close();
    await this.#queue.settled();
    await this.#effects.settled();
  }

  /** Called when the run is to stop: a sum that waits for a disk or a file is discarded. */
  stopWaiting(): void {
    this.#opening.stopWaiting();
  }

  /** Resolves once everything submitted is written and its effects have run. */
  async settled(): Promise<void> {
    await this.#queue.settled();
    await this.#effects.settled();
  }

  // Events

  /** Submits an event to the machine, in its turn. */
  submit(submission: Submission): Promise<Submitted> {
    return this.#queue.submit(submission);
  }

  /** Applies a batch one by one and writes what it changes as one. Nothing is answered before that is durable. */
  async #take(batch: readonly Submission[]): Promise<readonly Submitted[]> {
    const dead = () => batch.map(() => ({ type: "refused", code: this.#closedFor }) as const);
    if (this.#closed) return dead();
    const entries: Entry[] = [];
    let before = this.#state;
    const answers = batch.map((submission): Submitted => {
      const fact = { ...submission.event, atMs: this.nowMs } as RoundEvent;
      const transition = step(before, fact);
      const [first] = transition.effects;
      if (first?.type === "reject") return { type: "refused", code: first.code };
      if (transition.state === before) return { type: "known" };
      entries.push({ fact, transition, before, note: roundNote(before, fact, transition.state), submission });
      before = transition.state;
      return { type: "taken" };
    });
    return entries.length === 0 || (await this.#write(entries)) ? answers : dead();
  }

  /** Writes one transaction, adopts the state and runs the effects. @returns False if the driver is dead. */
  async #write(entries: readonly Entry[]): Promise<boolean> {
    const { ports } = this.#context;
    const { roundId } = this.#state.facts;
    const stream = { kind: "round", id: roundId } as const;
    const at = ports.wall.nowUnixMs();
    const first = this.#sequence + 1;
    try {
      const rows: LogEntry[] = [];
      for (const [index, entry] of entries.entries()) {
        const event = { sequence: first + index, at, event: logged(entry.fact) };
        rows.push({ event, records: await this.#recordsOf(entry, at) });
      }
      const written = await ports.store.append(stream, rows);
      if (!written.ok) throw new Error(`another writer has event ${first} of round ${roundId}`);
      for (const entry of entries) this.#adopt(entry, stream, at);
    } catch (error) {
      this.#die(error);
      return false;
    }
    // Timers count from before the write: one that fell due during it fires after these events.
    this.#arm(this.#state.nowMs);
    return true;
  }

  async #recordsOf(entry: Entry, at: number): Promise<readonly StoreRecord[]> {
    const { transition, note, submission } = entry;
    const { state } = transition;
    const sessions = (attempt: number, of: RoundState) => this.#sessions.of(attempt, of);
    const source = { ...this.#context, sessions };
    const records: StoreRecord[] = [...(submission?.records ?? [])];
    for (const record of transition.records) records.push(...(await storeRecords(source, record)));
    // Readers of a living round are shown its driver's views. The row is for later readers.
    if (turns(entry)) {
      if ("roster" in state) await this.#sessions.of(state.attempt, state);
      const { runId, round, roundId } = state.facts;
      const row = { runId, round, phase: state.phase, view: this.#views(state, isLive(state) ? null : at) };
      records.push({ type: "round-row", roundId, row });
    }
    if (note !== null) records.push({ type: "note", note });
    return records;
  }

  #adopt({ fact, transition, before, note, submission }: Entry, stream: StreamId, at: number): void {
    const { state } = transition;
    this.#state = state;
    this.#sequence += 1;
    this.#endedAtUnixMs = isLive(state) ? null : at;
    submission?.taken?.();
    this.#phaseMetrics.changed(before, state);
    this.#context.onChange(this, note && { stream, sequence: this.#sequence, at, note });
    this.run(transition.effects);
    if (fact.type === "input-received" && state.phase === "collecting") {
      const input = state.inputs.get(fact.seat);
      if (input !== undefined) void this.#opening.inputCame(fact.seat, input).catch(() => {});
    }
  }

  /** The store's state is unknown, or it did not do what the log requires. The log must be read again. */
  #die(error: unknown): void {
    this.#closed = true;
    this.#closedFor = outageCode(error) ?? "UNAVAILABLE";
    this.#cancelTimer();
    this.#opening.close();
    this.#context.onFault(error);
  }

  #arm(lookedAtMs: number): void {
    this.#cancelTimer();
    const tickMs = nextTickMs(this.#state, lookedAtMs);
    if (tickMs === null || this.#closed) return;
    this.#cancelTimer = this.#context.ports.after(Math.max(0, tickMs - this.nowMs), () => void this.#tick());
  }

  async #tick(): Promise<void> {
    const lookedAtMs = this.nowMs;
    const submitted = await this.submit({ event: { type: "ticked" } });
    // An accepted event has armed the next tick.
    if (submitted.type !== "taken") this.#arm(lookedAtMs);
  }

  // Effects

  /** Runs effects in order, behind those under way. Also repeats effects that a restart may have cut off. */
  run(effects: readonly RoundEffect[]): void {
    for (const effect of effects) {
      void this.#effects.run(() => (this.#closed ? undefined : this.#runOrDie(effect)));
    }
  }

  async #runOrDie(effect: RoundEffect): Promise<void> {
    try {
      await this.#run(effect);
    } catch (error) {
      const fields = { roundId: this.#state.facts.roundId, effect: effect.type, error: String(error) };
      this.#context.ports.log.error(fields, "an effect of a round failed");
      // When the store is back, the round is read from its log and its effects run again.
      if (!this.#closed && outageCode(error) !== null) this.#die(error);
    }
  }

  async #run(effect: RoundEffect): Promise<void> {
    switch (effect.type) {
      case "reject":
        return;
      case "tell":
        return this.#messenger.tell(effect.identities);
      case "dismiss": {
        const { attempt, code } = effect;
        const prompt = { type: "abandoned", attempt, code, retry: false } as const;
        for (const identity of effect.identities) await this.#messenger.send(identity, prompt, this.#state);
        return;
      }
      case "forget":
        return this.#forget();
      case "fold":
        return this.#opening.foldAhead();
      case "combine":
        return this.#opening.combine();
      case "ended":
        return this.#context.onEnded(this);
    }
  }

  /** Deletes what is kept of finished attempts: shares, openings, inputs (S11). */
  async #forget(): Promise<void> {
    await this.#sessions.forgetFinished(
      () => this.#state,
      (session, phase) => {
        this.#opening.forget(session.sid);
        return this.#context.forgetting.forget(session.sid, phase);
      },
    );
    this.#context.forgetting.sweepKept();
  }

  adoptSessions(seated: Seated, fresh: boolean): Promise<readonly Session[]> {
    return this.#sessions.adopt(seated, fresh);
  }

  /** What messages are judged by: the state and its sessions at one moment. */
  async admission(): Promise<Admission> {
    const state = this.#state;
    const sessions = "roster" in state ? await this.#sessions.of(state.attempt, state) : [];
    return { ports: this.#context.ports, terms: this.#roundTerms, state, sessions };
  }

  get context(): RoundContext {
    return this.#context;
  }

  get traffic(): TrafficMeter {
    return this.#traffic;
  }

  // Devices

  /** Whether this device was invited and still takes part. */
  holds(identity: string): boolean {
    const member = this.#state.members.get(identity);
    return member?.invited === true && member.out === null && isLive(this.#state);
  }

  /** Whether this device was invited, even if the round has ended. */
  hasInvited(identity: string): boolean {
    return this.#state.members.get(identity)?.invited === true;
  }

  async deviceUp(identity: string): Promise<void> {
    if (!this.#state.members.has(identity)) return;
    await this.submit({ event: { type: "connected", identity } });
    this.run([{ type: "tell", identities: [identity] }]);
  }

  /** Tells a device that was away when this round ended, even if the next round has begun. */
  async tellEnd(identity: string): Promise<void> {
    if (!isLive(this.#state) && this.#state.members.has(identity)) await this.#messenger.tell([identity]);
  }

  /** Resolves once everything this device sent before is written. */
  async heard(identity: string): Promise<void> {
    if (this.#state.members.has(identity)) await this.#queue.settled();
  }

  async presence(type: "disconnected" | "left", identity: string): Promise<void> {
    if (this.#state.members.has(identity)) await this.submit({ event: { type, identity } });
  }

  /** Checks in ready devices as one event. Each draws a lot. Rule R3. */
  async checkIn(ready: readonly ReadyDevice[]): Promise<void> {
    if (ready.length === 0) return;
    const lots = new DataView(this.#context.ports.random(4 * ready.length).buffer);
    const drawn = ready.map(({ identity, askedLast }, index): CheckIn => {
      const lot = lots.getUint32(4 * index);
      return { identity, lot, ...(askedLast ? { askedLast } : {}) };
    });
    const devices = lowestLots(drawn, this.#state.facts.rules);
    await this.submit({ event: { type: "checked-in", devices } });
  }
}
