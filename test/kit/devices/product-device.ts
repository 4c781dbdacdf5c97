import { MapCells } from "#client/adapters/map-cells.ts";
import { createEnrolment, type Enrolment, type EnrolmentOptions } from "#client/core/enrolment/enrolment.ts";
import { createLogMemory } from "#client/core/log-memory.ts";
import { type Cells, createMemory } from "#client/core/memory.ts";
import { createModelCache } from "#client/core/model-cache.ts";
import type { KeptContribution, Link, Trained, Trainer } from "#client/core/ports.ts";
import type { PublicLog } from "#coordinator/core/ports/public-log.ts";
import { modelFromBytes } from "#shared/codec/model-bytes.ts";
import { DOMAINS } from "#shared/crypto/domains.ts";
import { E } from "#shared/crypto/encode.ts";
import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { localSigner, verifySignature } from "#shared/crypto/signature.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import { type Bytes, bytesToHex } from "#shared/kernel/bytes.ts";
import type { Primitives, Signer } from "#shared/kernel/ports.ts";
import { err, ok } from "#shared/kernel/result.ts";
import { type ErrorCode, type WireError, wireError } from "#shared/protocol/errors.ts";
import { decodeFrame, encodeFrame } from "#shared/protocol/frame.ts";
import { type CoordinatorMessage, coordinatorMessageSchema } from "#shared/protocol/messages/coordinator.ts";
import {
  type DeviceMessage,
  deviceMessageSchema,
  inputHeadersSchema,
} from "#shared/protocol/messages/device.ts";
import type { Reply } from "#shared/protocol/messages/reply.ts";
import { type Authority, agreedConfigOf, NO_LOG_KEY } from "#shared/task/agreed-config.ts";
import { modelTensors } from "#shared/task/model.ts";
import { memorySpool } from "../fakes/memory-files.ts";
import { standingEngine } from "../fakes/standing-engine.ts";
import { positionNo } from "../places.ts";
import type { ClientCore } from "../secagg-engine.ts";
import { seededRandom } from "../secagg-fixtures.ts";
import type { Federation } from "../worlds/federation.ts";
import type { MemoryDevice, PlainPart } from "./memory-device.ts";

/*
 * The product's own enrolment in a federation in memory. Its link goes to the real core, its trainer draws an update, its
 * memory and archive are maps. The connection can be cut, and every frame that leaves is kept.
 */

export interface ProductDeviceOptions {
  readonly seed?: string;
  /** The seed of the federation whose issuer certifies. */
  readonly federationSeed?: string;
  readonly enrolment?: Partial<EnrolmentOptions>;
  readonly cells?: Cells;
  /** Default: the product's. */
  readonly core?: ClientCore;
  /** Tells the lives of one device apart: a reloaded page draws other bytes. */
  readonly life?: string;
  /** The update of every round; drawn by default. */
  readonly delta?: (parameterCount: number) => Float32Array;
  /** The public log that the device has agreed to; none by default. */
  readonly log?: Pick<PublicLog, "key">;
  /** What a dishonest coordinator makes of a message to this device; null: it never arrives. */
  readonly tamper?: (message: CoordinatorMessage) => Promise<CoordinatorMessage | null>;
  /** By default one that draws its updates. */
  readonly trainer?: Trainer;
}

/** What a device finds around it: a federation, or a script that plays one. */
export type Surroundings = Pick<Federation, "clock" | "inFlight" | "task" | "disk" | "running"> & {
  readonly devices: { push(device: MemoryDevice): unknown };
  readonly coordinator: Pick<Federation["coordinator"], "devices" | "uploads">;
  /** What the API answers at an address; nothing if absent. */
  part?(path: string): ReturnType<Link["fetchPart"]>;
};

interface Told {
  readonly message: CoordinatorMessage;
  readonly state: "up" | "down";
  readonly end: WireError;
}

export class ProductDevice {
  readonly identity: string;
  readonly enrolment: Enrolment;
  readonly cells: Cells;
  readonly archived = new Map<string, KeptContribution>();
  /** What was sent to the coordinator after the login, in order, as bytes. */
  readonly sent: { readonly type: DeviceMessage["type"] | "input"; readonly bytes: Bytes }[] = [];
  readonly trainings: number[] = [];
  /** Hashes of the models that it asked for. */
  readonly fetched: string[] = [];
  /** Runs once when a message of this type is in transit: before it arrives, or before its answer does. */
  intercept: { readonly type: string; readonly when: "before" | "after"; readonly run: () => void } | null =
    null;
  /** The coordinator's answer to a hello, if it is not a challenge. */
  helloRefusal: WireError | null = null;
  /** Flips one bit of what it downloads. */
  damageModels = false;
  /** Downloads of a model that still end in the middle; counts down. */
  cutDownloads = 0;
  online = false;
  wanted = false;
  readonly #federation: Surroundings;
  readonly #options: ProductDeviceOptions;
  readonly #listeners = {
    message: new Set<(message: CoordinatorMessage) => void>(),
    state: new Set<(state: "up" | "down") => void>(),
    end: new Set<(error: WireError) => void>(),
  };
  readonly #signer: Signer;
  readonly #issuer: Signer;
  readonly #primitives: Primitives;
  #challenge: Bytes | null = null;

  static async create(federation: Surroundings, options: ProductDeviceOptions = {}): Promise<ProductDevice> {
    const { subtle } = globalThis.crypto;
    const primitives = federation.inFlight.track(await selectPrimitives(subtle));
    const issuer = localSigner(seededRandom(`${options.federationSeed ?? "federation"} keys`)(32), subtle);
    const signer = federation.inFlight.track(
      localSigner(seededRandom(`session ${options.seed ?? ""}`)(32), subtle),
    );
    const authority: Authority = {
      projectId: "default",
      codeVersion: "test",
      issuerKey: bytesToHex(issuer.publicKey),
      ...(options.log === undefined
        ? { logKey: NO_LOG_KEY }
        : { logKey: bytesToHex(options.log.key.publicKey), logOrigin: options.log.key.origin }),
    };
    const expectedConfig = await agreedConfigOf(primitives, federation.task, authority);
    const device = new ProductDevice(federation, options, {
      primitives,
      issuer,
      signer,
      authority,
      expectedConfig,
    });
    // The federation delivers by identity to anything of this shape.
    federation.devices.push(device as unknown as MemoryDevice);
    return device;
  }

  private constructor(
    federation: Surroundings,
    options: ProductDeviceOptions,
    made: Pick<EnrolmentOptions, "authority" | "expectedConfig"> & {
      readonly primitives: Primitives;
      readonly issuer: Signer;
      readonly signer: Signer;
    },
  ) {
    const { primitives, issuer, signer, authority, expectedConfig } = made;
    this.#federation = federation;
    this.#options = options;
    this.#signer = signer;
    this.#issuer = issuer;
    this.#primitives = primitives;
    this.identity = bytesToHex(signer.publicKey);
    const { task, clock, inFlight } = federation;
    this.cells = inFlight.track(options.cells ?? new MapCells());
    const roundsMax = options.enrolment?.roundsMax ?? 100;
    const link = inFlight.track(this.#link());
    const random = seededRandom(`random ${options.seed ?? ""}${options.life ?? ""}`);
    const core = options.core ?? { createMemory, createEnrolment };
    const ports = {
      link,
      signer,
      primitives,
      random,
      clock,
      wall: clock,
      after: clock.after,
      memory: inFlight.track(core.createMemory(this.cells, roundsMax)),
      logs: inFlight.track(createLogMemory(this.cells)),
      archive: {
        save: async (contribution: KeptContribution) =>
          void this.archived.set(contribution.detail.id, contribution),
      },
      // Do not track a test's own trainer: it may wait for the clock.
      trainer: options.trainer ?? inFlight.track(this.#trainer(random, options.delta)),
    };
    const rows = { inputs: new Float32Array(8), labels: new Float32Array(2), count: 2 };
    const tensors = modelTensors(task.model);
    this.enrolment = core.createEnrolment(ports, {
      task,
      authority,
      expectedConfig,
      roundsMax,
      models: createModelCache(ports, task, (bytes) => {
        const weights = modelFromBytes(tensors, bytes);
        return weights.ok ? weights.value : null;
      }),
      data: async () => ({ train: rows, local: rows }),
      ...options.enrolment,
    });
  }

  get view() {
    return this.enrolment.view.get();
  }

  /** The parts in the form that the federation's oracle reads. */
  get parts(): PlainPart[] {
    return [...this.archived.values()].flatMap(({ clippedUpdate, weight, own }, index) => {
      const modelHash = this.modelHashes[index];
      return clippedUpdate === null || weight === null || own === null || modelHash === undefined
        ? []
        : [{ clippedUpdate, weight, words: new Uint32Array(own.slice().buffer), modelHash }];
    });
  }
  readonly modelHashes: string[] = [];

  sentOf(type: string): Bytes[] {
    return this.sent.filter((sent) => sent.type === type).map(({ bytes }) => bytes);
  }

  receive(message: CoordinatorMessage): void {
    const { tamper } = this.#options;
    if (tamper === undefined) this.#receive(message);
    else {
      const shown = tamper(message).then((made) => made !== null && this.#receive(made));
      this.#federation.inFlight.add(shown);
    }
  }

  #receive(message: CoordinatorMessage): void {
    const decoded = decodeFrame(encodeFrame(message), coordinatorMessageSchema);
    assert(decoded.ok, "a well-formed message");
    if (decoded.value.type === "invite") this.modelHashes.push(decoded.value.modelHash);
    this.#tell("message", decoded.value);
  }

  connect(): void {
    if (!this.wanted || this.online || !this.#federation.running) return;
    this.online = true;
    this.#tell("state", "up");
  }

  /** Drops the network until `connect`. */
  disconnect(tell = true): void {
    if (!this.online) return;
    this.online = false;
    if (tell) this.#federation.coordinator.devices.deviceDown(this.identity);
    this.#tell("state", "down");
  }

  end(code: ErrorCode): void {
    this.#tell("end", wireError(code));
  }

  #tell<Kind extends keyof Told>(kind: Kind, value: Told[Kind]): void {
    for (const listener of this.#listeners[kind]) (listener as (value: Told[Kind]) => void)(value);
  }

  #link(): Link {
    const { disk } = this.#federation;
    return {
      show: () => {},
      connect: () => {
        this.wanted = true;
        // A socket never connects at once.
        this.#federation.clock.after(10, () => this.connect());
      },
      disconnect: () => {
        this.wanted = false;
        this.disconnect();
      },
      send: async (plain) => {
        if (!this.online) return err({ type: "offline" });
        const bytes = encodeFrame(plain);
        const decoded = decodeFrame(bytes, deviceMessageSchema);
        assert(decoded.ok, `a well-formed message: ${plain.type}`);
        if (this.#cuts(plain.type, "before")) return err({ type: "offline" });
        this.sent.push({ type: plain.type, bytes });
        const reply = await this.#answer(decoded.value);
        if (this.#cuts(plain.type, "after") || !this.online) return err({ type: "offline" });
        return ok(reply);
      },
      onMessage: (listener) => this.#listen("message", listener),
      onState: (listener) => this.#listen("state", listener),
      onEnd: (listener) => this.#listen("end", listener),
      fetchStatus: async () => err({ type: "offline" }),
      fetchTask: async () => err({ type: "offline" }),
      fetchPart: async (path) => this.#federation.part?.(path) ?? err({ type: "offline" }),
      fetchModel: async (hash, onProgress) => {
        this.fetched.push(hash);
        const bytes = disk.blobs.get(hash);
        if (bytes === undefined) return err({ type: "refused", error: wireError("NOT_FOUND") });
        if (this.cutDownloads > 0) {
          this.cutDownloads -= 1;
          onProgress?.(bytes.length >> 1);
          return err({ type: "offline" });
        }
        onProgress?.(bytes.length);
        const last = bytes.length - 1;
        return ok(this.damageModels ? bytes.map((byte, index) => (index === last ? byte ^ 1 : byte)) : bytes);
      },
      upload: async (path, headers, body) => {
        assert(path.startsWith("/api/v1/uploads/"), "the upload's address");
        const [sid = "", position = ""] = path.split("/").slice(4);
        if (this.#cuts("input", "before")) return err({ type: "offline" });
        this.sent.push({ type: "input", bytes: body.slice() });
        const core = this.#federation.coordinator.uploads;
        const ticket = await core.beginUpload(
          sid,
          positionNo(Number(position)),
          inputHeadersSchema.parse(headers),
        );
        if (!ticket.ok) return err({ type: "refused", error: ticket.error });
        if (ticket.value.receipt !== null) return ok(ticket.value.receipt);
        const spool = memorySpool(disk, this.#primitives);
        const received = await spool.receive({ ...ticket.value, offset: 0 }, oneChunk(body));
        assert(received.ok, "the spool takes what was announced");
        const receipt = await core.finishUpload(ticket.value);
        return receipt.ok ? ok(receipt.value) : err({ type: "refused", error: receipt.error });
      },
      traffic: () => ({ upByteCount: 0, downByteCount: 0 }),
      close: () => {},
    };
  }

  async #answer(message: DeviceMessage): Promise<Reply> {
    const { coordinator, task, inFlight } = this.#federation;
    switch (message.type) {
      case "hello":
        if (this.helloRefusal !== null) return { type: "refused", error: this.helloRefusal };
        this.#challenge = seededRandom("challenge")(32);
        return { type: "challenge", challenge: this.#challenge };
      case "authenticate": {
        const challenge = present(this.#challenge, "hello comes first");
        const signed = E(DOMAINS.login, challenge, "default", task.slug, this.#signer.publicKey);
        assert(
          await verifySignature(this.#primitives, this.#signer.publicKey, signed, message.signature),
          "a good login",
        );
        const certificate = await this.#issuer.sign(
          E(DOMAINS.certificate, "default", this.#signer.publicKey),
        );
        // After the acknowledgement, like the socket.
        inFlight.add(
          new Promise<void>((resolve) =>
            setImmediate(() => {
              coordinator.devices.deviceUp(this.identity, task.slug, null, message.logSize);
              resolve();
            }),
          ),
        );
        return { type: "welcome", projectId: "default", issuerKey: this.#issuer.publicKey, certificate };
      }
      default:
        return coordinator.devices.onDeviceMessage(this.identity, message);
    }
  }

  /** Drops the network for a second. */
  cut(): void {
    this.disconnect();
    this.#federation.clock.after(1_000, () => this.connect());
  }

  /** @returns true if the message or its answer is lost. */
  #cuts(type: string, when: "before" | "after"): boolean {
    if (this.intercept?.type !== type || this.intercept.when !== when) return false;
    const { run } = this.intercept;
    this.intercept = null;
    run();
    return !this.online;
  }

  #listen<T>(kind: keyof Told, listener: T): () => void {
    const listeners = this.#listeners[kind] as unknown as Set<T>;
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  #trainer(random: (byteCount: number) => Bytes, delta: ProductDeviceOptions["delta"]): Trainer {
    return {
      ...standingEngine(),
      train: async ({ weights, shuffleSeed }, onProgress) => {
        this.trainings.push(shuffleSeed);
        onProgress({ epoch: 1, step: 1, stepCount: 1, loss: 1.5 });
        const draws = new DataView(random(4 * weights.length).buffer);
        const drawn = weights.map((_, index) => (draws.getUint32(4 * index) / 2 ** 32 - 0.5) / 10);
        const metrics = { count: 5, lossSum: 3, correct: 2 };
        const trained: Trained = {
          delta: delta?.(weights.length) ?? drawn,
          numExamples: 17,
          before: metrics,
          after: { ...metrics, correct: 4 },
          epochLosses: [1.5],
          seconds: 1,
        };
        return ok(trained);
      },
    };
  }
}

async function* oneChunk(body: Bytes): AsyncIterable<Uint8Array> {
  yield body;
}
