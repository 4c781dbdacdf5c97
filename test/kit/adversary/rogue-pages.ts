import { MapCells } from "#client/adapters/map-cells.ts";
import type { CellChange, Cells } from "#client/core/memory.ts";
import { modelToBytes } from "#shared/codec/model-bytes.ts";
import { addMasks } from "#shared/crypto/mask-stream.ts";
import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { localSigner } from "#shared/crypto/signature.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import { type Bytes, bytesToHex, hexToBytes } from "#shared/kernel/bytes.ts";
import { type Position, positionAtIndex } from "#shared/kernel/places.ts";
import type { Primitives, Signer } from "#shared/kernel/ports.ts";
import { err, ok } from "#shared/kernel/result.ts";
import { wireError } from "#shared/protocol/errors.ts";
import type { SessionId } from "#shared/protocol/ids.ts";
import type { DeviceMessage } from "#shared/protocol/messages/device.ts";
import type { Roster, RosterMember } from "#shared/secagg/roster.ts";
import type { Bundle, GivenShares } from "#shared/secagg/server.ts";
import { certificateItem } from "#shared/secagg/signed-items.ts";
import { agreedConfigOf, NO_LOG_KEY } from "#shared/task/agreed-config.ts";
import type { AgreedConfig } from "#shared/task/config.ts";
import { modelTensors } from "#shared/task/model.ts";
import { ProductDevice, type Surroundings } from "../devices/product-device.ts";
import { ManualClock } from "../fakes/manual-clock.ts";
import { memoryDisk } from "../fakes/memory-files.ts";
import { InFlight } from "../in-flight.ts";
import type { ClientCore } from "../secagg-engine.ts";
import { plainSum, seededRandom } from "../secagg-fixtures.ts";
import { smallTask } from "../worlds/small-task.ts";
import type { World } from "./attack.ts";

export const STEPS = ["advertise", "share", "input", "confirm", "unmask"] as const;
export type Step = (typeof STEPS)[number];

/** An offer of a model. */
export interface Offer {
  readonly runId: string;
  readonly round: number;
  readonly attempt: number;
}
export const FIRST: Offer = { runId: "0192f0c0ffee7000800000000000beef", round: 1, attempt: 1 };

/** Cells that survive the page. The page may be killed when it writes one of them. */
class SurvivingCells implements Cells {
  readonly #inner = new MapCells();
  readonly #written: string[] = [];
  diesAt: string | null = null;
  kill: () => void = () => {};

  get(key: string): Promise<string | null> {
    return this.#inner.get(key);
  }

  async swap(changes: readonly CellChange[]): Promise<boolean> {
    const { diesAt } = this;
    if (diesAt !== null && changes.some(({ key }) => key.startsWith(diesAt))) {
      this.kill();
      throw new Error("the page was killed");
    }
    this.#written.push(...changes.map(({ key }) => key));
    return this.#inner.swap(changes);
  }

  /** True if any key with this prefix was ever written. */
  knows(prefix: string): boolean {
    return this.#written.some((key) => key.startsWith(prefix));
  }
}

interface Page {
  readonly name: string;
  readonly cells: SurvivingCells;
  device: ProductDevice;
  lives: number;
  /** Its own list in the last opened sum, before masking; for the oracle. */
  own: Int32Array | null;
}

/**
 * Real sessions of the client core, each with its memory, and a scripted coordinator. It offers them one model as often
 * as it likes and opens whatever it gets the shares for. The victim is the first page.
 */
export class RoguePages {
  readonly world: World;
  readonly clock = new ManualClock();
  readonly pages: Page[] = [];
  readonly #inFlight = new InFlight();
  readonly #disk = memoryDisk();
  readonly #task;
  readonly #core: ClientCore;
  readonly #primitives: Primitives;
  readonly #issuer: Signer;
  readonly #config: AgreedConfig;
  readonly #modelHash: string;
  readonly #modelByteCount: number;
  readonly #roundsMax: number;
  readonly #received = new Map<string, DeviceMessage[]>();
  readonly #bodies = new Map<string, Bytes>();

  private constructor(
    world: World,
    made: {
      readonly task: ReturnType<typeof smallTask>;
      readonly core: ClientCore;
      readonly primitives: Primitives;
      readonly issuer: Signer;
      readonly config: AgreedConfig;
      readonly model: Bytes;
      readonly modelHash: string;
      readonly roundsMax: number;
    },
  ) {
    this.world = world;
    this.#task = made.task;
    this.#core = made.core;
    this.#primitives = made.primitives;
    this.#issuer = made.issuer;
    this.#config = made.config;
    this.#modelHash = made.modelHash;
    this.#roundsMax = made.roundsMax;
    this.#modelByteCount = made.model.length;
    this.#disk.blobs.set(made.modelHash, made.model);
  }

  /** @param roundsMax  Each page's own limit of participations. */
  static async create(world: World, count: number, roundsMax = 100): Promise<RoguePages> {
    const { subtle } = globalThis.crypto;
    const primitives = await selectPrimitives(subtle);
    const issuer = localSigner(seededRandom("federation keys")(32), subtle);
    const task = smallTask(count);
    const config = await agreedConfigOf(primitives, task, {
      projectId: "default",
      codeVersion: "test",
      issuerKey: bytesToHex(issuer.publicKey),
      logKey: NO_LOG_KEY,
    });
    const tensors = modelTensors(task.model);
    const model = modelToBytes(tensors, new Float32Array(tensors.parameterCount));
    const modelHash = bytesToHex(await primitives.sha256(model));
    const core = await world.engine.core();
    const siege = new RoguePages(world, {
      task,
      core,
      primitives,
      issuer,
      config,
      model,
      modelHash,
      roundsMax,
    });
    for (let index = 0; index < count; index++) await siege.#open(`page ${index}`);
    return siege;
  }

  /** Reloads pages: their memory survives, everything else is lost. */
  async reload(pages: readonly Page[] = this.pages): Promise<void> {
    for (const page of pages) {
      page.device.disconnect(false);
      page.lives += 1;
      page.cells.diesAt = null;
      page.device = await this.#load(page.name, page.cells, page.lives);
    }
    await this.#settle();
  }

  async settleThrough(ms: number): Promise<void> {
    this.clock.advance(ms);
    await this.#settle();
  }

  /**
   * Runs one attempt up to `until`, as far as the pages accept it.
   *
   * @param silent  Pages left out from R2 on: dropouts.
   * @returns the sum of the other pages; null if it cannot be opened.
   */
  async attempt(
    offer: Offer,
    { until = "unmask", silent = [] }: { readonly until?: Step; readonly silent?: readonly Page[] } = {},
  ): Promise<Uint32Array | null> {
    const { server, positionSets } = this.world.engine;
    const reached = (step: Step) => STEPS.indexOf(step) >= STEPS.indexOf(until);
    const roster = await this.#roster(offer);
    if (roster === null || reached("advertise")) return null;
    const seats = this.#seats(roster);

    const bundles = new Map<Position, Bundle>();
    const { runId, round, attempt } = offer;
    const members = server.rosterMembers(roster);
    await this.#tell(seats.values(), () => ({
      type: "roster",
      runId,
      round,
      attempt,
      members,
      deadlineInMs: 1_000,
    }));
    for (const [position, page] of seats) {
      const message = this.#last(page, "share", roster.sidHex);
      const bundle = message && (await server.verifyShareBundle(this.#primitives, roster, position, message));
      if (bundle?.ok === true) bundles.set(position, bundle.value);
    }
    if (bundles.size < roster.thresholds.q || reached("share")) return null;

    const u2 = await positionSets.setOfPositions(this.#primitives, roster, bundles.keys());
    const staying = new Map([...seats].filter(([, page]) => !silent.includes(page)));
    const sid = roster.sidHex;
    const positionOf = (page: Page) =>
      present(
        [...seats].find(([, one]) => one === page),
        "a seat",
      )[0];
    await this.#tell(staying.values(), (page) => ({
      type: "collect",
      sid,
      u2: u2.bitmap,
      shares: server.collectFor(roster, u2, bundles, positionOf(page)),
      slot: "s".repeat(43),
      deadlineInMs: 1_000,
    }));
    const bodies = new Map(
      [...staying.keys()].flatMap((position) => {
        const body = this.#bodies.get(`${sid} ${position}`);
        return body === undefined ? [] : [[position, body] as const];
      }),
    );
    if (bodies.size < roster.thresholds.q || reached("input")) return null;

    const sets = { u2, u3: await positionSets.setOfPositions(this.#primitives, roster, bodies.keys()) };
    const told = { sid, u2: u2.bitmap, u3: sets.u3.bitmap, deadlineInMs: 1_000 };
    await this.#tell(staying.values(), () => ({ type: "sets", ...told }));
    const confirmations = [...staying].flatMap(([signer, page]) => {
      const message = this.#last(page, "confirm", sid);
      return message === null ? [] : [{ signer: signer as never, signature: message.signature }];
    });
    if (confirmations.length < roster.thresholds.t || reached("confirm")) return null;

    await this.#tell(staying.values(), () => ({ type: "open", ...told, confirmations }));
    const openings: GivenShares[] = [];
    for (const [position, page] of staying) {
      const message = this.#last(page, "unmask", sid);
      if (message === null) continue;
      const opening = await server.verifyUnmask(this.#primitives, roster, sets, bundles, position, message);
      if (opening.ok) openings.push(opening.value);
    }
    const { reconstructMasks } = this.world.engine.opening;
    const masks = await reconstructMasks(this.#primitives, roster, sets, openings);
    if (!masks.ok) return null;
    const sum = plainSum([...bodies.values()].map((body) => new Uint32Array(body.slice().buffer)));
    await addMasks(this.#primitives, sum, masks.value);
    for (const page of staying.values()) {
      const own = [...page.device.archived.values()].at(-1)?.own;
      page.own = own == null ? null : new Int32Array(own.slice().buffer);
    }
    return sum;
  }

  /** Number of masked inputs received, over all offers. */
  get inputCount(): number {
    return this.#bodies.size;
  }

  /** True if any page has sent this step since the newest offer. */
  hasSent(step: Step): boolean {
    if (step === "input") return this.inputCount > 0;
    return [...this.#received.values()].some((messages) => messages.some(({ type }) => type === step));
  }

  /** Offers the model to every page and builds a roster of those that advertise; null if they are too few. */
  async #roster(offer: Offer): Promise<Roster | null> {
    const { training } = this.#task;
    const invite = {
      type: "invite" as const,
      ...offer,
      config: this.#config,
      roundParams: { purpose: "train" as const, training },
      modelHash: this.#modelHash,
      modelByteCount: this.#modelByteCount,
      deadlineInMs: 1_000,
    };
    const { attempt, server } = this.world.engine;
    this.#received.clear();
    await this.#tell(this.pages, () => invite);
    const terms = {
      ...offer,
      shard: 0,
      config: this.#config,
      roundParams: { purpose: "train" as const, training },
      modelHash: this.#modelHash,
    };
    const opened = await attempt.openAttempt(this.#primitives, terms);
    const members: RosterMember[] = [];
    for (const page of this.pages) {
      const advert = this.#received.get(page.device.identity)?.findLast(({ type }) => type === "advertise");
      const isOfThis =
        advert?.type === "advertise" &&
        advert.runId === offer.runId &&
        advert.round === offer.round &&
        advert.attempt === offer.attempt;
      if (!isOfThis) {
        this.world.codes.push(page.device.view.refusal?.code ?? "STATE");
        continue;
      }
      const identity = hexToBytes(page.device.identity);
      const certificate = await this.#issuer.sign(certificateItem("default", identity));
      const { c, s, bCommit, signature } = advert;
      members.push({ identity, certificate, c, s, bCommit, signature });
    }
    const roster = await server.buildRoster(this.#primitives, opened, members);
    return roster.ok ? roster.value : null;
  }

  #seats(roster: Roster): Map<Position, Page> {
    return new Map(
      roster.members.map(({ identity }, index) => {
        const page = this.pages.find(({ device }) => device.identity === bytesToHex(identity));
        return [positionAtIndex(index), present(page, "a page of ours")];
      }),
    );
  }

  #last<Type extends "share" | "confirm" | "unmask">(page: Page, type: Type, sid: SessionId) {
    const messages = this.#received.get(page.device.identity) ?? [];
    const message = messages.findLast((one) => one.type === type && "sid" in one && one.sid === sid);
    return (message ?? null) as Extract<DeviceMessage, { type: Type }> | null;
  }

  async #tell(pages: Iterable<Page>, messageFor: (page: Page) => object): Promise<void> {
    for (const page of pages) if (page.device.online) page.device.receive(messageFor(page) as never);
    await this.#settle();
  }

  async #open(name: string): Promise<void> {
    const cells = new SurvivingCells();
    this.pages.push({ name, cells, lives: 1, own: null, device: await this.#load(name, cells, 1) });
    await this.#settle();
  }

  async #load(name: string, cells: SurvivingCells, lives: number): Promise<ProductDevice> {
    const device: ProductDevice = await ProductDevice.create(
      this.#surroundings(() => device),
      {
        seed: name,
        life: `life ${lives}`,
        cells,
        core: this.#core,
        enrolment: { roundsMax: this.#roundsMax },
        // The same model and rows give the same update.
        delta: (count) => Float32Array.from({ length: count }, (_, index) => (index + name.length) / 100),
      },
    );
    cells.kill = () => device.disconnect(false);
    device.enrolment.start();
    this.clock.advance(20);
    await this.#settle();
    assert(device.online, "a page that is loaded connects");
    return device;
  }

  #surroundings(device: () => ProductDevice): Surroundings {
    return {
      clock: this.clock,
      inFlight: this.#inFlight,
      task: this.#task,
      disk: this.#disk,
      running: true,
      devices: { push: () => {} },
      coordinator: {
        devices: {
          deviceUp: () => {},
          deviceDown: () => {},
          onDeviceMessage: async (identity, message) => {
            this.#received.set(identity, [...(this.#received.get(identity) ?? []), message]);
            return { type: "accepted" };
          },
        },
        uploads: {
          beginUpload: async (sid, position, { sha256, root, signature }) => {
            const body = present(device().sentOf("input").at(-1), "its body");
            this.#bodies.set(`${sid} ${position}`, body);
            const receipt = { sid: sid as never, position, sha256: sha256 as never, byteCount: body.length };
            return ok({ sid, position, byteCount: body.length, sha256, root, signature, receipt });
          },
          finishUpload: async () => err(wireError("STATE")),
        },
      },
    };
  }

  #settle(): Promise<void> {
    return this.#inFlight.settle();
  }
}
