import type { MerkleTree } from "#shared/crypto/merkle.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import { type Bytes, bytesToHex, hexToBytes } from "#shared/kernel/bytes.ts";
import { type Position, positionOfSeat, type Seat, seatOfPosition } from "#shared/kernel/places.ts";
import type { Signer } from "#shared/kernel/ports.ts";
import { decodeFrame } from "#shared/protocol/frame.ts";
import { shareSchema, unmaskSchema } from "#shared/protocol/messages/device.ts";
import { keptShards } from "#shared/round/shards.ts";
import type { Confirming, RosterEntry, RoundShard, RoundState, Sealed, Seated } from "#shared/round/state.ts";
import { type Attempt, openAttempt } from "#shared/secagg/attempt.ts";
import { inputsTree } from "#shared/secagg/opening.ts";
import { type PositionSet, type SessionSets, setOfPositions } from "#shared/secagg/position-sets.ts";
import type { Roster, RosterMember } from "#shared/secagg/roster.ts";
import {
  type Bundle,
  buildRoster,
  type GivenShares,
  verifyShareBundle,
  verifyUnmask,
} from "#shared/secagg/server.ts";
import { certificateItem } from "#shared/secagg/signed-items.ts";
import type { AgreedConfig } from "#shared/task/config.ts";
import type { RoundParams } from "#shared/task/round-params.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";

/** What all attempts of a round have in common. */
export interface RoundTerms {
  readonly runId: string;
  readonly round: number;
  readonly modelHash: string;
  readonly config: AgreedConfig;
  readonly roundParams: RoundParams;
}

type SessionPorts = Pick<CoordinatorPorts, "primitives" | "issuer" | "store" | "projectId">;

/** The header of an attempt, which its adverts sign. */
export function attemptOf(
  ports: SessionPorts,
  terms: RoundTerms,
  { attempt }: Pick<RoundState, "attempt">,
  shard: number,
): Promise<Attempt> {
  return openAttempt(ports.primitives, { ...terms, attempt, shard });
}

type ConfirmationList = readonly { readonly signer: Position; readonly signature: Bytes }[];

const CERTIFICATES_MAX = 20_000;
/**
 * By identity, oldest first. The issuer's signature is deterministic, so a dropped certificate can be made
 * again. The cache belongs to the issuer and outlives rounds, which is why no session holds it.
 */
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

/** A seat as a member of the roster message. */
export async function rosterMemberOf(ports: SessionPorts, entry: RosterEntry): Promise<RosterMember> {
  const identity = hexToBytes(entry.identity);
  const { c, s, bCommit, signature } = entry.advert;
  return {
    identity,
    c: hexToBytes(c),
    s: hexToBytes(s),
    bCommit: hexToBytes(bCommit),
    signature: hexToBytes(signature),
    certificate: await certificateOf(ports, entry.identity),
  };
}

/**
 * What follows from one shard's roster in one attempt: session id, verified bundles, sets. It decides nothing
 * and survives the process, because it all follows from the round's log and the store.
 *
 * Its positions are those of its roster, in everything under its session id: messages, material, slots,
 * inputs. The round's log counts seats over all shards; `seatOf` and `positionOf` convert between the two.
 */
export class Session {
  readonly roster: Roster;
  readonly shard: number;
  readonly #seatsBefore: number;
  readonly #ports: SessionPorts;
  /** By dealer, verified. */
  readonly #bundles = new Map<Position, Bundle>();
  /** By holder, verified. */
  readonly #openings = new Map<Position, GivenShares>();
  #bundlesLoaded: Promise<void> | null = null;
  #u2: PositionSet | null = null;
  #u3: PositionSet | null = null;
  #tree: Promise<MerkleTree> | null = null;
  #confirmations: { readonly of: object; readonly list: ConfirmationList } | null = null;

  private constructor(ports: SessionPorts, roster: Roster, { shard, seatsBefore }: RoundShard) {
    this.#ports = ports;
    this.roster = roster;
    this.shard = shard;
    this.#seatsBefore = seatsBefore;
  }

  /** @param fresh  Whether the store cannot have anything of this session yet. */
  static async open(
    ports: SessionPorts,
    terms: RoundTerms,
    state: Pick<Seated, "attempt">,
    shard: RoundShard,
    entries: readonly RosterEntry[],
    fresh: boolean,
  ): Promise<Session> {
    const members = await Promise.all(entries.map((entry) => rosterMemberOf(ports, entry)));
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

  seatOf(position: Position): Seat {
    return seatOfPosition(position, this.#seatsBefore);
  }

  /** @param seat  Must be of this shard. */
  positionOf(seat: Seat): Position {
    return positionOfSeat(seat, this.#seatsBefore);
  }

  /** Positions of those `seats` that are in this shard. */
  positionsIn(seats: readonly Seat[]): Position[] {
    const last = this.roster.members.length;
    return seats.map((seat) => this.positionOf(seat)).filter((position) => position >= 1 && position <= last);
  }

  addBundle(bundle: Bundle): void {
    this.#bundles.set(bundle.dealer, bundle);
  }

  addOpening(opening: GivenShares): void {
    this.#openings.set(opening.holder, opening);
  }

  /** Verified bundles by dealer, loaded from the store after a restart. */
  async bundles(): Promise<ReadonlyMap<Position, Bundle>> {
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
      // It was verified before it was stored, so a failure means that the store lost or changed it.
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

  /** Openings of these holders (positions), from memory or, after a restart, from the store. */
  async openings(state: RoundState, holders: readonly Position[]): Promise<readonly GivenShares[]> {
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

  /** The tree over the survivors' input roots, in order of position. Each survivor is sent its path. */
  survivorsTree({ u3, inputs }: Pick<Sealed, "u3" | "inputs">): Promise<MerkleTree> {
    this.#tree ??= inputsTree(
      this.#ports.primitives,
      this.positionsIn(u3).map((position) =>
        hexToBytes(present(inputs.get(this.seatOf(position)), "an input of each survivor").root),
      ),
    );
    return this.#tree;
  }

  /** Ascending by signer. Remembered by the state's map, since all survivors are sent the same list. */
  confirmations({ confirmations }: Pick<Confirming, "confirmations">): ConfirmationList {
    if (this.#confirmations?.of === confirmations) return this.#confirmations.list;
    const signers = this.positionsIn([...confirmations.keys()]).sort((left, right) => left - right);
    const list = signers.map((signer) => ({
      signer,
      signature: hexToBytes(present(confirmations.get(this.seatOf(signer)), "a signature")),
    }));
    this.#confirmations = { of: confirmations, list };
    return list;
  }

  /** Wipes the shares received in R4 (S11). */
  forgetOpenings(): void {
    for (const { bShares, zShares } of this.#openings.values()) {
      for (const { share } of [...bShares, ...zShares]) share.fill(0);
    }
    this.#openings.clear();
  }
}

/**
 * All sessions of an attempt in order of shard, including shards that are left out. @param fresh  See `open`.
 */
export function openSessions(
  ports: SessionPorts,
  terms: RoundTerms,
  state: Pick<Seated, "attempt" | "roster" | "shards">,
  fresh: boolean,
): Promise<readonly Session[]> {
  return Promise.all(
    state.shards.map((shard) => {
      const { seatsBefore, thresholds } = shard;
      const entries = state.roster.slice(seatsBefore, seatsBefore + thresholds.rosterSize);
      return Session.open(ports, terms, state, shard, entries, fresh);
    }),
  );
}

/** The session that a seat of the round belongs to. */
export function sessionOfSeat(sessions: readonly Session[], seat: Seat): Session {
  return present(
    sessions.find((session) => session.positionsIn([seat]).length === 1),
    "a session for each seat",
  );
}

/** Sessions whose shards are not left out. */
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
