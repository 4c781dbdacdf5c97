import { bCommit } from "#shared/crypto/commitments.ts";
import {
  freshKeyPair,
  maskKeyPairFromSeed,
  pairMaskKey,
  pairMaskSign,
  selfMaskKey,
  shareEncryptionKey,
} from "#shared/crypto/key-agreement.ts";
import { addMasks, type Mask } from "#shared/crypto/mask-stream.ts";
import { combineShares, fieldFor, lagrangeBasisAtZero, splitSecret } from "#shared/crypto/shamir.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import { type Bytes, equalBytes } from "#shared/kernel/bytes.ts";
import type { Position } from "#shared/kernel/places.ts";
import type { Signer } from "#shared/kernel/ports.ts";
import type { CoordinatorMessageOf } from "#shared/protocol/messages/coordinator.ts";
import { bundleTree, commitShares, openShares, type ShareLeaf, sealShares } from "#shared/secagg/bundle.ts";
import type { PositionSet } from "#shared/secagg/position-sets.ts";
import { holdersIn, memberAt, neighboursOf } from "#shared/secagg/roster.ts";
import { positionNo } from "../places.ts";
import { plainSum, seededRandom } from "../secagg-fixtures.ts";
import { type CohortOptions, lastSent } from "../worlds/cohort-device.ts";
import { SecaggCohort } from "../worlds/secagg-cohort.ts";
import type { World } from "./attack.ts";

/** U2 as told before the input, and both sets as told after it. */
export interface View {
  readonly collect: readonly number[];
  readonly u2: readonly number[];
  readonly u3: readonly number[];
}
type Confirmations = CoordinatorMessageOf<"open">["confirmations"];

/** A seat of the roster whose secrets the adversary knows. */
interface KnownSeat {
  readonly z: Bytes;
  readonly b: Bytes;
  readonly c: Bytes;
}

/**
 * A coordinator that checks nothing, tells every device what it likes, and computes everything that follows from the
 * messages it received and from its colluders' knowledge. It never looks at plain inputs or at an honest device's seed.
 */
export class RogueCoordinator {
  readonly world: World;
  readonly cohort: SecaggCohort;
  readonly colluders: readonly number[];
  readonly #seats = new Map<Position, KnownSeat>();
  /** Signers of the seats that it plays itself. */
  readonly #signers = new Map<Position, Signer>();
  readonly #shares = { b: new Map<string, Bytes>(), z: new Map<string, Bytes>() };
  readonly #told = new Map<number, readonly number[]>();
  readonly #confirmed: { readonly position: Position; readonly view: View; readonly signature: Bytes }[] = [];

  private constructor(world: World, cohort: SecaggCohort, colluders: readonly number[]) {
    this.world = world;
    this.cohort = cohort;
    this.colluders = colluders;
    for (const position of colluders) {
      // The adversary runs this device itself, so it knows the device's first draws.
      const random = seededRandom(`${cohort.seed} device ${position}`);
      this.#seats.set(positionNo(position), { z: random(32), b: random(32), c: random(32) });
    }
  }

  static async create(
    world: World,
    options: CohortOptions,
    colluders: readonly number[] = [],
  ): Promise<RogueCoordinator> {
    const cohort = await SecaggCohort.create({ vectorLength: 8, engine: world.engine, ...options });
    return new RogueCoordinator(world, cohort, colluders);
  }

  /** Positions that the adversary does not control. */
  get honest(): readonly number[] {
    return this.cohort.devices
      .map(({ position }) => position)
      .filter((position) => !this.#seats.has(position));
  }

  /** R0 of all devices, in order of position. */
  async advertise(): Promise<void> {
    for (const device of this.cohort.devices) this.cohort.members.push(await this.cohort.advertise(device));
  }

  /** Replaces a device's keys with its own, signed by whatever signer it has. */
  async usurp(position: number, signer: Signer, seed = ""): Promise<void> {
    const { primitives, attempt, engine, members } = this.cohort;
    const random = seededRandom(`usurped ${position} ${seed}`);
    const [z, b] = [random(32), random(32)];
    const sealing = await freshKeyPair(primitives, random);
    this.#seats.set(positionNo(position), { z, b, c: sealing.secretKey });
    this.#signers.set(positionNo(position), signer);
    const keys = {
      identity: signer.publicKey,
      c: sealing.publicKey,
      s: (await maskKeyPairFromSeed(primitives, z)).publicKey,
      bCommit: await bCommit(primitives, signer.publicKey, b),
    };
    const signature = await signer.sign(engine.signedItems.advertItem(attempt.header, keys));
    const member = present(members[position - 1], "a seat");
    members[position - 1] = { ...member, ...keys, signature };
  }

  /** Sends the roster to all honest devices and collects their shares. @returns true if all accepted. */
  async share(
    positions: readonly number[] = this.cohort.members.map((_, index) => index + 1),
  ): Promise<boolean> {
    const { cohort, world } = this;
    const { runId, round, attempt } = cohort.attempt.terms;
    const message = {
      type: "roster" as const,
      runId: runId as never,
      round,
      attempt,
      members: [...cohort.members],
      deadlineInMs: 1_000,
    };
    let allGo = true;
    for (const position of positions) {
      if (this.#isUsurped(position)) continue;
      allGo = (await world.tell(cohort, position, { ...message, ...this.#termsOf(position) })) && allGo;
    }
    if (!allGo) return false;
    assert((await cohort.layOut()) === null, "what devices take a coordinator can lay out");
    for (const position of positions) {
      if (this.#isUsurped(position)) await this.#deal(positionNo(position));
      else {
        const { leaves, signature } = lastSent(cohort.device(position), "share");
        const tree = await bundleTree(
          cohort.primitives,
          holdersIn(cohort.roster, positionNo(position)),
          leaves,
        );
        cohort.bundles.set(positionNo(position), { dealer: positionNo(position), leaves, tree, signature });
      }
    }
    await this.#openBoxes();
    return true;
  }

  /** Sends U2 and collects the masked input. */
  async collect(position: number, u2: readonly number[]): Promise<boolean> {
    this.#told.set(position, u2);
    return this.world.tell(this.cohort, position, this.cohort.collectOver(position, await this.#setOf(u2)));
  }

  async confirm(position: number, view: View): Promise<boolean> {
    const { u2, u3 } = await this.#setsOf(view);
    const sid = this.cohort.roster.sidHex;
    const message = { type: "sets" as const, sid, u2: u2.bitmap, u3: u3.bitmap, deadlineInMs: 1_000 };
    if (!(await this.world.tell(this.cohort, position, message))) return false;
    const { signature } = lastSent(this.cohort.device(position), "confirm");
    this.#confirmed.push({ position: positionNo(position), view, signature });
    return true;
  }

  /** The confirmations for a view that it can show: those it was given, and its colluders'. Ascending. */
  async confirmationsOf(view: View): Promise<Confirmations> {
    const { u2, u3 } = await this.#setsOf(view);
    const item = this.world.engine.signedItems.setsItem(this.cohort.roster.sid, u2.hash, u3.hash);
    const given = this.#confirmed.filter((confirmed) => key(confirmed.view) === key(view));
    const all = new Map(given.map(({ position, signature }) => [position, signature]));
    for (const position of this.colluders) {
      if (view.u3.includes(position))
        all.set(positionNo(position), await this.cohort.device(position).signer.sign(item));
    }
    return [...all]
      .sort(([left], [right]) => left - right)
      .map(([signer, signature]) => ({ signer: signer as Position, signature }));
  }

  /** Confirmations of a view by one key under several positions. */
  async signedBy(signer: Signer, view: View, positions: readonly number[]): Promise<Confirmations> {
    const { u2, u3 } = await this.#setsOf(view);
    const item = this.world.engine.signedItems.setsItem(this.cohort.roster.sid, u2.hash, u3.hash);
    const signature = await signer.sign(item);
    return positions.map((position) => ({ signer: position as Position, signature }));
  }

  /** Asks for shares and keeps them. */
  async open(
    position: number,
    view: View,
    confirmations?: Confirmations,
    more: object = {},
  ): Promise<boolean> {
    const { u2, u3 } = await this.#setsOf(view);
    const message = {
      type: "open" as const,
      sid: this.cohort.roster.sidHex,
      u2: u2.bitmap,
      u3: u3.bitmap,
      confirmations: confirmations ?? (await this.confirmationsOf(view)),
      deadlineInMs: 1_000,
      ...more,
    };
    if (!(await this.world.tell(this.cohort, position, message))) return false;
    this.#keep(position);
    return true;
  }

  /**
   * Leads each honest device through U2, both sets and the opening, each with its own view. Devices that refuse are
   * left behind.
   *
   * @param more  Fields to add to the last request.
   */
  async showViews(
    viewOf: (position: number) => View | null,
    confirmations?: (view: View) => Promise<Confirmations>,
    more?: object,
  ): Promise<void> {
    const confirmed: number[] = [];
    const shown = this.honest.filter((position) => viewOf(position) !== null);
    const view = (position: number) => present(viewOf(position), "a view");
    for (const position of shown) {
      if (!(await this.collect(position, view(position).collect))) continue;
      if (await this.confirm(position, view(position))) confirmed.push(position);
    }
    for (const position of confirmed) {
      await this.open(position, view(position), await confirmations?.(view(position)), more);
    }
  }

  /** The sum of the inputs of `positions`, if its knowledge opens it; otherwise null. */
  async sumOf(positions: readonly number[]): Promise<Uint32Array | null> {
    const { primitives, roster } = this.cohort;
    const bodies = positions.map((position) => this.cohort.device(position).body);
    if (bodies.some((body) => body === null)) return null;
    const sum = plainSum(bodies.map((body) => new Uint32Array((body as Bytes).slice().buffer)));
    const masks: Mask[] = [];
    for (const position of positions) {
      const b = await this.secret("b", position);
      if (b === null) return null;
      masks.push({ key: await selfMaskKey(primitives, b, roster.sid, position), sign: -1 });
      const pairs = await this.pairMasks(position, positions);
      if (pairs === null) return null;
      masks.push(...pairs);
    }
    await addMasks(primitives, sum, masks);
    return sum;
  }

  /**
   * The masks that remove a device's pair masks, except those that cancel within `positions`; null if it cannot compute
   * them.
   */
  async pairMasks(position: number, positions: readonly number[]): Promise<Mask[] | null> {
    const { primitives, roster } = this.cohort;
    const masks: Mask[] = [];
    const told = present(this.#told.get(position), "it masked its input");
    for (const other of neighboursOf(roster, positionNo(position)).filter((neighbour) =>
      told.includes(neighbour),
    )) {
      if (positions.includes(other) && this.#told.get(other)?.includes(position)) continue;
      const [own, theirs] = [await this.secret("z", position), await this.secret("z", other)];
      const [seed, peer] = own === null ? [theirs, position] : [own, other];
      if (seed === null) return null;
      const { secretKey } = await maskKeyPairFromSeed(primitives, seed);
      const shared = await primitives.x25519(secretKey, memberAt(roster, positionNo(peer)).s);
      if (!shared.ok) return null;
      const key = await pairMaskKey(primitives, shared.value, roster.sid, position, other);
      masks.push({ key, sign: pairMaskSign(position, other) === 1 ? -1 : 1 });
    }
    return masks;
  }

  /** A seed that it knows or can reconstruct, checked against what its owner announced. */
  async secret(kind: "b" | "z", owner: number): Promise<Bytes | null> {
    const known = this.#seats.get(positionNo(owner));
    if (known !== undefined) return known[kind];
    const { primitives, roster } = this.cohort;
    const held = roster.members.flatMap((_, index) => {
      const share = this.#shares[kind].get(`${owner} ${index + 1}`);
      return share === undefined
        ? []
        : [{ x: roster.graph.rankOf(positionNo(owner), positionNo(index + 1)), share }];
    });
    if (held.length === 0) return null;
    const field = fieldFor(holdersIn(roster, positionNo(owner)).length);
    const basis = lagrangeBasisAtZero(
      held.map(({ x }) => x),
      field,
    );
    const secret = combineShares(
      basis,
      held.map(({ share }) => share),
    );
    const { identity, s, bCommit: committed } = memberAt(roster, positionNo(owner));
    const isIt =
      kind === "b"
        ? equalBytes(await bCommit(primitives, identity, secret), committed)
        : equalBytes((await maskKeyPairFromSeed(primitives, secret)).publicKey, s);
    return isIt ? secret : null;
  }

  /** Records a seed that it found out in another way. */
  learns(position: number, seat: KnownSeat): void {
    this.#seats.set(positionNo(position), seat);
  }

  #isUsurped(position: number): boolean {
    return this.#signers.has(positionNo(position));
  }

  /** The attempt that a device was told about; the coordinator knows what it said. */
  #termsOf(position: number): { readonly runId: never; readonly round: number; readonly attempt: number } {
    const { runId, round, attempt } = lastSent(this.cohort.device(position), "advertise");
    return { runId: runId as never, round, attempt };
  }

  /** R1 of a seat that it plays itself. */
  async #deal(position: Position): Promise<void> {
    const { primitives, roster, engine, bundles } = this.cohort;
    const { z, b, c } = present(this.#seats.get(positionNo(position)), "a seat of its own");
    const random = seededRandom(`dealt by ${position}`);
    const holders = holdersIn(roster, positionNo(position));
    const xs = holders.map((_, index) => index + 1);
    const [zShares, bShares] = [z, b].map((secret) => splitSecret(secret, roster.thresholds.t, xs, random));
    const leaves: ShareLeaf[] = [];
    for (const [index, holder] of holders.entries()) {
      const shares = { z: zShares?.[index] as Bytes, b: bShares?.[index] as Bytes };
      const route = { sid: roster.sid, dealer: position, holder };
      const commits = await commitShares(primitives, route, shares);
      if (holder === position) {
        leaves.push({ ciphertext: new Uint8Array(0), ...commits });
        continue;
      }
      const agreed = await primitives.x25519(c, memberAt(roster, holder).c);
      assert(agreed.ok, "a good key");
      const key = await shareEncryptionKey(primitives, agreed.value, roster.sid, position, holder);
      leaves.push({ ciphertext: sealShares(key, random(24), route, shares), ...commits });
    }
    const tree = await bundleTree(primitives, holders, leaves);
    const signer = present(this.#signers.get(positionNo(position)), "a seat of its own");
    const signature = await signer.sign(
      engine.signedItems.bundleItem(roster.sid, positionNo(position), tree.root),
    );
    bundles.set(position, { dealer: positionNo(position), leaves, tree, signature });
  }

  /** Reads what was sealed for its own seats. */
  async #openBoxes(): Promise<void> {
    const { primitives, roster, bundles } = this.cohort;
    for (const [holder, { c }] of this.#seats) {
      for (const [dealer, { leaves }] of bundles) {
        const agreed = await primitives.x25519(c, memberAt(roster, dealer).c);
        const rank = roster.graph.rankOf(dealer, holder);
        if (dealer === holder || rank === 0 || !agreed.ok) continue;
        const key = await shareEncryptionKey(primitives, agreed.value, roster.sid, dealer, holder);
        const leaf = present(leaves[rank - 1], "a leaf for each holder");
        const opened = openShares(key, { sid: roster.sid, dealer, holder }, leaf.ciphertext);
        if (!opened.ok) continue;
        this.#shares.z.set(`${dealer} ${holder}`, opened.value.z);
        this.#shares.b.set(`${dealer} ${holder}`, opened.value.b);
      }
    }
  }

  #keep(holder: number): void {
    const { bShares, zShares } = lastSent(this.cohort.device(holder), "unmask");
    for (const { owner, share } of bShares) this.#shares.b.set(`${owner} ${holder}`, share);
    for (const { owner, share } of zShares) this.#shares.z.set(`${owner} ${holder}`, share);
  }

  /** Accepts positions that do not exist: the coordinator may send any bitmap. */
  async #setOf(positions: readonly number[]): Promise<PositionSet> {
    const { primitives, engine, roster } = this.cohort;
    const real = positions.filter((position) => position <= roster.members.length);
    const set = await engine.positionSets.setOfPositions(primitives, roster, real.map(positionNo));
    if (real.length === positions.length) return set;
    const bitmap = set.bitmap.slice();
    for (const position of positions) {
      const byte = (position - 1) >>> 3;
      bitmap[byte] = (bitmap[byte] as number) | (1 << ((position - 1) & 7));
    }
    const read = await engine.positionSets.setOfBitmap(primitives, roster, bitmap);
    return read.ok ? read.value : { ...set, bitmap };
  }

  async #setsOf(view: View): Promise<{ readonly u2: PositionSet; readonly u3: PositionSet }> {
    return { u2: await this.#setOf(view.u2), u3: await this.#setOf(view.u3) };
  }
}

function key({ u2, u3 }: View): string {
  return `${u2.join()} ${u3.join()}`;
}
