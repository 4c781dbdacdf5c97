import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openFolder } from "#coordinator/adapters/folder.ts";
import { openIntake } from "#coordinator/adapters/intake.ts";
import { openSpool } from "#coordinator/adapters/spool.ts";
import type { Folder, FoldInput, Spool } from "#coordinator/core/ports/ports.ts";
import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import { primitives } from "#shared/node/system.ts";
import type { RoundDetail } from "#shared/protocol/api.ts";
import { type MemoryDisk, memoryFolder } from "#test/kit/fakes/memory-files.ts";
import { Federation, type FederationOptions, inputsOf } from "#test/kit/worlds/federation.ts";

/*
 * Masked inputs that were acknowledged and then damaged by the disk, in each phase: the result is the exact sum of the
 * other inputs, or nothing with a code that says why.
 */

const DEVICES = 4;
const SHARDED = {
  goal: 20,
  overSelection: 1.5,
  cohortSizeMax: 40,
  graph: { kind: "shards", size: 8 },
} as const;

type Damage = (disk: MemoryDisk, path: string) => void;
const flip =
  (at: (byteCount: number) => number): Damage =>
  (disk, path) => {
    const bytes = present(disk.spool.get(path), "an upload").slice();
    const index = at(bytes.length);
    bytes[index] = (bytes[index] as number) ^ 0x40;
    disk.spool.set(path, bytes);
  };
const DAMAGES: readonly (readonly [name: string, damage: Damage])[] = [
  ["its first byte changed", flip(() => 0)],
  ["a byte in its middle changed", flip((byteCount) => byteCount >> 1)],
  ["its last byte changed", flip((byteCount) => byteCount - 1)],
  [
    "its end cut off",
    (disk, path) => void disk.spool.set(path, present(disk.spool.get(path), "it").slice(0, -4)),
  ],
  ["its file gone", (disk, path) => void disk.spool.delete(path)],
];

interface Scene {
  readonly federation: Federation;
  /** Runs before each fold of inputs. */
  before: (inputs: readonly FoldInput[]) => Promise<void>;
}

async function scene(options: FederationOptions = { devices: DEVICES }): Promise<Scene> {
  const inner = await selectPrimitives(globalThis.crypto.subtle);
  const own: { scene?: Scene } = {};
  const folder: Folder = {
    fold: async (job) => {
      const { federation, before } = present(own.scene, "a scene");
      if (job.inputs.length > 0) await before(job.inputs);
      return memoryFolder(federation.disk, inner).fold(job);
    },
    close: async () => {},
  };
  const federation = await Federation.create({ ...options, ports: { folder } });
  own.scene = { federation, before: async () => {} };
  federation.connectAll();
  return own.scene;
}

async function notYet(): Promise<never> {
  throw new Error("the disk does not answer yet");
}

/** Damages one input of the first fold only. */
function once(own: Scene, damage: Damage, when: () => Promise<void> = async () => {}): void {
  let done = false;
  own.before = async (inputs) => {
    if (done) return;
    done = true;
    await when();
    damage(own.federation.disk, present(inputs[1], "an input").path);
  };
}

async function whileOpening({ db }: Federation): Promise<void> {
  for (let turn = 0; turn < 20_000; turn++) {
    if (db.log.some(({ body }) => body.includes('"unmask-received"'))) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error("the opening is never asked");
}

async function inPhase(federation: Federation, runId: string, phase: string): Promise<void> {
  await federation.until(async () => (await federation.run(runId)).currentRound?.phase === phase, phase);
}

async function end(federation: Federation, runId: string): Promise<RoundDetail> {
  await federation.ended(runId);
  await federation.inFlight.settle();
  expect([federation.db.material.size, federation.disk.spool.size]).toEqual([0, 0]);
  return present((await federation.rounds(runId)).at(-1), "the round");
}

function expectRepeated(federation: Federation, round: RoundDetail, code: string): void {
  expect([round.phase, round.attempt, round.survivors]).toEqual(["committed", 2, DEVICES]);
  const retried = round.events.filter(({ kind }) => kind === "round.retried");
  expect(retried.map(({ details }) => details["code"])).toEqual([code]);
  expect(retried[0]?.sentence).toContain("nothing was opened");
  expect(federation.distanceFromOracle(round, federation.devices)).toBeLessThanOrEqual(1);
}

describe.each(DAMAGES)("[R50] an acknowledged input with %s", (_, damage) => {
  test("before the set is sealed: the attempt is repeated", async () => {
    const { federation } = await scene();
    const runId = await federation.launch(1);
    let accepted = 0;
    let isDamaged = false;
    federation.hook = (name, parameters) => {
      accepted += inputsOf(name, parameters);
      // The last ones are still to come, unless they share this write.
      if (!isDamaged && accepted >= 3) {
        damage(federation.disk, firstPath(federation));
        isDamaged = true;
      }
      return "go";
    };
    expectRepeated(federation, await end(federation, runId), "INPUT_DAMAGED");
    expect(federation.logged.join("\n")).toMatch(/stored inputs are damaged: check the disk.*positions/);
  });

  test("[R8] after the set is sealed and before the opening is asked for: the attempt is repeated", async () => {
    const own = await scene();
    once(own, damage);
    const runId = await own.federation.launch(1);
    expectRepeated(own.federation, await end(own.federation, runId), "INPUT_DAMAGED");
  });

  test("[R10] after the opening was asked for: the round is void, and the next one commits", async () => {
    const own = await scene();
    const { federation } = own;
    once(own, damage, () => whileOpening(federation));
    const runId = await federation.launch(1);
    await end(federation, runId);
    const [voided, next] = await federation.rounds(runId);
    expect([voided?.phase, voided?.code, voided?.attempt]).toEqual(["voided", "INPUT_DAMAGED", 1]);
    expect([next?.phase, next?.survivors]).toEqual(["committed", DEVICES]);
    expect(federation.distanceFromOracle(present(next, "a round"), federation.devices)).toBeLessThanOrEqual(
      1,
    );
  });

  test("while the coordinator is down, before the opening is asked for: the attempt is repeated", async () => {
    const own = await scene();
    const { federation } = own;
    for (const device of federation.devices) device.goneBefore = "confirm";
    const runId = await federation.launch(1);
    own.before = notYet;
    await inPhase(federation, runId, "confirming");
    federation.crash();
    damage(federation.disk, firstPath(federation));
    own.before = async () => {};
    for (const device of federation.devices) device.goneBefore = null;
    await federation.restart();
    const round = await end(federation, runId);
    const seen = round.events.find(({ kind }) => kind === "round.retried")?.details["code"];
    expect(["INPUT_DAMAGED", "RESTARTED"]).toContain(seen);
    expectRepeated(federation, round, String(seen));
  });

  test("while the coordinator is down, after the opening was asked for: the round is void", async () => {
    const own = await scene();
    const { federation } = own;
    own.before = notYet;
    const runId = await federation.launch(1);
    await inPhase(federation, runId, "unmasking");
    federation.crash();
    damage(federation.disk, firstPath(federation));
    own.before = async () => {};
    await federation.restart();
    await end(federation, runId);
    const [voided, next] = await federation.rounds(runId);
    expect([voided?.phase, voided?.code]).toEqual(["voided", "INPUT_DAMAGED"]);
    expect([next?.phase, next?.survivors]).toEqual(["committed", DEVICES]);
  });
});

function firstPath({ disk }: Federation): string {
  return present([...disk.spool.keys()][0], "an upload");
}

test("[R50] [R8] a disk that damages an input of every attempt fails the round, unopened", async () => {
  const own = await scene();
  const { federation } = own;
  own.before = async (inputs) => flip(() => 3)(federation.disk, present(inputs[0], "an input").path);
  const runId = await federation.launch(1);
  await federation.until(async () => (await federation.rounds(runId))[0]?.phase === "failed", "the failure");
  own.before = async () => {};
  const [failed] = await federation.rounds(runId);
  expect([failed?.code, failed?.attempt]).toEqual(["INPUT_DAMAGED", 3]);
  expect(federation.db.log.some(({ body }) => body.includes('"unmask-received"'))).toBe(false);
});

describe("[R50] [R23] in a round of several shards, the one with a damaged input", () => {
  const shards = (change: object = {}) =>
    scene({ devices: 30, seed: "shards 2", task: { ...SHARDED, cohortSizeMin: 3, ...change } });
  const committedOf = ({ devices }: Federation) =>
    devices.filter(({ outcomes }) => outcomes.at(-1)?.kind === "committed");

  test.each([
    ["before the opening is asked", async () => {}],
    ["after it", whileOpening],
  ])("is left out, %s; the sum of the others is exact", async (_, when) => {
    const own = await shards();
    const { federation } = own;
    once(
      own,
      flip(() => 17),
      () => when(federation),
    );
    const round = await end(federation, await federation.launch(1));
    expect([round.phase, round.attempt, round.shards]).toEqual(["committed", 1, { count: 4, leftOut: 1 }]);
    const codes = round.shardList?.map(({ leftOut }) => leftOut).filter((code) => code !== null);
    expect(codes).toEqual(["INPUT_DAMAGED"]);
    const survivors = committedOf(federation);
    expect(survivors).toHaveLength(present(round.survivors, "survivors"));
    expect(survivors.length).toBeLessThan(30);
    expect(federation.distanceFromOracle(round, survivors)).toBeLessThanOrEqual(1);
  });

  test("repeats the attempt if the others do not reach the goal", async () => {
    const own = await shards({ goal: 30, overSelection: 1 });
    once(
      own,
      flip(() => 17),
    );
    const round = await end(own.federation, await own.federation.launch(1));
    expect([round.phase, round.attempt, round.survivors]).toEqual(["committed", 2, 30]);
    expect(own.federation.distanceFromOracle(round, own.federation.devices)).toBeLessThanOrEqual(1);
  });

  test("voids the round if the others do not reach the goal and the opening was asked for", async () => {
    const own = await shards({ goal: 30, overSelection: 1 });
    const { federation } = own;
    once(
      own,
      flip(() => 17),
      () => whileOpening(federation),
    );
    const runId = await federation.launch(1);
    await end(federation, runId);
    const [voided] = await federation.rounds(runId);
    expect([voided?.phase, voided?.code]).toEqual(["voided", "INPUT_DAMAGED"]);
  });
});

describe("over the spool's files and the fold workers", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "chorus-damaged-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test("[R50] a byte flipped at the start, middle or end of a file is in no committed sum", async () => {
    const workers = openFolder();
    // The folder does not get the intake: every input is read from its file again.
    const intake = openIntake();
    const files = await openSpool(join(folder, "spool"), primitives, intake);
    const damaged: string[] = [];
    // Damages one upload in the first attempt of every round, before the coordinator accepts it.
    const spool: Spool = {
      ...files,
      receive: async (upload, ...rest) => {
        const received = await files.receive(upload, ...rest);
        const { sid, position } = upload;
        const { attempt } = present((await federation.run(runId)).currentRound, "a round");
        const wanted = 1 + (damaged.length % DEVICES);
        if (attempt > 1 || damaged.includes(sid) || position !== wanted) return received;
        assert(received.ok && received.value === "complete", "an upload arrives in one piece");
        await flipOnDisk(files.path(sid, position), (damaged.length % 3) / 2);
        damaged.push(sid);
        return received;
      },
    };
    const federation = await Federation.create({ devices: DEVICES, ports: { spool, folder: workers } });
    federation.connectAll();
    const runId = await federation.launch(3);
    await federation.ended(runId);
    const rounds = await federation.rounds(runId);
    expect(damaged).toHaveLength(rounds.length);
    for (const round of rounds) {
      if (round.phase === "voided") expect([round.code, round.attempt]).toEqual(["INPUT_DAMAGED", 1]);
      else expectRepeated(federation, round, "INPUT_DAMAGED");
    }
    await workers.close();
    await intake.close();
  });
});

/** @param place  0 for the first byte, 1 for the last one. */
async function flipOnDisk(path: string, place: number): Promise<void> {
  const bytes = await readFile(path);
  assert(bytes.length > 0, "an upload has bytes");
  const at = Math.floor(place * (bytes.length - 1));
  bytes[at] = (bytes[at] as number) ^ 1;
  await writeFile(path, bytes);
}
