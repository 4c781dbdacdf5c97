import type { MerkleTree } from "#shared/crypto/merkle.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import { type Bytes, bytesToHex, hexToBytes } from "#shared/kernel/bytes.ts";
import type { Signer } from "#shared/kernel/ports.ts";
import { decodeFrame } from "#shared/protocol/frame.ts";
import { shareSchema, unmaskSchema } from "#shared/protocol/messages/device.ts";
import { keptShards } from "#shared/round/shards.ts";
import type { RoundShard, RoundState, Sealed, Seat, Seated } from "#shared/round/state.ts";
import { type Attempt, openAttempt } from "#shared/secagg/attempt.ts";
import { inputsTree } from "#shared/secagg/opening.ts";
import { type PositionSet, type SessionSets, setOfPositions } from "#shared/secagg/position-sets.ts";
import type { Member, Roster } from "#shared/secagg/roster.ts";
import {
  type Bundle,
  buildRoster,
  type Opening,
  verifyShareBundle,
  verifyUnmask,
} from "#shared/secagg/server.ts";
import { certificateItem } from "#shared/secagg/signed-items.ts";
import type { AgreedConfig, RoundParams } from "#shared/task/config.ts";
import type { CoordinatorPorts } from "./ports.ts";

/** What all attempts of a round are about. */
export interface RoundTerms {
  readonly runId: string;
  readonly round: number;
  readonly modelHash: string;
  readonly config: AgreedConfig;
  readonly roundParams: RoundParams;
}

type SessionPorts = Pick<CoordinatorPorts, "primitives" | "issuer" | "store" | "projectId">;

/** The header of an attempt, which its adverts are signed over. */
export function attemptOf(
  ports: SessionPorts,
  terms: RoundTerms,
  { attempt }: Pick<RoundState, "attempt">,
  shard: number,
): Promise<Attempt> {
  return openAttempt(ports.primitives, { ...terms, attempt, shard });
}

const CERTIFICATES_MAX = 20_000;
/** By identity, oldest first. The issuer's signature is deterministic, so one that is forgotten is made anew. */
const certificatesBy = new WeakMap<Signer, Map<string, Promise<Bytes>>>();

function certificateOf({ issuer, projectId }: SessionPorts, identity: string): Promise<Bytes> {
  const known = certificatesBy.get(issuer) ?? new Map<string, Promise<Bytes>>();
  certificatesBy.set(issuer, known);
  const made = known.get(identity) ?? issuer.sign(certificateItem(projectId, hexToBytes(identity)));
  known.set(identity, made);
  for (const oldest of known.keys()) {
    if (known.size <= CERTIFICATES_MAX) break;
    known.delete(oldest);
  }
  return made;
}

/** A seat as the roster message has it. */
export async function memberOf(ports: SessionPorts, seat: Seat): Promise<Member> {
  const identity = hexToBytes(seat.identity);
  const { c, s, bCommit, signature } = seat.advert;
  return {
    identity,
    c: hexToBytes(c),
    s: hexToBytes(s),
    bCommit: hexToBytes(bCommit),
    signature: hexToBytes(signature),
    certificate: await certificateOf(ports, seat.identity),
  };
}

/**
 * What follows from the roster of one shard in one attempt: session id, verified bundles, sets. Nothing here is decided
 * and nothing is lost with the process: it all follows from the round's log and the store.
 *
 * Its positions are those of its roster, in everything that bears its session id: messages, material, slots, inputs.
 * The round's log counts seats through all shards; `seatOf` and `positionOf` lead from one to the other.
 */
export class Session {
  readonly roster: Roster;
  readonly shard: number;
  readonly #seatsBefore: number;
  readonly #ports: SessionPorts;
  /** By dealer, verified. */
  readonly #bundles = new Map<number, Bundle>();
  /** By holder, verified. */
  readonly #openings = new Map<number, Opening>();
  #bundlesLoaded: Promise<void> | null = null;
  #u2: PositionSet | null = null;
  #u3: PositionSet | null = null;
  #tree: Promise<MerkleTree> | null = null;

  private constructor(ports: SessionPorts, roster: Roster, { shard, seatsBefore }: RoundShard) {
    this.#ports = ports;
    this.roster = roster;
    this.shard = shard;
    this.#seatsBefore = seatsBefore;
  }

  /** @param fresh  Whether nothing of this session can be in the store yet. */
  static async open(
    ports: SessionPorts,
    terms: RoundTerms,
    state: Pick<Seated, "attempt">,
    shard: RoundShard,
    seats: readonly Seat[],
    fresh: boolean,
  ): Promise<Session> {
    const members = await Promise.all(seats.map((seat) => memberOf(ports, seat)));
    const header = await attemptOf(ports, terms, state, shard.shard);
    const roster = await buildRoster(ports.primitives, header, members);
    assert(
      roster.ok,
      `the machine seats only rosters that every device accepts: ${roster.ok ? "" : roster.error}`,
    );
    const session = new Session(ports, roster.value, shard);
    if (fresh) session.#bundlesLoaded = Promise.resolve();
    return session;
  }

  get sid(): string {
    return this.roster.sidHex;
  }

  seatOf(position: number): number {
    return position + this.#seatsBefore;
  }

  /** @param seat  Of this shard. */
  positionOf(seat: number): number {
    return seat - this.#seatsBefore;
  }

  /** Positions of those of `seats` that are of this shard. */
  positionsIn(seats: readonly number[]): number[] {
    const last = this.roster.members.length;
    return seats.map((seat) => this.positionOf(seat)).filter((position) => position >= 1 && position <= last);
  }

  addBundle(bundle: Bundle): void {
    this.#bundles.set(bundle.dealer, bundle);
  }

  addOpening(opening: Opening): void {
    this.#openings.set(opening.holder, opening);
  }

  /** Verified bundles by dealer; after a restart they come from the store. */
  async bundles(): Promise<ReadonlyMap<number, Bundle>> {
    this.#bundlesLoaded ??= this.#loadBundles();
    await this.#bundlesLoaded;
    return this.#bundles;
  }

  async #loadBundles(): Promise<void> {
    const { store, primitives } = this.#ports;
    for (const [dealer, bytes] of await store.loadMaterial(this.sid, "share")) {
      if (this.#bundles.has(dealer)) continue;
      const message = decodeFrame(bytes, shareSchema);
      const bundle = message.ok
        ? await verifyShareBundle(primitives, this.roster, dealer, message.value)
        : message;
      // It was verified before it was stored, so anything else is a store that does not keep what it is given.
      assert(bundle.ok, `stored share of position ${dealer} does not verify`);
      this.#bundles.set(dealer, bundle.value);
    }
  }

  async sets(state: RoundState): Promise<SessionSets> {
    assert("u3" in state, "U3 is sealed");
    this.#u3 ??= await setOfPositions(this.#ports.primitives, this.roster, this.positionsIn(state.u3));
    return { u2: await this.u2(state), u3: this.#u3 };
  }

  async u2(state: RoundState): Promise<PositionSet> {
    assert("u2" in state, "U2 is fixed");
    this.#u2 ??= await setOfPositions(this.#ports.primitives, this.roster, this.positionsIn(state.u2));
    return this.#u2;
  }

  /** The openings of these holders, by position, from memory or, after a restart, from the store. */
  async openings(state: RoundState, holders: readonly number[]): Promise<readonly Opening[]> {
    const missing = holders.filter((holder) => !this.#openings.has(holder));
    if (missing.length > 0) {
      const stored = await this.#ports.store.loadMaterial(this.sid, "unmask");
      const [sets, bundles] = [await this.sets(state), await this.bundles()];
      for (const holder of missing) {
        const message = decodeFrame(present(stored.get(holder), `stored opening of ${holder}`), unmaskSchema);
        assert(message.ok, `stored opening of position ${holder} does not decode`);
        const { primitives } = this.#ports;
        const opening = await verifyUnmask(primitives, this.roster, sets, bundles, holder, message.value);
        assert(opening.ok, `stored opening of position ${holder} does not verify`);
        this.#openings.set(holder, opening.value);
      }
    }
    return holders.map((holder) => present(this.#openings.get(holder), "an opening"));
  }

  /** The tree over the input roots of the survivors in order of position; each of them is sent its path. */
  survivorsTree({ u3, inputs }: Pick<Sealed, "u3" | "inputs">): Promise<MerkleTree> {
    this.#tree ??= inputsTree(
      this.#ports.primitives,
      this.positionsIn(u3).map((position) =>
        hexToBytes(present(inputs.get(this.seatOf(position)), "an input of each survivor").root),
      ),
    );
    return this.#tree;
  }

  /** Forgets what R4 brought (S11). */
  forgetOpenings(): void {
    for (const { bShares, zShares } of this.#openings.values()) {
      for (const { share } of [...bShares, ...zShares]) share.fill(0);
    }
    this.#openings.clear();
  }
}

/** All sessions of an attempt, those of shards that are left out too, in order of shard. @param fresh  See `open`. */
export function openSessions(
  ports: SessionPorts,
  terms: RoundTerms,
  state: Pick<Seated, "attempt" | "roster" | "shards">,
  fresh: boolean,
): Promise<readonly Session[]> {
  return Promise.all(
    state.shards.map((shard) => {
      const { seatsBefore, thresholds } = shard;
      const seats = state.roster.slice(seatsBefore, seatsBefore + thresholds.rosterSize);
      return Session.open(ports, terms, state, shard, seats, fresh);
    }),
  );
}

/** The one that a seat of its round belongs to. */
export function sessionOfSeat(sessions: readonly Session[], seat: number): Session {
  return present(
    sessions.find((session) => session.positionsIn([seat]).length === 1),
    "a session for each seat",
  );
}

/** Those whose shard is not left out. */
export function keptSessions(
  sessions: readonly Session[],
  state: Pick<Seated, "shards">,
): readonly Session[] {
  const kept = new Set(keptShards(state).map(({ shard }) => shard));
  return sessions.filter(({ shard }) => kept.has(shard));
}

export async function sha256Hex(ports: Pick<CoordinatorPorts, "primitives">, bytes: Bytes): Promise<string> {
  return bytesToHex(await ports.primitives.sha256(bytes));
}
