import { base64urlnopad } from "@scure/base";
import type { MonotonicClock, RandomBytes, WallClock } from "#shared/kernel/ports.ts";
import { SerialQueue } from "#shared/kernel/serial-queue.ts";
import type { AuthRecord, AuthRecords } from "../../core/ports/auth-records.ts";
import type { Log } from "../../core/ports/ports.ts";
import type { OpenedSession, Session } from "../../core/ports/sign-ins.ts";
import type { BetterAuthParts } from "./accounts.ts";
import { SteadyClock } from "./steady-clock.ts";
import { hashOfToken } from "./stored.ts";

const HOUR_MS = 3_600_000;
/** A session ends when it has not been used for this long. A working day, so that nobody is asked twice in one. */
export const IDLE_MS = 12 * HOUR_MS;
/** A session ends this long after it was opened, however it is used. */
export const LIFE_MS = 7 * 24 * HOUR_MS;
/** Use is recorded at most this often, so that reading pages writes little. */
const RECORD_MS = 10 * 60_000;
/** Sessions of one person. The one that was unused for longest ends for a new one. */
const SESSION_COUNT_MAX = 20;
/** Sessions are ended when their time is over, or at most this much later. Sockets end with them (X36). */
const LATE_MS = 1_000;
/** How often the next end is looked for. New sessions last for longer. */
const SWEEP_MS = 60_000;
const TOKEN_BYTE_COUNT = 32;
const READ_COUNT_MAX = 1_000_000;

export interface SessionsPorts {
  readonly records: AuthRecords;
  readonly betterAuth: () => Promise<BetterAuthParts>;
  readonly random: RandomBytes;
  readonly clock: MonotonicClock;
  readonly wall: WallClock;
  readonly after: (delayMs: number, run: () => void) => () => void;
  readonly log: Log;
}

/** Times by the steady clock. */
interface Entry {
  readonly sessionId: string;
  readonly personId: string;
  readonly openedAt: number;
  tokenHash: string;
  provedAt: number;
  usedAt: number;
  recordedAt: number;
}

/**
 * The sessions of all browsers. All are in memory, since this process alone writes them, so checking one costs a hash and
 * a look-up (X13). Better Auth writes them; ending one counts at once, before the store has it.
 */
export class Sessions {
  readonly #ports: SessionsPorts;
  readonly #steady: SteadyClock;
  readonly #byHash = new Map<string, Entry>();
  readonly #byId = new Map<string, Entry>();
  /** Ended here, so that reading again never revives one whose record could not be deleted. */
  readonly #ended = new Set<string>();
  readonly #listeners = new Set<(sessionId: string) => void>();
  /** Writes and readings come one at a time, so that a reading never brings back what a write has just changed. */
  readonly #queue = new SerialQueue();
  #reading: Promise<void> | null = null;
  #hasRead = false;
  #stopSweeping: () => void = () => {};

  constructor(ports: SessionsPorts) {
    this.#ports = ports;
    this.#steady = new SteadyClock(ports.clock, ports.wall);
    this.#sweepLater();
  }

  stop(): void {
    this.#stopSweeping();
  }

  onEnd(listener: (sessionId: string) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async open(personId: string): Promise<OpenedSession> {
    await this.#read();
    const own = this.#of(personId).sort((left, right) => left.usedAt - right.usedAt);
    for (const { sessionId } of own.slice(0, Math.max(0, own.length - SESSION_COUNT_MAX + 1)))
      await this.end(sessionId);
    return this.#queue.run(() => this.#openNow(personId));
  }

  async #openNow(personId: string): Promise<OpenedSession> {
    const { internal } = await this.#ports.betterAuth();
    const now = this.#steady.nowMs();
    const token = this.#newToken();
    const at = new Date(now);
    const made = { provedAt: at, createdAt: at, updatedAt: at, expiresAt: new Date(now + IDLE_MS), token };
    // Nothing about the browser or its address is kept.
    const { id } = await internal.createSession(
      personId,
      false,
      { ...made, ipAddress: null, userAgent: null },
      true,
    );
    const entry: Entry = {
      sessionId: id,
      personId,
      openedAt: now,
      tokenHash: hashOfToken(token),
      provedAt: now,
      usedAt: now,
      recordedAt: now,
    };
    this.#keep(entry);
    await this.#recordSeen(personId);
    return { token, session: this.#shown(entry) };
  }

  /** The session with this token, which counts as used now. */
  async find(token: string): Promise<Session | null> {
    await this.#read();
    const entry = this.#byHash.get(hashOfToken(token));
    if (entry === undefined) return null;
    const now = this.#steady.nowMs();
    if (now >= endOf(entry)) {
      await this.end(entry.sessionId);
      return null;
    }
    entry.usedAt = now;
    if (now - entry.recordedAt >= RECORD_MS) this.#record(entry);
    return this.#shown(entry);
  }

  async renew(sessionId: string): Promise<OpenedSession | null> {
    await this.#read();
    return this.#queue.run(() => this.#renewNow(sessionId));
  }

  async #renewNow(sessionId: string): Promise<OpenedSession | null> {
    const entry = this.#byId.get(sessionId);
    const now = this.#steady.nowMs();
    if (entry === undefined || now >= endOf(entry)) return null;
    const token = this.#newToken();
    // First in memory: if the store's answer is lost, neither token works until the sessions are read again.
    this.#byHash.delete(entry.tokenHash);
    const { adapter } = await this.#ports.betterAuth();
    const at = new Date(now);
    try {
      await adapter.update({
        model: "session",
        where: [{ field: "id", value: sessionId }],
        update: {
          token,
          provedAt: at,
          updatedAt: at,
          expiresAt: new Date(endOf({ ...entry, usedAt: now })),
        },
      });
    } catch (error) {
      this.#reading = null;
      throw error;
    }
    if (!this.#byId.has(sessionId)) return null;
    Object.assign(entry, { tokenHash: hashOfToken(token), provedAt: now, usedAt: now, recordedAt: now });
    this.#byHash.set(entry.tokenHash, entry);
    return { token, session: this.#shown(entry) };
  }

  async end(sessionId: string): Promise<void> {
    const entry = this.#byId.get(sessionId);
    if (entry !== undefined) this.#forget(entry);
    this.#ended.add(sessionId);
    await this.#queue.run(() =>
      this.#ports.records.removeAuthRecords("session", [{ field: "id", operator: "eq", value: sessionId }]),
    );
    this.#ended.delete(sessionId);
  }

  /** Ends all sessions of this person, except `kept`. */
  async endAll(personId: string, kept?: string): Promise<void> {
    await this.#read();
    for (const { sessionId } of this.#of(personId)) if (sessionId !== kept) await this.end(sessionId);
  }

  /** Reads all again, after another process may have written them. */
  async reload(): Promise<void> {
    this.#reading = null;
    await this.#read();
  }

  /** When this person last used a session that is open; null if none is. */
  lastUsedAt(personId: string): number | null {
    const used = this.#of(personId).map(({ usedAt }) => this.#asWall(usedAt));
    return used.length === 0 ? null : Math.max(...used);
  }

  /** Once, at the first use. */
  #read(): Promise<void> {
    this.#reading ??= this.#queue
      .run(() => this.#readAll())
      .catch((error: unknown) => {
        this.#reading = null;
        throw error;
      });
    return this.#reading;
  }

  async #readAll(): Promise<void> {
    const found = await this.#ports.records.findAuthRecords("session", [], { limit: READ_COUNT_MAX });
    // A clock that was set back while the process was down gives no session more time.
    const newest = found.reduce((latest, { updatedAt }) => Math.max(latest, updatedAt), 0);
    this.#steady.atLeast(newest, { beforeMade: !this.#hasRead });
    this.#hasRead = true;
    const before = [...this.#byId.values()];
    this.#byHash.clear();
    this.#byId.clear();
    for (const record of found) if (!this.#ended.has(record.id)) this.#keep(entryOf(record));
    for (const { sessionId } of before) if (!this.#byId.has(sessionId)) this.#tell(sessionId);
  }

  #of(personId: string): Entry[] {
    return [...this.#byId.values()].filter((entry) => entry.personId === personId);
  }

  #keep(entry: Entry): void {
    this.#byHash.set(entry.tokenHash, entry);
    this.#byId.set(entry.sessionId, entry);
  }

  #forget({ sessionId, tokenHash }: Entry): void {
    this.#byHash.delete(tokenHash);
    if (this.#byId.delete(sessionId)) this.#tell(sessionId);
  }

  #tell(sessionId: string): void {
    for (const listener of this.#listeners) listener(sessionId);
  }

  /** Writes that a session is in use. Nobody waits for it; a failure costs it time at most. */
  #record(entry: Entry): void {
    entry.recordedAt = entry.usedAt;
    const { sessionId, personId, usedAt } = entry;
    const write = async () => {
      await this.#ports.records.updateAuthRecords(
        "session",
        [{ field: "id", operator: "eq", value: sessionId }],
        { updatedAt: usedAt, expiresAt: endOf(entry) },
      );
      await this.#recordSeen(personId);
    };
    write().catch((error: unknown) =>
      this.#ports.log.warn({ error: String(error) }, "the use of a session was not recorded"),
    );
  }

  async #recordSeen(personId: string): Promise<void> {
    await this.#ports.records.updateAuthRecords("user", [{ field: "id", operator: "eq", value: personId }], {
      updatedAt: this.#ports.wall.nowUnixMs(),
    });
  }

  #sweepLater(): void {
    const now = this.#steady.nowMs();
    const next = [...this.#byId.values()].reduce(
      (earliest, entry) => Math.min(earliest, endOf(entry)),
      Infinity,
    );
    const waitMs = Math.min(SWEEP_MS, Math.max(LATE_MS, next - now));
    this.#stopSweeping = this.#ports.after(waitMs, () => {
      const now = this.#steady.nowMs();
      const over = [...this.#byId.values()].filter((entry) => now >= endOf(entry));
      Promise.all(over.map(({ sessionId }) => this.end(sessionId)))
        .catch((error: unknown) =>
          this.#ports.log.warn({ error: String(error) }, "a session that is over was not deleted"),
        )
        .finally(() => this.#sweepLater());
    });
  }

  #newToken(): string {
    return base64urlnopad.encode(this.#ports.random(TOKEN_BYTE_COUNT));
  }

  #shown(entry: Entry): Session {
    const { sessionId, personId } = entry;
    return {
      sessionId,
      personId,
      openedAt: this.#asWall(entry.openedAt),
      provedAt: this.#asWall(entry.provedAt),
      endsAt: this.#asWall(endOf(entry)),
    };
  }

  /** As far from the wall clock's time as it is from the steady one's, so that others may compare it with theirs. */
  #asWall(steadyMs: number): number {
    return this.#ports.wall.nowUnixMs() + (steadyMs - this.#steady.nowMs());
  }
}

function endOf({ openedAt, usedAt }: Pick<Entry, "openedAt" | "usedAt">): number {
  return Math.min(openedAt + LIFE_MS, usedAt + IDLE_MS);
}

function entryOf(record: AuthRecord<"session">): Entry {
  const { id, userId, token, createdAt, updatedAt, provedAt } = record;
  return {
    sessionId: id,
    personId: userId,
    openedAt: createdAt,
    tokenHash: token,
    provedAt: provedAt ?? createdAt,
    usedAt: updatedAt,
    recordedAt: updatedAt,
  };
}
