import type { MerkleTree } from "#shared/crypto/merkle.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import { type Bytes, bytesToHex, hexToBytes } from "#shared/kernel/bytes.ts";
import { decodeFrame } from "#shared/protocol/frame.ts";
import { shareSchema, unmaskSchema } from "#shared/protocol/messages/device.ts";
import type { InputFact, RoundState, Seat } from "#shared/round/state.ts";
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
export function attemptOf(ports: SessionPorts, terms: RoundTerms, attempt: number): Promise<Attempt> {
  return openAttempt(ports.primitives, { ...terms, attempt, shard: 0 });
}

/** A seat as the roster message has it; the issuer's signature is deterministic, so it is made anew each time. */
export async function memberOf(ports: SessionPorts, seat: Seat): Promise<Member> {
  const identity = hexToBytes(seat.identity);
  const { c, s, bCommit, signature } = seat.advert;
  return {
    identity,
    c: hexToBytes(c),
    s: hexToBytes(s),
    bCommit: hexToBytes(bCommit),
    signature: hexToBytes(signature),
    certificate: await ports.issuer.sign(certificateItem(ports.projectId, identity)),
  };
}

/**
 * What follows from the roster of one attempt: session id, verified bundles, sets. Nothing here is decided and nothing
 * is lost with the process: it all follows from the round's log and the store.
 */
export class Session {
  readonly roster: Roster;
  readonly #ports: SessionPorts;
  /** By dealer, verified. */
  readonly #bundles = new Map<number, Bundle>();
  /** By holder, verified. */
  readonly #openings = new Map<number, Opening>();
  #bundlesLoaded: Promise<void> | null = null;
  #u2: PositionSet | null = null;
  #u3: PositionSet | null = null;

  private constructor(ports: SessionPorts, roster: Roster) {
    this.#ports = ports;
    this.roster = roster;
  }

  /** @param fresh  Whether nothing of this session can be in the store yet. */
  static async open(
    ports: SessionPorts,
    terms: RoundTerms,
    attempt: number,
    seats: readonly Seat[],
    fresh: boolean,
  ): Promise<Session> {
    const members = await Promise.all(seats.map((seat) => memberOf(ports, seat)));
    const roster = await buildRoster(ports.primitives, await attemptOf(ports, terms, attempt), members);
    assert(
      roster.ok,
      `the machine seats only rosters that every device accepts: ${roster.ok ? "" : roster.error}`,
    );
    const session = new Session(ports, roster.value);
    if (fresh) session.#bundlesLoaded = Promise.resolve();
    return session;
  }

  get sid(): string {
    return this.roster.sidHex;
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
    this.#u3 ??= await setOfPositions(this.#ports.primitives, this.roster, state.u3);
    return { u2: await this.u2(state), u3: this.#u3 };
  }

  async u2(state: RoundState): Promise<PositionSet> {
    assert("u2" in state, "U2 is fixed");
    this.#u2 ??= await setOfPositions(this.#ports.primitives, this.roster, state.u2);
    return this.#u2;
  }

  /** The openings of these holders, from memory or, after a restart, from the store. */
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

  /** Forgets what R4 brought (S11). */
  forgetOpenings(): void {
    for (const { bShares, zShares } of this.#openings.values()) {
      for (const { share } of [...bShares, ...zShares]) share.fill(0);
    }
    this.#openings.clear();
  }
}

/** The tree over the survivors' input roots in order of position. */
export function survivorsTree(
  ports: Pick<CoordinatorPorts, "primitives">,
  u3: readonly number[],
  inputs: ReadonlyMap<number, InputFact>,
): Promise<MerkleTree> {
  const roots = u3.map((position) =>
    hexToBytes(present(inputs.get(position), "an input of each survivor").root),
  );
  return inputsTree(ports.primitives, roots);
}

export async function sha256Hex(ports: Pick<CoordinatorPorts, "primitives">, bytes: Bytes): Promise<string> {
  return bytesToHex(await ports.primitives.sha256(bytes));
}
