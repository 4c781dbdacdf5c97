import { createEnrolment, type Enrolment } from "#client/core/enrolment/enrolment.ts";
import { createLogMemory } from "#client/core/log-memory.ts";
import { createMemory } from "#client/core/memory.ts";
import { createModelCache } from "#client/core/model-cache.ts";
import type { KeptContribution, Trained, Trainer } from "#client/core/ports.ts";
import { modelFromBytes } from "#shared/codec/model-bytes.ts";
import { type Bytes, bytesToHex } from "#shared/kernel/bytes.ts";
import type { Signer } from "#shared/kernel/ports.ts";
import { ok } from "#shared/kernel/result.ts";
import { modelTensors } from "#shared/task/model.ts";
import { standingEngine } from "../fakes/standing-engine.ts";
import { DurableCells } from "./cells.ts";
import type { Dice } from "./dice.ts";
import type { Host } from "./host.ts";
import { type DeviceLife, SimLink } from "./link.ts";
import type { Connection, Network } from "./network.ts";
import type { DeviceFault } from "./plan.ts";
import { honest, type Rogue, rogue } from "./rogue.ts";
import type { Watch } from "./watch.ts";
import type { World } from "./world.ts";

/*
 * A device of a simulated world: the product's enrolment over the simulated network. Its identity and its durable writes
 * survive a crash; everything else is lost.
 */

/** More rounds than any simulation has. */
const ROUNDS_MAX = 10_000;

interface Life extends DeviceLife {
  readonly enrolment: Enrolment;
  readonly link: SimLink;
}

export class SimDevice {
  readonly index: number;
  readonly identity: string;
  readonly cells: DurableCells;
  readonly #world: World;
  readonly #network: Network;
  readonly #host: Host;
  readonly #watch: Watch;
  readonly #dice: Dice;
  readonly #conduct: Rogue;
  #faults: DeviceFault[];
  #life: Life | null = null;
  #acts = 0;
  /** It left for good. */
  #left = false;

  constructor(world: World, network: Network, host: Host, watch: Watch, index: number) {
    this.index = index;
    this.#world = world;
    this.#network = network;
    this.#host = host;
    this.#watch = watch;
    this.#dice = world.dice.branch(`device ${index}`);
    const signer = world.signer(this.#dice.bytes(32));
    this.identity = bytesToHex(signer.publicKey);
    this.#conduct = conductOf(world, index, signer);
    this.cells = new DurableCells(world);
    this.#faults = world.plan.faults.devices.filter(({ device }) => device === index);
  }

  /** Opens the page and agrees to take part. */
  open(): void {
    if (this.#life !== null || this.#left) return;
    this.#world.trace(this.#name, "opens");
    this.#life = this.#begin();
    this.#life.enrolment.start();
  }

  get #name(): string {
    return `d${this.index}`;
  }

  receive(connection: Connection, frame: Bytes): void {
    this.#life?.link.receive(connection, frame);
  }

  ended(connection: Connection, code: "ALREADY_CONNECTED"): void {
    this.#life?.link.ended(connection, code);
  }

  /** Closes the page; its last records of what left still come out. */
  close(): void {
    const life = this.#life;
    this.#life = null;
    if (life !== null) void life.enrolment.close();
  }

  #begin(): Life {
    const { clock, plan, authority, config } = this.#world;
    const life: { alive: boolean } = { alive: true };
    const act = () => this.#act(life);
    const link = new SimLink({
      world: this.#world,
      network: this.#network,
      host: this.#host,
      life,
      device: this.index,
      tamper: this.#conduct.tamper,
      onSend: (message) => {
        this.#watch.sent(this, message);
        act();
      },
      onUpload: (sid, position, headers) => {
        this.#watch.uploaded(this, sid, position, headers.sha256);
        act();
      },
      onReceipt: (receipt) => this.#watch.receipted(receipt),
    });
    const cells = this.cells.of(life, act);
    const ports = {
      link,
      primitives: this.#conduct.primitives,
      trainer: this.#trainer(life),
      memory: createMemory(cells, ROUNDS_MAX),
      logs: createLogMemory(cells),
      archive: {
        save: async (contribution: KeptContribution) => this.#watch.contributed(this.identity, contribution),
      },
      signer: this.#conduct.signer,
      random: this.#dice.bytes,
      clock,
      wall: clock,
      after: (delayMs: number, run: () => void) =>
        clock.after(delayMs, () => (life.alive ? run() : undefined)),
    };
    const rows = { inputs: new Float32Array(4), labels: new Float32Array(1), count: 1 };
    const tensors = modelTensors(plan.task.model);
    const enrolment = createEnrolment(ports, {
      task: plan.task,
      authority,
      expectedConfig: config,
      roundsMax: ROUNDS_MAX,
      models: createModelCache(ports, plan.task, (bytes) => {
        const weights = modelFromBytes(tensors, bytes);
        return weights.ok ? weights.value : null;
      }),
      data: async () => ({ train: rows, local: rows }),
    });
    enrolment.view.subscribe(({ refusal }) => {
      if (life.alive && refusal?.by === "device") this.#watch.accused(this.#name, refusal.code);
    });
    return Object.assign(life, { enrolment, link });
  }

  /** Counts what this device does, and triggers a fault that is due. */
  #act(life: DeviceLife): void {
    this.#acts += 1;
    if (!life.alive || this.#world.healed) return;
    const due = this.#faults.filter(({ at }) => at <= this.#acts);
    if (due.length === 0) return;
    this.#faults = this.#faults.filter((fault) => !due.includes(fault));
    for (const fault of due) this.#suffer(fault);
  }

  #suffer({ kind, forMs }: DeviceFault): void {
    const life = this.#life;
    if (life === null) return;
    const { clock } = this.#world;
    this.#world.trace(this.#name, `suffers: ${kind} for ${forMs} ms`);
    switch (kind) {
      case "cut": {
        const { connection } = life.link;
        if (connection !== null)
          this.#network.cut(connection, { device: this.#dice.chance(0.5), host: this.#dice.chance(0.5) });
        return;
      }
      case "crash":
        this.#crash(life);
        clock.after(forMs + 50, () => this.open());
        return;
      case "hide":
        life.enrolment.setHidden(true);
        clock.after(forMs + 1, () => life.enrolment.setHidden(false));
        return;
      case "pause":
        void life.enrolment.pause();
        clock.after(forMs + 1, () => life.enrolment.start());
        return;
      case "leave":
        this.#left = true;
        this.close();
        return;
    }
  }

  /** The page is gone at once, with everything in memory. */
  #crash(life: Life): void {
    this.#life = null;
    const { connection } = life.link;
    life.alive = false;
    this.cells.crash();
    if (connection !== null) {
      connection.deviceEnd = false;
      this.#network.cut(connection, { device: true, host: this.#dice.chance(0.5) });
    }
    // Nothing from it reaches anyone any more; the oracle still gets the record of what left.
    void life.enrolment.close();
  }

  #trainer(life: DeviceLife): Trainer {
    return {
      ...standingEngine(),
      train: async ({ weights }) => {
        const draws = new DataView(this.#dice.bytes(4 * weights.length).buffer);
        const delta = weights.map((_, index) => (draws.getUint32(4 * index) / 2 ** 32 - 0.5) / 10);
        const metrics = { count: 5, lossSum: 3, correct: this.#dice.between(0, 5) };
        const trained: Trained = {
          delta,
          numExamples: this.#dice.between(1, 200),
          before: metrics,
          after: metrics,
          epochLosses: [1],
          seconds: 0,
        };
        const { clock, plan } = this.#world;
        await new Promise<void>((resolve) => {
          clock.after(this.#dice.between(1, plan.trainingMaxMs), () => (life.alive ? resolve() : undefined));
        });
        return ok(trained);
      },
    };
  }
}

function conductOf({ plan, primitives, clock }: World, device: number, signer: Signer): Rogue {
  const lie = plan.flaws.get(device);
  if (lie === undefined) return honest(primitives, signer);
  return rogue(primitives, signer, lie.flaw, () => clock.nowMs() < lie.untilMs);
}
