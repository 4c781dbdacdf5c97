import { AccessDesk } from "#coordinator/core/access/desk.ts";
import { type Access, createAccess } from "#coordinator/core/access/device-login.ts";
import type { Coordinator } from "#coordinator/core/coordinator.ts";
import { createCoordinator } from "#coordinator/core/create-coordinator.ts";
import type { CoordinatorPorts, Spool, Store } from "#coordinator/core/ports/ports.ts";
import { assert } from "#shared/kernel/assert.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import { wireError } from "#shared/protocol/errors.ts";
import { decodeFrame, encodeFrame } from "#shared/protocol/frame.ts";
import type { CoordinatorMessage } from "#shared/protocol/messages/coordinator.ts";
import { type DeviceMessage, deviceMessageSchema } from "#shared/protocol/messages/device.ts";
import type { Reply } from "#shared/protocol/messages/reply.ts";
import { type MemoryDatabase, memoryDatabase } from "#test/kit/fakes/memory-database.ts";
import {
  type MemoryDisk,
  memoryBlobs,
  memoryDisk,
  memoryFolder,
  memorySpool,
} from "#test/kit/fakes/memory-files.ts";
import { memoryHeldOut, memoryHeldOutFiles } from "#test/kit/fakes/memory-held-out.ts";
import { memoryStore } from "#test/kit/fakes/memory-store.ts";
import { noExporter } from "#test/kit/fakes/no-exporter.ts";
import { fakeEvaluator, memoryModels } from "#test/kit/worlds/federation.ts";
import { TEST_CODE } from "../secagg-fixtures.ts";
import type { Connection, Network } from "./network.ts";
import type { Watch } from "./watch.ts";
import type { World } from "./world.ts";

/*
 * The coordinator of a simulated world: the product's core over memory ports whose writes take time. If the process
 * dies before a write is answered, the write may or may not have happened.
 */

/** A life as others see it. A request remembers it, because its answer dies with it. */
export interface HostLife {
  /** Resolves when this life dies. */
  readonly gone: Promise<null>;
}

/** One life of the coordinator. */
interface Process {
  alive: boolean;
  end: () => void;
  writes: number;
  /** Writes that have begun and are not answered yet. */
  readonly pending: Set<() => Promise<unknown>>;
}

interface Life extends HostLife {
  readonly process: Process;
  readonly coordinator: Coordinator;
  readonly access: Access;
  readonly spool: Spool;
  /** Where messages for a device go, by identity. */
  readonly adopted: Map<string, Connection>;
}

const WRITE_MAX_MS = 12;
const NEVER = new Promise<never>(() => {});
const WRITES: ReadonlySet<string> = new Set([
  "append",
  "deleteMaterial",
  "put",
  "receive",
  "discard",
  "saveTranscript",
  "keepOpenings",
  "deleteTranscript",
  "saveEvidence",
  "sealEvidence",
  "deleteEvidence",
]);
/** These take as long as a computation. */
const SLOW: ReadonlySet<string> = new Set(["fold", "evaluate"]);

export interface Inbox {
  /** A message for the device at the other end. */
  receive(connection: Connection, message: Bytes): void;
  ended(connection: Connection, code: "ALREADY_CONNECTED"): void;
}

export class Host {
  readonly db: MemoryDatabase = memoryDatabase();
  readonly disk: MemoryDisk = memoryDisk();
  readonly #world: World;
  readonly #network: Network;
  readonly #watch: Watch;
  readonly #inbox: Inbox;
  #life: Life | null = null;
  #writes = 0;
  #inputs = 0;
  readonly #diesAt: number[];

  constructor(world: World, network: Network, watch: Watch, inbox: Inbox) {
    this.#world = world;
    this.#network = network;
    this.#watch = watch;
    this.#inbox = inbox;
    this.#diesAt = [...world.plan.faults.hostDiesAtWrites];
  }

  get running(): boolean {
    return this.#life?.process.alive === true;
  }

  get coordinator(): Coordinator {
    assert(this.#life !== null && this.running, "a coordinator runs");
    return this.#life.coordinator;
  }

  get spool(): Spool {
    assert(this.#life !== null && this.running, "a coordinator runs");
    return this.#life.spool;
  }

  /** The life that answers now. */
  get life(): HostLife | null {
    return this.running ? this.#life : null;
  }

  /** Starts a coordinator over what is durable. */
  async boot(): Promise<void> {
    const process: Process = { alive: true, end: () => {}, writes: 0, pending: new Set() };
    const gone = new Promise<null>((resolve) => {
      process.end = () => resolve(null);
    });
    const adopted = new Map<string, Connection>();
    const ports = this.#ports(process, adopted);
    const coordinator = createCoordinator(ports);
    // Never started: nobody joins by a token here.
    const access = createAccess({ ...ports, desk: new AccessDesk(ports) });
    const life: Life = { process, gone, coordinator, access, spool: ports.spool, adopted };
    this.#life = life;
    this.#world.trace("host", "starts");
    await coordinator.lifecycle.start();
  }

  /** SIGKILL, then a new start after a while. */
  kill(): void {
    const life = this.#life;
    if (life === null || !life.process.alive) return;
    const { dice, clock, plan } = this.#world;
    life.process.alive = false;
    life.process.end();
    this.#world.trace("host", "is killed");
    for (const write of life.process.pending) if (dice.chance(0.5)) void write();
    this.#network.hostGone();
    const boot = () => {
      this.boot().catch((error) => {
        // It was killed again during its start.
        if (this.running) this.#world.violated("S15", `the coordinator does not start: ${error}`);
      });
    };
    clock.after(dice.between(100, plan.faults.hostAwayMaxMs), boot);
  }

  openConnection(device: number, onDeviceEnd: () => void): Connection {
    const life = this.#life;
    assert(life !== null && this.running, "a coordinator takes connections");
    const connection: Connection = {
      device,
      open: true,
      deviceEnd: true,
      hostEnd: true,
      login: life.access.openLogin(`10.0.0.${device + 1}`),
      upMs: 0,
      downMs: 0,
      onDeviceEnd,
      onHostEnd: () => this.#released(life, connection),
    };
    this.#network.add(connection);
    return connection;
  }

  #released(life: Life, connection: Connection): void {
    const identity = connection.login.caller?.identity;
    if (!life.process.alive || identity === undefined || life.adopted.get(identity) !== connection) return;
    life.adopted.delete(identity);
    life.coordinator.devices.deviceDown(identity);
  }

  /** Receives a frame from a device. `answer` is called at most once, and never by a process that has died. */
  async receive(connection: Connection, frame: Bytes, answer: (reply: Reply) => void): Promise<void> {
    const life = this.#life;
    if (life === null || !life.process.alive) return;
    const decoded = decodeFrame(frame, deviceMessageSchema);
    assert(decoded.ok, "devices send well-formed messages");
    const reply = await this.#reply(life, connection, decoded.value);
    if (!life.process.alive) return;
    answer(reply);
    const { caller } = connection.login;
    if (reply.type !== "welcome" || caller === null || !connection.hostEnd) return;
    this.#adopt(life, caller.identity, connection);
    life.coordinator.devices.deviceUp(caller.identity, caller.task);
  }

  #reply(life: Life, { login }: Connection, message: DeviceMessage): Promise<Reply> {
    switch (message.type) {
      case "hello":
        return Promise.resolve(login.hello(message));
      case "authenticate":
        return login.authenticate(message);
      default:
        if (login.caller === null)
          return Promise.resolve({ type: "refused", error: wireError("NOT_AUTHENTICATED") });
        return life.coordinator.devices.onDeviceMessage(login.caller.identity, message);
    }
  }

  /** An identity has one connection. Rule W6. */
  #adopt(life: Life, identity: string, connection: Connection): void {
    const before = life.adopted.get(identity);
    life.adopted.set(identity, connection);
    if (before === undefined || before === connection) return;
    before.hostEnd = false;
    if (before.open) this.#inbox.ended(before, "ALREADY_CONNECTED");
    this.#network.cut(before, { device: before.open, host: true });
  }

  #ports(process: Process, adopted: Map<string, Connection>): CoordinatorPorts {
    const { primitives, clock, issuer } = this.#world;
    const store = memoryStore(this.db, async () => {});
    const nothing = () => {};
    return {
      keeping: this.#world.keeping,
      store: this.#durable(store, process),
      blobs: this.#durable(memoryBlobs(this.disk), process),
      spool: this.#durable(memorySpool(this.disk, primitives), process),
      disk: { hasRoom: async () => true },
      folder: this.#durable(memoryFolder(this.disk, primitives), process),
      exporter: noExporter,
      models: this.#durable(memoryModels(primitives), process),
      evaluator: this.#durable(fakeEvaluator(), process),
      heldOutFiles: this.#durable(memoryHeldOutFiles(memoryHeldOut()), process),
      devices: {
        send: (identity, message) => {
          const connection = adopted.get(identity);
          if (process.alive && connection !== undefined) this.#tell(connection, message);
        },
        drop: nothing,
        traffic: () => ({ upByteCount: 0, downByteCount: 0 }),
      },
      broadcast: { publish: nothing },
      metrics: {
        roundEnded: nothing,
        phaseEnded: nothing,
        dropouts: nothing,
        askedLast: nothing,
        folded: nothing,
        uploaded: nothing,
        evaluated: nothing,
      },
      log: {
        info: nothing,
        warn: (fields, message) => this.#log(process, message, fields),
        error: (fields, message) => this.#log(process, message, fields),
      },
      primitives,
      random: this.#world.dice.bytes,
      clock,
      wall: clock,
      after: (delayMs, run) => clock.after(delayMs, () => (process.alive ? run() : undefined)),
      issuer,
      projectId: "default",
      codeVersion: "test",
      code: TEST_CODE,
    };
  }

  #log(process: Process, message: string, fields: Readonly<Record<string, unknown>>): void {
    if (!process.alive) return;
    this.#world.trace("host", `${message} ${JSON.stringify(fields)}`);
    // A store may fail, but an assertion is a fault of the program.
    if (String(fields["error"]).startsWith("AssertionFault"))
      this.#world.violated("R19", String(fields["error"]));
  }

  #tell(connection: Connection, message: CoordinatorMessage): void {
    const frame = encodeFrame(message);
    this.#network.carry(connection, "down", message.type, () => this.#inbox.receive(connection, frame));
  }

  /** Wraps a port: its writes take time, may be cut off by the process's death, and may fail for unknown reasons. */
  #durable<T extends object>(target: T, process: Process): T {
    return new Proxy(target, {
      get: (object, name) => {
        const value: unknown = Reflect.get(object, name, object);
        if (typeof value !== "function" || name === "path") return value;
        const call = (parameters: unknown[]) => Reflect.apply(value, object, parameters) as Promise<unknown>;
        const isWrite = WRITES.has(String(name));
        return (...parameters: unknown[]) => {
          if (!process.alive) return NEVER;
          if (isWrite || SLOW.has(String(name)))
            return this.#inTime(process, String(name), isWrite, parameters, call);
          return this.#unlessDead(process, call(parameters));
        };
      },
    });
  }

  async #unlessDead(process: Process, work: Promise<unknown>): Promise<unknown> {
    const result = await work;
    return process.alive ? result : NEVER;
  }

  #inTime(
    process: Process,
    name: string,
    isWrite: boolean,
    parameters: unknown[],
    call: (parameters: unknown[]) => Promise<unknown>,
  ): Promise<unknown> {
    const { clock, dice } = this.#world;
    const perform = async () => {
      const result = await call(parameters);
      if (name === "append") this.#watch.appended(parameters as Parameters<Store["append"]>);
      if (name === "receive") this.#stored((parameters as Parameters<Spool["receive"]>)[0]);
      return result;
    };
    if (isWrite) {
      process.pending.add(perform);
      this.#countWrite(process);
      if (!process.alive) return NEVER;
    }
    const breaks = isWrite ? this.#breaksNow() : this.#isUnjudged(name);
    return new Promise((resolve, reject) => {
      clock.after(dice.between(1, isWrite ? WRITE_MAX_MS : this.#workMaxMs(name)), () => {
        if (!process.alive) return;
        process.pending.delete(perform);
        if (breaks) {
          this.#world.trace("host", `${name} fails`);
          if (dice.chance(0.5)) void perform().catch(() => {});
          reject(new Error(`the connection was lost during ${name}`));
          return;
        }
        perform().then(
          (result) => (process.alive ? resolve(result) : undefined),
          (error) => (process.alive ? reject(error) : undefined),
        );
      });
    });
  }

  #stored({ sid, position }: Parameters<Spool["receive"]>[0]): void {
    const { clock, plan } = this.#world;
    this.#inputs += 1;
    for (const { input, afterMs, at, cut } of plan.faults.damagedInputs) {
      if (input !== this.#inputs) continue;
      clock.after(afterMs, () => {
        const path = `${sid}/${position}`;
        const bytes = this.disk.spool.get(path)?.slice();
        if (bytes === undefined || this.#world.healed) return;
        bytes[at % bytes.length] = (bytes[at % bytes.length] as number) ^ 0x20;
        this.disk.spool.set(path, cut ? bytes.slice(0, -4) : bytes);
        this.#world.trace("disk", `damages ${path.slice(0, 8)} ${position}`);
      });
    }
  }

  #workMaxMs(name: string): number {
    return name === "evaluate" ? this.#world.plan.evaluator.maxMs : 300;
  }

  #isUnjudged(name: string): boolean {
    const { failure } = this.#world.plan.evaluator;
    return name === "evaluate" && failure > 0 && this.#world.dice.chance(failure);
  }

  #countWrite(process: Process): void {
    this.#writes += 1;
    process.writes += 1;
    const [next] = this.#diesAt;
    if (next === undefined || process.writes < next || this.#world.healed) return;
    this.#diesAt.shift();
    this.kill();
  }

  #breaksNow(): boolean {
    return !this.#world.healed && this.#world.plan.faults.brokenWrites.includes(this.#writes);
  }
}
