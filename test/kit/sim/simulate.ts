import { assert } from "#shared/kernel/assert.ts";
import { keptShards } from "#shared/round/shards.ts";
import type { RoundState } from "#shared/round/state.ts";
import { FAKE_SET } from "../fakes/memory-held-out.ts";
import { SimDevice } from "./device.ts";
import { Host } from "./host.ts";
import { Network } from "./network.ts";
import { checkForgotten, checkSums } from "./oracle.ts";
import type { Plan } from "./plan.ts";
import { Watch } from "./watch.ts";
import { World } from "./world.ts";

export interface Played {
  readonly seed: string;
  readonly violations: readonly string[];
  readonly traceHash: string;
  readonly lines: readonly string[];
  /** Number of rounds by ending: phase and code. */
  readonly ends: ReadonlyMap<string, number>;
  /** How the run ended, with its code. */
  readonly runEnds: ReadonlyMap<string, number>;
  readonly steps: number;
}

/** From then on no new fault begins; a run must end by itself. */
const HEALS_AT_MS = 400_000;
/** Far more than the longest run in which every deadline is exhausted. */
const LONGEST_MS_PER_ROUND = 4_000_000;
const STEPS_MAX = 2_000_000;

/** Plays one plan from its first event until it comes to rest. */
export async function simulate(plan: Plan): Promise<Played> {
  const game = await Game.create(plan);
  await game.play();
  return game.result();
}

class Game {
  readonly #world: World;
  readonly #watch: Watch;
  readonly #host: Host;
  readonly #devices: SimDevice[];
  #steps = 0;

  static async create(plan: Plan): Promise<Game> {
    return new Game(await World.create(plan));
  }

  private constructor(world: World) {
    const { plan, clock, dice } = world;
    this.#world = world;
    this.#watch = new Watch(world);
    const network = new Network(world);
    this.#host = new Host(world, network, this.#watch, {
      receive: (connection, frame) => this.#devices[connection.device]?.receive(connection, frame),
      ended: (connection, code) => this.#devices[connection.device]?.ended(connection, code),
    });
    this.#devices = Array.from(
      { length: plan.deviceCount },
      (_, index) => new SimDevice(world, network, this.#host, this.#watch, index),
    );
    for (const device of this.#devices) clock.after(dice.between(0, 4_000), () => device.open());
    for (const { atMs, forMs, devices } of plan.faults.partitions) {
      const first = dice.between(0, plan.deviceCount - 1);
      const cut = Array.from({ length: devices }, (_, index) => (first + index) % plan.deviceCount);
      clock.after(atMs, () => network.partition(cut, forMs));
    }
    clock.after(HEALS_AT_MS * Math.ceil(plan.rounds / 4), () => {
      world.trace("net", "heals");
      world.healed = true;
    });
  }

  async play(): Promise<void> {
    const { plan } = this.#world;
    const { graph, ring } = plan.task.aggregation;
    this.#world.trace("plan", JSON.stringify({ graph, ring, keptRounds: plan.keptRounds }));
    const booted = this.#host.boot();
    await this.#until(() => this.#settled(booted));
    const created = this.#host.coordinator.tasks.createTask(plan.task, "ada");
    await this.#until(() => this.#settled(created));
    assert((await created).ok, "the task is new");
    this.#host.db.taskSettings.set(plan.task.slug, { heldOut: FAKE_SET });
    await this.#launch();
    await this.#until(() => this.#allEnded());
    for (const device of this.#devices) device.close();
    // Lets late messages and background work arrive.
    const restMs = this.#world.clock.nowMs() + 60_000;
    this.#world.clock.after(60_000, () => {});
    await this.#until(() => this.#world.clock.nowMs() >= restMs && this.#host.running);
    checkSums(this.#world, this.#watch, this.#host);
    if (plan.faults.brokenWrites.length === 0) await checkForgotten(this.#world, this.#watch, this.#host);
  }

  /** After a crash the launcher checks whether the run exists, and otherwise launches again. */
  async #launch(): Promise<void> {
    const { task, rounds, waitUntilMs } = this.#world.plan;
    while (this.#host.db.runs.size === 0 && this.#goesOn) {
      await this.#until(() => this.#host.running);
      const { life } = this.#host;
      const waitUntil = new Date(this.#world.clock.nowUnixMs() + waitUntilMs).toISOString();
      const launch = { task: task.slug, rounds, seed: 7, waitUntil };
      const launched = this.#host.coordinator.runs.launch(launch, "ada");
      await this.#until(() => this.#settled(launched) || this.#host.life !== life);
    }
  }

  get #goesOn(): boolean {
    return this.#world.violations.length === 0;
  }

  #allEnded(): boolean {
    return this.#watch.runEnds.size === this.#host.db.runs.size && this.#host.db.runs.size > 0;
  }

  readonly #settledWork = new WeakSet<Promise<unknown>>();
  readonly #seenWork = new WeakSet<Promise<unknown>>();
  #settled(work: Promise<unknown>): boolean {
    if (!this.#seenWork.has(work)) {
      this.#seenWork.add(work);
      const settled = () => void this.#settledWork.add(work);
      work.then(settled, settled);
    }
    return this.#settledWork.has(work);
  }

  /** Advances time, one timer after the other, each with everything that follows from it. */
  async #until(condition: () => boolean): Promise<void> {
    const { clock, plan } = this.#world;
    while (this.#goesOn) {
      // All work is in microtasks: after one turn of the event loop nothing is in progress.
      await new Promise((resolve) => setImmediate(resolve));
      if (condition()) return;
      this.#steps += 1;
      const endless = clock.nowMs() > LONGEST_MS_PER_ROUND * plan.rounds || this.#steps > STEPS_MAX;
      if (endless || !clock.fireNext()) {
        this.#world.violated("S15", endless ? "the run does not end" : "nothing is left to do");
        return;
      }
    }
  }

  result(): Played {
    const ends = new Map<string, number>();
    for (const state of this.#watch.rounds.values()) {
      const end = endOf(state);
      ends.set(end, (ends.get(end) ?? 0) + 1);
    }
    const runEnds = new Map<string, number>();
    for (const end of this.#watch.runEnds.values()) runEnds.set(end, (runEnds.get(end) ?? 0) + 1);
    const { plan, violations, lines } = this.#world;
    return {
      seed: plan.seed,
      violations,
      traceHash: this.#world.traceHash(),
      lines,
      ends,
      runEnds,
      steps: this.#steps,
    };
  }
}

function endOf(state: RoundState): string {
  if ("code" in state) return `${state.phase} ${state.code}`;
  const isShort = state.phase === "committed" && keptShards(state).length < state.shardCount;
  return isShort ? "committed short of a shard" : state.phase;
}
