import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openFolder } from "#coordinator/adapters/folder.ts";
import type { Folder } from "#coordinator/core/ports/ports.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import { type Bytes, bytesToHex, hexToBytes } from "#shared/kernel/bytes.ts";
import type { Position } from "#shared/kernel/places.ts";
import { release } from "#shared/kernel/release.ts";
import type { Result } from "#shared/kernel/result.ts";
import { primitives } from "#shared/node/system.ts";
import { decodeFrame, encodeFrame } from "#shared/protocol/frame.ts";
import type { RunId } from "#shared/protocol/ids.ts";
import type { CoordinatorMessage, CoordinatorMessageOf } from "#shared/protocol/messages/coordinator.ts";
import { type DeviceMessage, deviceMessageSchema } from "#shared/protocol/messages/device.ts";
import { inputRoot } from "#shared/secagg/input.ts";
import { committedOutcome, inputsTree, reconstructMasks } from "#shared/secagg/opening.ts";
import { type PositionSet, type SessionSets, setOfPositions } from "#shared/secagg/position-sets.ts";
import type { Roster } from "#shared/secagg/roster.ts";
import {
  type Bundle,
  buildRoster,
  collectFor,
  type GivenShares,
  type InputClaim,
  rosterMembers,
  verifyAdvert,
  verifyConfirmation,
  verifyInput,
  verifyShareBundle,
  verifyUnmask,
} from "#shared/secagg/server.ts";
import { agreedVectorLength } from "#shared/task/config.ts";
import { positionNo } from "#test/kit/places.ts";
import type { BareThreads } from "../../kit/bare-threads.ts";
import type { ChromiumDevice } from "../../kit/devices/chromium-device.ts";
import type { DeviceStart, TimedAnswer, TimedDevice } from "../../kit/devices/timed-device.ts";
import { seededRandom } from "../../kit/secagg-fixtures.ts";
import {
  confirmationOf,
  dealFrom,
  maskedWindows,
  plainWindow,
  type Seat,
  type SimulatedCohort,
  seatAt,
  signInput,
  unmaskingOf,
  windowOf,
} from "../../kit/worlds/simulated-cohort.ts";
import { alternately, seconds, type Taken, taken } from "./timing.ts";

/** A whole client core at a seat, with its measurements. */
export interface RealSeat {
  readonly platform: "node" | "chromium";
  readonly device: TimedDevice;
  /** Only for a page; see `ChromiumDevice`. */
  readonly measureMasks?: ChromiumDevice["measureMasks"];
  readonly position: Position;
  /** Index of the dropout at which this device goes on after R2. */
  readonly level: number;
  /** R0 to R4. */
  readonly stepsS: number[];
  upByteCount: number;
  downByteCount: number;
}

export interface ShardLevel {
  readonly survivorCount: number;
  /** Null if there are fewer survivors than q: nothing is opened. */
  readonly opened: {
    readonly checksS: number;
    readonly foldS: number;
    /** Rebuilding the secrets and the key of each mask. */
    readonly keys: Taken;
    readonly maskCount: number;
    /** With one worker and with two; and AES-256-CTR alone over as many bytes, on as many threads. */
    readonly unmaskOne: Taken;
    readonly unmaskTwo: Taken;
    /** With two workers that start with this fold. */
    readonly unmaskCold: Taken;
    readonly cipherOne: Taken;
    readonly cipherTwo: Taken;
    /** On one thread. */
    readonly prototype: Taken;
  } | null;
}

interface Input {
  readonly path: string;
  readonly claim: InputClaim;
}

/** One graph: the coordinator's side of a simulated cohort in which a few seats are real devices. */
export class ShardBench {
  readonly #cohort: SimulatedCohort;
  readonly #reals: ReadonlyMap<Position, RealSeat>;
  readonly #folder: string;
  readonly #length: number;
  readonly #bundles = new Map<Position, Bundle>();
  readonly #inputs = new Map<Position, Input>();
  #roster: Roster | null = null;
  #u2: PositionSet | null = null;
  /** R0 and R1, for all devices. */
  checksS = 0;

  /** @param folder  Where the inputs are written. */
  constructor(cohort: SimulatedCohort, reals: readonly RealSeat[], folder: string) {
    this.#cohort = cohort;
    this.#reals = new Map(reals.map((real) => [real.position, real]));
    this.#folder = folder;
    this.#length = agreedVectorLength(cohort.attempt.terms);
  }

  get roster(): Roster {
    return present(this.#roster, "after advertising");
  }

  get thresholds() {
    return this.roster.thresholds;
  }

  /** R0 and R1. */
  async deal(): Promise<void> {
    const { attempt, seats } = this.#cohort;
    for (const real of this.#reals.values()) {
      const { randomness, inputSeed } = seatAt(seats, real.position);
      const start: DeviceStart = { terms: attempt.terms, randomness, inputSeed };
      const message = this.#note(real, await real.device.advertise(start));
      assert(message?.type === "advertise", "a device advertises");
      const own = seatAt(seats, real.position).member;
      assert(
        bytesToHex(message.signature) === bytesToHex(own.signature),
        "the device's advert is its seat's",
      );
    }
    const members = seats.map(({ member }) => member);
    this.checksS += await seconds(async () => {
      for (const [index, member] of members.entries()) {
        must(await verifyAdvert(primitives, attempt, member, members.slice(0, index)));
      }
      this.#roster = must(await buildRoster(primitives, attempt, members));
    });
    const { runId, round, attempt: number } = attempt.terms;
    const rosterMessage: CoordinatorMessageOf<"roster"> = {
      type: "roster",
      runId: runId as RunId,
      round,
      attempt: number,
      members: rosterMembers(this.roster),
      deadlineInMs: 30_000,
    };
    const realPositions = new Set(this.#reals.keys());
    for (const seat of seats) {
      let message: Parameters<typeof verifyShareBundle>[3] = await dealFrom(
        primitives,
        this.#cohort,
        this.roster,
        seat,
        realPositions,
      );
      const real = this.#reals.get(seat.position);
      if (real !== undefined) {
        const sent = await this.#ask(real, rosterMessage);
        assert(sent?.type === "share", "a device deals its shares");
        message = sent;
      }
      this.checksS += await seconds(async () => {
        const bundle = await verifyShareBundle(primitives, this.roster, seat.position, message);
        this.#bundles.set(seat.position, must(bundle));
      });
    }
  }

  /** R2, for all devices. */
  async upload(): Promise<void> {
    const { seats } = this.#cohort;
    const u2 = await setOfPositions(primitives, this.roster, this.#bundles.keys());
    this.#u2 = u2;
    const windows = await maskedWindows(primitives, this.#cohort, this.roster, this.#length);
    const filler = seededRandom("filler")(4 * this.#length);
    const { from } = windowOf(this.#length);
    for (const seat of seats) {
      const path = join(this.#folder, String(seat.position));
      const real = this.#reals.get(seat.position);
      if (real === undefined) {
        const window = present(windows.get(seat.position), "a window");
        new Uint32Array(filler.buffer).set(window, from);
        const root = await inputRoot(primitives, filler);
        const signature = await signInput(seat, this.roster, u2.hash, filler.length, root);
        await writeFile(path, filler);
        this.#inputs.set(seat.position, { path, claim: { byteCount: filler.length, root, signature } });
      } else {
        this.#inputs.set(seat.position, await this.#uploadOf(real, seat, u2, path));
      }
    }
    release(filler);
  }

  async #uploadOf(real: RealSeat, { position }: Seat, u2: PositionSet, path: string): Promise<Input> {
    const shares = collectFor(this.roster, u2, this.#bundles, position);
    const slot = bytesToHex(seededRandom("slot")(22)).slice(0, 43);
    const { sidHex: sid } = this.roster;
    const answer = await this.#deliver(real, {
      type: "collect",
      sid,
      u2: u2.bitmap,
      shares,
      slot,
      deadlineInMs: 30_000,
    });
    const { headers, body } = present(answer.input, "an input");
    real.upByteCount += body.length + JSON.stringify(headers).length;
    assert(headers.sha256 === createHash("sha256").update(body).digest("hex"), "the digest of the bytes");
    const root = await inputRoot(primitives, body);
    await writeFile(path, body);
    return { path, claim: { byteCount: body.length, root, signature: hexToBytes(headers.signature) } };
  }

  /**
   * Opens the sum of all devices except a fraction of them.
   *
   * @param folders  With one and with two workers.
   * @param bares    With one and with two threads.
   */
  async open(
    level: number,
    dropout: number,
    folders: readonly [Folder, Folder],
    bares: readonly [BareThreads, BareThreads],
  ): Promise<ShardLevel> {
    const u3 = await setOfPositions(primitives, this.roster, this.#survivors(dropout).map(positionNo));
    const survivorCount = u3.positions.length;
    if (survivorCount < this.thresholds.q) return { survivorCount, opened: null };
    const sets = { u2: present(this.#u2, "after sharing"), u3 };
    const checked = await this.#confirmAndUnmask(level, sets);
    let masks: readonly { readonly key: Bytes; readonly sign: 1 | -1 }[] = [];
    const keys = await taken(async () => {
      masks = must(await reconstructMasks(primitives, this.roster, sets, checked.openings));
    });
    const inputs = u3.positions.map((position) => present(this.#inputs.get(position), "an input"));
    const files = inputs.map(({ path, claim }) => ({ path, root: bytesToHex(claim.root) }));
    const [one, two] = folders;
    let folded: Uint32Array<ArrayBuffer> = new Uint32Array(0);
    const foldS = await seconds(async () => {
      folded = must(await two.fold({ length: this.#length, inputs: files, masks: [] }));
    });
    const unmask = async (folder: Folder): Promise<Taken> => {
      let sum: Uint32Array<ArrayBuffer> = new Uint32Array(0);
      // A fold takes over its initial sum, and each run needs one.
      const initial = folded.slice();
      const figures = await taken(async () => {
        sum = must(await folder.fold({ length: this.#length, inputs: [], initial, masks }));
      });
      this.#compare(sum, u3.positions);
      release(sum);
      return figures;
    };
    const byteCount = masks.length * 4 * this.#length;
    const unmaskCold = await unmaskInNewFolder(unmask);
    const timed = await alternately([
      () => unmask(one),
      () => taken(() => bares[0].cipherAlone(byteCount)),
      () => unmask(two),
      () => taken(() => bares[1].cipherAlone(byteCount)),
      () => taken(async () => void (await bares[0].prototype(this.#length, masks))),
    ]);
    release(folded);
    await this.#tellOutcome(level, sets, inputs);
    const opened = {
      checksS: checked.checksS,
      foldS,
      keys,
      maskCount: masks.length,
      unmaskOne: present(timed[0], "one worker"),
      cipherOne: present(timed[1], "one thread"),
      unmaskTwo: present(timed[2], "two workers"),
      unmaskCold,
      cipherTwo: present(timed[3], "two threads"),
      prototype: present(timed[4], "the prototype"),
    };
    return { survivorCount, opened };
  }

  /** Keeps the real devices; the others drop out evenly over the roster. */
  #survivors(dropout: number): number[] {
    const others = this.#cohort.seats.map(({ position }) => position).filter((at) => !this.#reals.has(at));
    const goneCount = Math.round(dropout * this.#cohort.seats.length);
    const step = goneCount / others.length;
    const gone = new Set(others.filter((_, i) => Math.floor((i + 1) * step) > Math.floor(i * step)));
    return this.#cohort.seats.map(({ position }) => position).filter((position) => !gone.has(position));
  }

  /** R2's checks, then R3 and R4 of all survivors. */
  async #confirmAndUnmask(level: number, sets: SessionSets) {
    const { roster } = this;
    const { sidHex: sid } = roster;
    let checksS = await seconds(async () => {
      for (const position of sets.u3.positions) {
        const { claim } = present(this.#inputs.get(position), "an input");
        must(await verifyInput(primitives, roster, sets.u2, position, claim));
      }
    });
    const both = { u2: sets.u2.bitmap, u3: sets.u3.bitmap, deadlineInMs: 30_000 };
    const confirmations: { signer: number; signature: Bytes }[] = [];
    for (const position of sets.u3.positions) {
      const real = this.#realAt(position, level);
      const sent = real === null ? null : await this.#ask(real, { type: "sets", sid, ...both });
      const seat = seatAt(this.#cohort.seats, position);
      const message = sent?.type === "confirm" ? sent : await confirmationOf(seat, roster, sets);
      checksS += await seconds(async () => {
        must(await verifyConfirmation(primitives, roster, sets, position, message));
      });
      confirmations.push({ signer: position, signature: message.signature });
    }
    // A coordinator continues once t have confirmed.
    const enough = confirmations.slice(0, roster.thresholds.t);
    const openMessage = { type: "open", sid, ...both, confirmations: enough } as CoordinatorMessageOf<"open">;
    const openings: GivenShares[] = [];
    for (const position of sets.u3.positions) {
      const real = this.#realAt(position, level);
      const sent = real === null ? null : await this.#ask(real, openMessage);
      const seat = seatAt(this.#cohort.seats, position);
      const message = sent?.type === "unmask" ? sent : await unmaskingOf(seat, roster, sets);
      checksS += await seconds(async () => {
        const opening = must(await verifyUnmask(primitives, roster, sets, this.#bundles, position, message));
        assert(opening.offCommitment.length === 0, "every share matches its commitment");
        openings.push(opening);
      });
    }
    return { checksS, openings };
  }

  async #tellOutcome(level: number, sets: SessionSets, inputs: readonly Input[]): Promise<void> {
    const roots = inputs.map(({ claim }) => claim.root);
    const tree = await inputsTree(primitives, roots);
    for (const real of this.#reals.values()) {
      if (real.level !== level) continue;
      await this.#deliver(real, committedOutcome(this.roster, sets, tree, real.position, "44".repeat(32)));
    }
  }

  #compare(sum: Uint32Array, positions: readonly number[]): void {
    const { from, count } = windowOf(this.#length);
    const expected = plainWindow(this.#cohort, positions, this.#length);
    const read = sum.subarray(from, from + count);
    assert(
      read.every((word, index) => word === expected[index]),
      "the sum is the plain sum of the survivors' inputs",
    );
  }

  #realAt(position: number, level: number): RealSeat | null {
    const real = this.#reals.get(positionNo(position));
    return real?.level === level ? real : null;
  }

  async #ask(real: RealSeat, message: CoordinatorMessage): Promise<DeviceMessage | null> {
    return this.#note(real, await this.#deliver(real, message));
  }

  async #deliver(real: RealSeat, message: CoordinatorMessage): Promise<TimedAnswer> {
    const frame = encodeFrame(message);
    real.downByteCount += frame.length;
    const answer = await real.device.deliver(frame);
    if (message.type !== "outcome") real.stepsS.push(answer.ms / 1e3);
    return answer;
  }

  #note(real: RealSeat, { ms, frame }: TimedAnswer): DeviceMessage | null {
    if (real.stepsS.length === 0) real.stepsS.push(ms / 1e3);
    if (frame === null) return null;
    real.upByteCount += frame.length;
    return must(decodeFrame(frame, deviceMessageSchema));
  }
}

async function unmaskInNewFolder(unmask: (folder: Folder) => Promise<Taken>): Promise<Taken> {
  const folder = openFolder({ workerCount: 2 });
  try {
    return await unmask(folder);
  } finally {
    await folder.close();
  }
}

/**
 * Throws on an error, because everything here is honest. The text is built only then; a result may hold a whole vector.
 */
function must<T>(result: Result<T, unknown>): T {
  if (result.ok) return result.value;
  throw new Error(`an honest message was refused: ${JSON.stringify(result.error)}`);
}
