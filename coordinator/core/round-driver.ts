import { assert } from "#shared/kernel/assert.ts";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import { lowestLots } from "#shared/round/check-in.ts";
import { nextTickMs } from "#shared/round/deadline.ts";
import type { RoundEffect, Step } from "#shared/round/effect.ts";
import type { CheckIn, RoundEvent, RoundOpened } from "#shared/round/event.ts";
import { type Notice, noticesFor } from "#shared/round/notice.ts";
import { isLive, type RoundState, type Seated } from "#shared/round/state.ts";
import { openRound, step } from "#shared/round/step.ts";
import type { Admission } from "./admit.ts";
import type { Forgetting } from "./forgetting.ts";
import type { ReadyDevice } from "./lobby.ts";
import { messageFor, STEP_OF_NOTICE } from "./messages.ts";
import { type Note, roundNote } from "./notes.ts";
import { Opening } from "./opening.ts";
import { outageCode } from "./outage.ts";
import type { CoordinatorPorts, StoreRecord } from "./ports.ts";
import { storeRecords } from "./records.ts";
import { type RoundEvaluation, type RoundViews, roundViews } from "./round-view.ts";
import { openSessions, type RoundTerms, type Session, sessionOfSeat } from "./session.ts";
import type { Slots } from "./slots.ts";
import { storedEvent } from "./stored-event.ts";
import type { Submission, Submitted } from "./submission.ts";
import type { RunTerms } from "./terms.ts";
import { TrafficMeter } from "./traffic.ts";
import { sweepTranscripts } from "./transcript.ts";

/** What a round's driver is given by its run. */
export interface RoundContext {
  readonly ports: CoordinatorPorts;
  readonly terms: RunTerms;
  readonly slots: Slots;
  readonly forgetting: Forgetting;
  readonly runNumber: number;
  /** Of the run, before this round. */
  readonly strategyStateHash: string | null;
  /** What the run knows of the model of this round. */
  readonly evaluation: (round: number) => RoundEvaluation;
  readonly onChange: (driver: RoundDriver, note: Note | null, sequence: number, atUnixMs: number) => void;
  readonly onEnded: (driver: RoundDriver) => void;
  /** A write of which nobody knows the outcome: this driver is dead, and the log has to be read again. */
  readonly onFault: (error: unknown) => void;
  /** Something that the sum needs is out of reach, and is waited for; null once it is there. */
  readonly onWait: (error: unknown) => void;
}

/** A message to many devices leaves room for other work after this many. */
const TOLD_AT_A_TIME = 16;

/**
 * One round: events one after the other through the machine, each written with its records in one transaction before its
 * state is adopted and its effects run. Rule R19.
 */
export class RoundDriver {
  readonly #context: RoundContext;
  readonly #roundTerms: RoundTerms;
  readonly #traffic = new TrafficMeter();
  /** By attempt. */
  readonly #sessions = new Map<number, Promise<readonly Session[]>>();
  readonly #opening: Opening;
  #state: RoundState;
  #sequence: number;
  #originMs: number;
  #phaseBeganMs = 0;
  #endedAtUnixMs: number | null = null;
  #sids: readonly string[] = [];
  #queue: Promise<unknown> = Promise.resolve();
  #effects: Promise<void> = Promise.resolve();
  #cancelTimer: () => void = () => {};
  #closed = false;
  #closedFor: ErrorCode = "UNAVAILABLE";

  constructor(context: RoundContext, state: RoundState, sequence: number) {
    this.#context = context;
    this.#state = state;
    this.#sequence = sequence;
    this.#originMs = context.ports.clock.nowMs() - state.nowMs;
    this.#phaseBeganMs = state.nowMs;
    const { runId, round, parentModelHash: modelHash } = state.facts;
    const { config, roundParams } = context.terms;
    this.#roundTerms = { runId, round, modelHash, config, roundParams };
    this.#opening = new Opening({
      ports: context.ports,
      terms: context.terms,
      strategyStateHash: context.strategyStateHash,
      state: () => this.#state,
      sessions: () => this.#sessionsOf(this.#state.attempt),
      onWait: (error) => context.onWait(error),
      answer: (result) => this.submit({ event: { type: "combined", attempt: this.#state.attempt, result } }),
      damaged: (attempt, positions) => this.submit({ event: { type: "damaged", attempt, positions } }),
    });
  }

  /** Writes the first event of a round and goes on from it. */
  static async open(context: RoundContext, facts: RoundOpened): Promise<RoundDriver> {
    const transition = openRound(facts);
    const driver = new RoundDriver(context, transition.state, 0);
    await driver.#write(facts, transition, null);
    return driver;
  }

  get state(): RoundState {
    return this.#state;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Milliseconds since the round opened, on the monotonic clock; what a restart took does not count. */
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
    const { terms, runNumber, evaluation } = this.#context;
    const traffic = this.#traffic.medians(!isLive(state) || state.phase !== this.#state.phase);
    return roundViews({
      state,
      nowMs: this.nowMs,
      endedAtUnixMs,
      traffic,
      terms,
      runNumber,
      evaluation: evaluation(state.facts.round),
      sids: this.#sids,
    });
  }

  /** Stops without a trace: what is being written ends, everything else is left to the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTimer();
    this.#opening.close();
    await this.#queue.catch(() => {});
    await this.#effects;
  }

  /** The run is to stop: a sum that waits for a disk or a file is discarded rather than waited for. */
  stopWaiting(): void {
    this.#opening.stopWaiting();
  }

  /** Resolves when what has been submitted is written and its effects have run. */
  async settled(): Promise<void> {
    await this.#queue.catch(() => {});
    await this.#effects;
  }

  // Events

  /** One event through the machine, in its turn. */
  submit(submission: Submission): Promise<Submitted> {
    return this.#inTurn(() => this.#apply(submission));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(work);
    this.#queue = turn.catch(() => {});
    return turn;
  }

  async #apply({ event: body, before }: Submission): Promise<Submitted> {
    if (this.#closed) return { type: "refused", code: this.#closedFor };
    const event = { ...body, atMs: this.nowMs } as RoundEvent;
    const transition = step(this.#state, event);
    const [first] = transition.effects;
    if (first?.type === "reject") return { type: "refused", code: first.code };
    if (transition.state === this.#state) return { type: "known" };
    const refusal = (await before?.()) ?? null;
    if (refusal !== null) return { type: "refused", code: refusal };
    const written = await this.#write(event, transition, roundNote(this.#state, event, transition.state));
    return written ? { type: "taken" } : { type: "refused", code: this.#closedFor };
  }

  /** One transaction; then the state is adopted and the effects run. @returns false where the driver is dead. */
  async #write(fact: RoundOpened | RoundEvent, transition: Step, note: Note | null): Promise<boolean> {
    const { ports } = this.#context;
    const { state } = transition;
    const at = ports.wall.nowUnixMs();
    const endedAtUnixMs = isLive(state) ? null : at;
    const sequence = this.#sequence + 1;
    try {
      const source = {
        ...this.#context,
        sessions: (attempt: number, of: RoundState) => this.#sessionsOf(attempt, of),
      };
      const records: StoreRecord[] = [];
      for (const record of transition.records) records.push(...(await storeRecords(source, record)));
      if ("roster" in state) {
        this.#sids = (await this.#sessionsOf(state.attempt, state)).map(({ sid }) => sid);
      }
      const { runId, round, roundId } = state.facts;
      // While a round lives, readers are shown the living one: its row is for those who come after.
      if (this.#turns(fact, state)) {
        const row = { runId, round, phase: state.phase, view: this.#views(state, endedAtUnixMs) };
        records.push({ type: "round-row", roundId, row });
      }
      const event = storedEvent(sequence, at, fact, note);
      const written = await ports.store.append({ kind: "round", id: roundId }, event, records);
      if (!written.ok) throw new Error(`another writer has event ${sequence} of round ${roundId}`);
    } catch (error) {
      this.#die(error);
      return false;
    }
    const before = this.#state;
    this.#state = state;
    this.#sequence = sequence;
    this.#endedAtUnixMs = endedAtUnixMs;
    this.#report(before, state);
    this.#context.onChange(this, note, sequence, at);
    this.run(transition.effects);
    if (fact.type === "input-received" && state.phase === "collecting") {
      const input = state.inputs.get(fact.position);
      if (input !== undefined) void this.#opening.inputCame(fact.position, input).catch(() => {});
    }
    // What fell due while this was being written is still ahead of the event.
    this.#arm(state.nowMs);
    return true;
  }

  /** Whether a fact turns the round to another phase or attempt, or begins or takes up its log. */
  #turns({ type }: RoundOpened | RoundEvent, { phase, attempt }: RoundState): boolean {
    const { phase: before, attempt: attemptBefore } = this.#state;
    return type === "opened" || type === "restarted" || phase !== before || attempt !== attemptBefore;
  }

  /** What the store did is not known any more, or it did not do what the log asks for: the log has to be read again. */
  #die(error: unknown): void {
    this.#closed = true;
    this.#closedFor = outageCode(error) ?? "UNAVAILABLE";
    this.#cancelTimer();
    this.#opening.close();
    this.#context.onFault(error);
  }

  #report(before: RoundState, after: RoundState): void {
    if (before.phase === after.phase && before.attempt === after.attempt) return;
    const { metrics } = this.#context.ports;
    if (before.phase === "recruiting") {
      const last = [...after.members.values()].filter(({ askedLast }) => askedLast).length;
      if (last > 0) metrics.askedLast(last);
    }
    if (isLive(before)) {
      metrics.phaseEnded(before.phase, (after.nowMs - this.#phaseBeganMs) / 1_000);
      const dropouts = (after.counts.at(-1)?.left ?? 0) - (before.counts.at(-1)?.left ?? 0);
      if (dropouts > 0) metrics.dropouts(before.phase, dropouts);
    }
    this.#phaseBeganMs = after.nowMs;
    if (!isLive(after)) metrics.roundEnded(after.phase, after.nowMs / 1_000);
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
    // A taken event has armed the next one.
    if (submitted.type !== "taken") this.#arm(lookedAtMs);
  }

  // Effects

  /** Runs effects in order, behind those that are under way. Also used to run again what a restart may have cut off. */
  run(effects: readonly RoundEffect[]): void {
    for (const effect of effects) {
      this.#effects = this.#effects
        .then(() => (this.#closed ? undefined : this.#run(effect)))
        .catch((error) => {
          const fields = { roundId: this.#state.facts.roundId, effect: effect.type, error: String(error) };
          this.#context.ports.log.error(fields, "an effect of a round failed");
          // When the store is back the round is read from its log, and its effects are run again.
          if (!this.#closed && outageCode(error) !== null) this.#die(error);
        });
    }
  }

  async #run(effect: RoundEffect): Promise<void> {
    switch (effect.type) {
      case "reject":
        return;
      case "tell":
        return this.#tell(effect.identities);
      case "dismiss": {
        const { attempt, code } = effect;
        const notice = { type: "abandoned", attempt, code, retry: false } as const;
        for (const identity of effect.identities) await this.#send(identity, notice, this.#state);
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

  async #tell(identities: readonly string[]): Promise<void> {
    for (const [index, identity] of identities.entries()) {
      if (index > 0 && index % TOLD_AT_A_TIME === 0) await new Promise((resolve) => setImmediate(resolve));
      const state = this.#state;
      for (const notice of noticesFor(state, identity)) await this.#send(identity, notice, state);
    }
  }

  async #send(identity: string, notice: Notice, state: RoundState): Promise<void> {
    const { ports, terms, slots } = this.#context;
    const session = async (seat: number) => sessionOfSeat(await this.#sessionsOf(state.attempt, state), seat);
    const message = await messageFor({ ports, terms, slots, state, nowMs: this.nowMs, session }, notice);
    const { downByteCount } = ports.devices.traffic(identity);
    ports.devices.send(identity, message);
    const sent = ports.devices.traffic(identity).downByteCount - downByteCount;
    const step = STEP_OF_NOTICE[notice.type];
    if (sent > 0) this.#traffic.count(identity, step, "down", sent);
    if (sent > 0 && notice.type === "invite")
      this.#traffic.count(identity, step, "down", state.facts.modelByteCount);
  }

  /** Deletes what is kept of attempts that are over: shares, openings, inputs (S11). */
  async #forget(): Promise<void> {
    for (const [attempt, opened] of this.#sessions) {
      const over = attempt < this.#state.attempt || !isLive(this.#state);
      if (!over) continue;
      const isLast = attempt === this.#state.attempt;
      for (const session of await opened) {
        this.#opening.forget(session.sid);
        session.forgetOpenings();
        // Of an attempt that was repeated nothing is kept.
        await this.#context.forgetting.forget(session.sid, isLast ? this.#state.phase : "failed");
      }
      // The last one is still needed to tell its survivors how it ended.
      if (attempt < this.#state.attempt) this.#sessions.delete(attempt);
    }
    await sweepTranscripts(this.#context.ports);
  }

  // Sessions

  /** What follows from the rosters of an attempt. @param state  Where they stand; the current state if absent. */
  #sessionsOf(attempt: number, state: RoundState = this.#state): Promise<readonly Session[]> {
    const known = this.#sessions.get(attempt);
    if (known !== undefined) return known;
    assert("roster" in state && state.attempt === attempt, `attempt ${attempt} has a roster`);
    return this.adoptSessions(state, true);
  }

  /** @param fresh  Whether the store can hold nothing of them yet. */
  async adoptSessions(seated: Seated, fresh: boolean): Promise<readonly Session[]> {
    const sessions = openSessions(this.#context.ports, this.#roundTerms, seated, fresh);
    this.#sessions.set(seated.attempt, sessions);
    this.#sids = (await sessions).map(({ sid }) => sid);
    return sessions;
  }

  /** What a message is judged by: the state and its sessions, of one moment. */
  async admission(): Promise<Admission> {
    const state = this.#state;
    const sessions = "roster" in state ? await this.#sessionsOf(state.attempt, state) : [];
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

  async deviceUp(identity: string): Promise<void> {
    if (!this.#state.members.has(identity)) return;
    await this.submit({ event: { type: "connected", identity } });
    this.run([{ type: "tell", identities: [identity] }]);
  }

  /** For a device that was away when this round ended, and may since have been overtaken by the next one. */
  async tellEnd(identity: string): Promise<void> {
    if (!isLive(this.#state) && this.#state.members.has(identity)) await this.#tell([identity]);
  }

  /** Resolves when what this device sent before is written. */
  async heard(identity: string): Promise<void> {
    if (this.#state.members.has(identity)) await this.#queue;
  }

  async presence(type: "disconnected" | "left", identity: string): Promise<void> {
    if (this.#state.members.has(identity)) await this.submit({ event: { type, identity } });
  }

  /** Devices that are ready, as one event; each draws its lot. Rule R3. */
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
