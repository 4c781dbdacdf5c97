import type { KeptContribution } from "#client/core/ports.ts";
import type { Store, StoredEvent, StoreRecord, StreamId } from "#coordinator/core/ports/ports.ts";
import { present } from "#shared/kernel/assert.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import type { Result } from "#shared/kernel/result.ts";
import type { Receipt } from "#shared/protocol/api.ts";
import { encodeFrame } from "#shared/protocol/frame.ts";
import type { DeviceMessage, DeviceMessageOf } from "#shared/protocol/messages/device.ts";
import type { RoundEvent, RoundOpened } from "#shared/round/event.ts";
import { type LogError, roundFactOf, runFactOf } from "#shared/round/log.ts";
import { launchRun, type RunState, stepRun } from "#shared/round/run.ts";
import type { RunEvent, RunLaunched } from "#shared/round/run-event.ts";
import { keptShards } from "#shared/round/shards.ts";
import type { RoundState, Unmasking } from "#shared/round/state.ts";
import { openRound, step } from "#shared/round/step.ts";
import type { DurableCells } from "./cells.ts";
import { breachesOf } from "./round-invariants.ts";
import { RunTally } from "./run-invariants.ts";
import type { World } from "./world.ts";

/*
 * Invariants of every world at every moment, checked as things happen: at each message that leaves a device, each event
 * that is written, each receipt. A shadow of every round is stepped along with its log.
 */

interface Watched {
  readonly identity: string;
  readonly cells: DurableCells;
}

/** One attempt that got as far as collecting. */
export interface SessionFacts {
  readonly roundId: string;
  readonly runId: string;
  readonly modelHash: string;
  readonly attempt: number;
  readonly shard: number;
  readonly identities: readonly string[];
  readonly u2: readonly number[];
  u3: readonly number[] | null;
  /** True if the coordinator has logged that its shares are asked for. */
  asked: boolean;
}

/** Codes that only somebody's fault explains. */
const ACCUSATIONS: ReadonlySet<string> = new Set([
  "CONFIG",
  "EQUIVOCATION",
  "ALREADY_REVEALED",
  "BAD_SET_SIG",
  "NOT_ENOUGH_SIGS",
  "U3_NOT_IN_U2",
  "NOT_IN_ROSTER",
  "BAD_ADVERT_SIG",
  "DUP_KEY",
  "LOW_ORDER",
  "COHORT_TOO_SMALL",
  "U2_BELOW_T",
  "U3_BELOW_T",
  "INTERNAL",
  "STORAGE_FULL",
  "BAD_CERTIFICATE",
]);

export class Watch {
  readonly rounds = new Map<string, RoundState>();
  readonly #runs = new Map<string, { state: RunState; readonly tally: RunTally }>();
  readonly sessions = new Map<string, SessionFacts>();
  /** By identity and session: a device's own vector before masking, as the device keeps it. */
  readonly ownVectors = new Map<string, Uint8Array>();
  readonly runEnds = new Map<string, string>();
  readonly #world: World;
  /** By model: the session that opened a sum for it. */
  readonly #openedModels = new Map<string, string>();
  readonly #receipts = new Map<string, Set<number>>();
  /** What a device said once; it must never say anything else instead. */
  readonly #said = new Map<string, string>();
  /** By session and owner: which of its two secrets had shares given out. */
  readonly #revealed = new Map<string, "b" | "z">();

  constructor(world: World) {
    this.#world = world;
  }

  // What devices do

  sent({ identity, cells }: Watched, message: DeviceMessage): void {
    switch (message.type) {
      case "advertise": {
        const { runId, round, attempt } = message;
        this.#saysOnce("S10", `${identity} advert ${runId} ${round}.${attempt}`, hex(message));
        const mark = (cells.values.get(`mark/${runId}`) ?? "0.0").split(".").map(Number);
        const [markedRound = 0, markedAttempt = 0] = mark;
        if (markedRound < round || (markedRound === round && markedAttempt < attempt))
          this.#world.violated("S10", `${identity} advertises without a mark`);
        return;
      }
      case "share":
        this.#saysOnce("S10", `${identity} bundle ${message.sid}`, hex(message));
        return;
      case "confirm":
        this.#saysOnce("S10", `${identity} ballot ${message.sid}`, hex(message));
        if (!cells.values.has(`ballot/${message.sid}`))
          this.#world.violated("S10", `${identity} confirms without a ballot`);
        return;
      case "unmask":
        this.#reveals(identity, cells, message);
        return;
      default:
        return;
    }
  }

  #reveals(identity: string, cells: DurableCells, message: DeviceMessageOf<"unmask">): void {
    const { sid, bShares, zShares } = message;
    this.#saysOnce("S10", `${identity} opening ${sid}`, hex(message));
    const session = this.sessions.get(sid);
    if (session?.u3 == null) {
      this.#world.violated("S1", `${identity} opens ${sid}, whose survivors are not sealed`);
      return;
    }
    if (!session.asked) this.#world.violated("R23", `${identity} opens ${sid}, which nobody asked for`);
    if (cells.values.get(`revealed/${session.modelHash}`) !== sid)
      this.#world.violated("S10", `${identity} opens a sum that it has not written down`);
    for (const [kind, shares] of [["b", bShares] as const, ["z", zShares] as const]) {
      for (const { owner } of shares) {
        const before = this.#revealed.get(`${sid} ${owner}`);
        if (before !== undefined && before !== kind)
          this.#world.violated("S1", `shares of both secrets of ${owner} in ${sid} were given`);
        this.#revealed.set(`${sid} ${owner}`, kind);
        const isSurvivor = session.u3.includes(owner);
        if (isSurvivor !== (kind === "b") || !session.u2.includes(owner))
          this.#world.violated("S1", `${identity} gives ${kind} of ${owner}, which is not due`);
      }
    }
  }

  uploaded({ identity, cells }: Watched, sid: string, position: number, sha256: string): void {
    this.#saysOnce("S10", `${identity} input ${sid} ${position}`, sha256);
    const session = this.sessions.get(sid);
    if (session === undefined) this.#world.violated("S5", `${identity} sends an input of no session`);
    else if (cells.values.get(`used/${session.modelHash}`) !== session.runId)
      this.#world.violated("S10", `${identity} uploads without having written that down`);
  }

  receipted({ sid, position }: Receipt): void {
    const positions = this.#receipts.get(sid) ?? new Set();
    this.#receipts.set(sid, positions.add(position));
    const session = this.sessions.get(sid);
    if (session?.u3 != null) this.#checkReceipts(sid, session.u3);
  }

  #checkReceipts(sid: string, u3: readonly number[]): void {
    for (const position of this.#receipts.get(sid) ?? [])
      if (!u3.includes(position))
        this.#world.violated("R19", `the receipted input of ${position} is not in U3`);
  }

  contributed(identity: string, { detail, own }: KeptContribution): void {
    if (detail.sid !== null && own !== null) this.ownVectors.set(`${identity} ${detail.sid}`, own);
  }

  /** A device has refused something. Between honest parties that must never be an accusation. */
  accused(name: string, code: string): void {
    this.#world.trace(name, `refuses: ${code}`);
    if (ACCUSATIONS.has(code)) this.#world.violated("S5", `${name} accuses an honest coordinator: ${code}`);
  }

  #saysOnce(rule: string, what: string, value: string): void {
    const before = this.#said.get(what);
    this.#said.set(what, value);
    if (before !== undefined && before !== value)
      this.#world.violated(rule, `${what}: said twice, differently`);
  }

  // What the coordinator writes

  appended([stream, entries]: Parameters<Store["append"]>): void {
    for (const { event, records } of entries) this.#appended(stream, event, records);
  }

  #appended(stream: StreamId, row: StoredEvent, records: readonly StoreRecord[]): void {
    if (stream.kind === "round") {
      const fact = this.#readable(roundFactOf(row));
      if (fact !== null) this.#onRound(stream.id, fact, records);
    } else if (stream.kind === "run") {
      const fact = this.#readable(runFactOf(row));
      if (fact !== null) this.#onRun(stream.id, fact, records);
    }
  }

  #readable<Fact>(fact: Result<Fact, LogError>): Fact | null {
    if (fact.ok) return fact.value;
    this.#world.violated("R1", `a row is written that nobody can read: ${JSON.stringify(fact.error)}`);
    return null;
  }

  #onRun(runId: string, fact: RunLaunched | RunEvent, records: readonly StoreRecord[]): void {
    this.#stepRun(runId, fact);
    for (const record of records) {
      if (record.type === "model-offered" && this.#openedModels.has(record.modelHash))
        this.#world.violated("R18", `model ${record.modelHash.slice(0, 8)} is offered after it was opened`);
      if (record.type !== "run-row") continue;
      const { state, code } = record.row.view;
      if (state === "completed" || state === "failed")
        this.runEnds.set(runId, code === null ? state : `${state} ${code}`);
    }
  }

  #stepRun(runId: string, fact: RunLaunched | RunEvent): void {
    const known = this.#runs.get(runId);
    if (fact.type === "launched" && known === undefined) {
      const tally = new RunTally(this.#world.plan.task.aggregation.cohortSizeMin);
      this.#runs.set(runId, { state: launchRun(fact), tally });
      this.#world.trace("run", "launched");
      return;
    }
    const after = known === undefined || fact.type === "launched" ? null : stepRun(known.state, fact).state;
    if (known === undefined || after === null || after === known.state) {
      this.#world.violated("R1", `${fact.type} was written and changes nothing`);
      return;
    }
    this.#world.trace("run", `${fact.type} -> ${after.phase}`);
    const breaches = known.tally.breachesOf(known.state, after, fact);
    known.state = after;
    for (const [rule, what] of breaches) this.#world.violated(rule, what);
  }

  #onRound(roundId: string, fact: RoundOpened | RoundEvent, records: readonly StoreRecord[]): void {
    const before = this.rounds.get(roundId);
    const after = fact.type === "opened" ? openRound(fact).state : before && step(before, fact).state;
    if (after === undefined || after === before) {
      this.#world.violated("R1", `${fact.type} was written and changes nothing`);
      return;
    }
    this.rounds.set(roundId, after);
    const phase = `${after.phase} ${after.attempt}${"code" in after ? ` ${after.code}` : ""}`;
    this.#world.trace(`round ${after.facts.round}`, `${fact.type} -> ${phase}`);
    if (before !== undefined)
      for (const [rule, what] of breachesOf(before, after)) this.#world.violated(rule, what);
    this.#onSlots(after, records);
    for (const record of records) this.#onRecord(record, after);
    if (after.phase === "unmasking") for (const session of this.#sessionsIn(after)) session.asked = true;
  }

  /** The slots of each session in the round, in the order of its shards. */
  #onSlots(state: RoundState, records: readonly StoreRecord[]): void {
    if (!("u2" in state)) return;
    const { runId, roundId, parentModelHash: modelHash } = state.facts;
    const shards = keptShards(state);
    const opened = records.filter((record) => record.type === "open-slots");
    for (const [index, { sid, slots }] of opened.entries()) {
      const { seatsBefore, thresholds, shard } = present(shards[index], "a shard for each session");
      const seats = state.roster.slice(seatsBefore, seatsBefore + thresholds.rosterSize);
      this.sessions.set(sid, {
        roundId,
        runId,
        modelHash,
        attempt: state.attempt,
        shard,
        identities: seats.map((seat) => seat.identity),
        u2: slots.map(({ position }) => position),
        u3: null,
        asked: false,
      });
    }
  }

  /** The current attempt's sessions whose shards are in the round. */
  #sessionsIn(state: Unmasking): SessionFacts[] {
    const kept = new Set(keptShards(state).map(({ shard }) => shard));
    const { roundId } = state.facts;
    return [...this.sessions.values()].filter(
      (one) => one.roundId === roundId && one.attempt === state.attempt && kept.has(one.shard),
    );
  }

  #onRecord(record: StoreRecord, state: RoundState): void {
    switch (record.type) {
      case "close-slots": {
        const session = this.sessions.get(record.sid);
        // A device outside the sealed sets was promised nothing: its attempt or its shard was given up.
        if (session === undefined || !("u3" in state)) return;
        if (keptShards(state).every(({ shard }) => shard !== session.shard)) return;
        session.u3 = record.kept;
        this.#checkReceipts(record.sid, record.kept);
        return;
      }
      case "model-opened": {
        const before = this.#openedModels.get(record.modelHash);
        if (before !== undefined && this.sessions.get(before)?.roundId !== state.facts.roundId)
          this.#world.violated("R18", `model ${record.modelHash.slice(0, 8)} is opened twice`);
        this.#openedModels.set(record.modelHash, record.sid);
        return;
      }
      default:
        return;
    }
  }
}

function hex(message: DeviceMessage): string {
  return bytesToHex(encodeFrame(message));
}
