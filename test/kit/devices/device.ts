import { MapCells } from "#client/adapters/map-cells.ts";
import { openSocketLink } from "#client/adapters/socket-link.ts";
import { createEnrolment, type Enrolment } from "#client/core/enrolment/enrolment.ts";
import { createLogMemory } from "#client/core/log-memory.ts";
import { type Cells, createMemory } from "#client/core/memory.ts";
import { createModelCache } from "#client/core/model-cache.ts";
import type { KeptContribution, Link, Trained, Trainer } from "#client/core/ports.ts";
import { modelFromBytes } from "#shared/codec/model-bytes.ts";
import { localSigner } from "#shared/crypto/signature.ts";
import type { Signer } from "#shared/kernel/ports.ts";
import { ok } from "#shared/kernel/result.ts";
import { after, monotonicClock, primitives, randomBytes, wallClock } from "#shared/node/system.ts";
import type { DeviceMessage } from "#shared/protocol/messages/device.ts";
import { agreedConfigOf } from "#shared/task/agreed-config.ts";
import { modelTensors } from "#shared/task/model.ts";
import type { Task } from "#shared/task/task.ts";
import { standingEngine } from "../fakes/standing-engine.ts";

/*
 * A device with the real client core, link and cryptography, but with made-up updates that take no time, for tests of
 * everything around training. Its steps can be held back one by one.
 */

/** A step that can be held back; `train` is the training, `input` the upload. */
export type HeldStep =
  | "train"
  | "input"
  | Extract<DeviceMessage["type"], "check-in" | "advertise" | "share" | "confirm" | "unmask">;

export interface TestDevice {
  readonly enrolment: Enrolment;
  /** Every contribution that the device keeps; by id, in its newest state. */
  readonly contributions: ReadonlyMap<string, KeptContribution>;
  hold(step: HeldStep): void;
  release(): void;
  close(): Promise<void>;
}

export interface TestDeviceOptions {
  readonly joinToken?: string;
  /** False keeps no contributions, for large models and many rounds. */
  readonly archive?: boolean;
  /** Its memory and its identity; by default gone with this process. */
  readonly cells?: Cells;
  readonly signer?: Signer;
  /** Wraps the real link. */
  readonly wrapLink?: (link: Link) => Link;
}

export async function openTestDevice(
  url: string,
  task: Task,
  seed: number,
  { joinToken, archive = true, cells, signer, wrapLink }: TestDeviceOptions = {},
): Promise<TestDevice> {
  const gates = new Gates();
  const plain = openSocketLink(url);
  const link = gatedLink(wrapLink === undefined ? plain : wrapLink(plain), gates);
  link.show(joinToken ?? null);
  const served = await link.fetchStatus();
  if (!served.ok) throw new Error("no coordinator");
  const contributions = new Map<string, KeptContribution>();
  const tensors = modelTensors(task.model);
  const remembered = cells ?? new MapCells();
  const ports = {
    link,
    primitives,
    trainer: madeUpTrainer(tensors.parameterCount, seed, gates),
    memory: createMemory(remembered, 1_000),
    logs: createLogMemory(remembered),
    archive: {
      save: async (contribution: KeptContribution) => {
        if (archive) contributions.set(contribution.detail.id, contribution);
      },
    },
    signer: signer ?? localSigner(randomBytes(32), globalThis.crypto.subtle),
    random: randomBytes,
    clock: monotonicClock,
    wall: wallClock,
    after,
  };
  const none = { inputs: new Float32Array(0), labels: new Float32Array(0), count: 0 };
  const enrolment = createEnrolment(ports, {
    task,
    authority: served.value,
    expectedConfig: await agreedConfigOf(primitives, task, served.value),
    models: createModelCache(ports, task, (bytes) => {
      const weights = modelFromBytes(tensors, bytes);
      return weights.ok ? weights.value : null;
    }),
    data: async () => ({ train: { ...none, count: numExamplesOf(seed) }, local: none }),
    roundsMax: 1_000,
    ...(joinToken === undefined ? {} : { joinToken }),
  });
  return {
    enrolment,
    contributions,
    hold: (step) => gates.close(step),
    release: () => gates.open(),
    close: () => enrolment.close(),
  };
}

/** Devices differ in weight, so that an unweighted mean does not pass for the right one. */
export function numExamplesOf(seed: number): number {
  return 10 + 7 * seed;
}

class Gates {
  readonly #held = new Set<HeldStep>();
  #waiting: (() => void)[] = [];

  close(step: HeldStep): void {
    this.#held.add(step);
  }

  open(): void {
    this.#held.clear();
    for (const resume of this.#waiting.splice(0)) resume();
  }

  async pass(step: HeldStep): Promise<void> {
    if (!this.#held.has(step)) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

function gatedLink(link: Link, gates: Gates): Link {
  return {
    ...link,
    send: async (message) => {
      if (isHeld(message.type)) await gates.pass(message.type);
      return link.send(message);
    },
    upload: async (...args) => {
      await gates.pass("input");
      return link.upload(...args);
    },
  };
}

function isHeld(type: DeviceMessage["type"]): type is Exclude<HeldStep, "train" | "input"> {
  return (
    type === "check-in" || type === "advertise" || type === "share" || type === "confirm" || type === "unmask"
  );
}

/** Updates that depend only on device and round and are within the clip; no row is read. */
function madeUpTrainer(parameterCount: number, seed: number, gates: Gates): Trainer {
  return {
    ...standingEngine(),
    train: async ({ shuffleSeed }) => {
      await gates.pass("train");
      const delta = new Float32Array(parameterCount);
      for (let index = 0; index < delta.length; index++) {
        // A hash instead of a sine, which would take as long as the masks for a hundred thousand numbers.
        const mixed = Math.imul(index + 1_000 * seed + (shuffleSeed % 1_000), 0x9e37_79b1);
        delta[index] = mixed * (0.01 / 2 ** 31);
      }
      const metrics = { count: 5, lossSum: 5, correct: 3 };
      const trained: Trained = {
        delta,
        numExamples: numExamplesOf(seed),
        before: metrics,
        after: metrics,
        epochLosses: [1],
        seconds: 0,
      };
      return ok(trained);
    },
  };
}
