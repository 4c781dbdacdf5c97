import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { localSigner } from "#shared/crypto/signature.ts";
import { hexToBytes } from "#shared/kernel/bytes.ts";
import { primitives } from "#shared/node/system.ts";
import type { LogView } from "#shared/protocol/log-api.ts";
import { openCheckpoint } from "#shared/tlog/checkpoint.ts";
import {
  formatVerifierKey,
  parseVerifierKey,
  SIGNATURE_TYPES,
  type VerifierKey,
  verifierKey,
} from "#shared/tlog/note.ts";
import { openTestDevice, type TestDevice } from "#test/kit/devices/device.ts";
import { heldOutPath } from "#test/kit/earlier-held-out.ts";
import { freePort, openApi, spawnCoordinator, until } from "#test/kit/worlds/coordinator-process.ts";
import { runCommand } from "#test/kit/worlds/run-command.ts";
import { spawnWitness, type WitnessProcess } from "#test/kit/worlds/witness-process.ts";

/*
 * A coordinator and two witnesses, each a process of its own, and devices with the real client core. One witness is killed
 * and comes back while a task demands both.
 */

const COUNT = 4;
const ORIGIN = "learn.example/log";
const root = new URL("../../..", import.meta.url).pathname;
const scratch = mkdtempSync(join(tmpdir(), "chorus-witnessed-"));
const closers: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closers.reverse()) await close();
  rmSync(scratch, { recursive: true, force: true });
});

const leftKey = async (dataDir: string): Promise<VerifierKey> => {
  const { publicKey } = localSigner(hexToBytes(readFileSync(join(dataDir, "log.key"), "utf8").trim()));
  return verifierKey(primitives, await originOf(dataDir), SIGNATURE_TYPES.ed25519, publicKey);
};
const originOf = async (dataDir: string) =>
  readFileSync(join(dataDir, "log/checkpoint"), "utf8").split("\n")[0] ?? "";

async function keyOf({ key }: WitnessProcess): Promise<VerifierKey> {
  const parsed = await parseVerifierKey(primitives, key);
  if (!parsed.ok) throw new Error(parsed.error.sentence);
  return parsed.value;
}

test("[A93] [A94] [A95] two witnesses sign a coordinator's log; while one is dead, a task that demands both waits", async () => {
  const dataDir = join(scratch, "data");
  const port = await freePort();
  // The log makes its key at its first start, and the witnesses need it.
  let coordinator = await spawnCoordinator({ port, dataDir });
  await until("a checkpoint", 60_000, async () => (await fetch(`${coordinator.url}/log/checkpoint`)).ok);
  const view = (await (await fetch(`${coordinator.url}/api/v1/log`)).json()) as LogView;
  expect(view.witnessStates).toEqual([]);
  expect(await coordinator.stop()).toBe(0);
  const witnesses: WitnessProcess[] = [];
  for (const name of ["w1.example", "w2.example"]) {
    const folder = join(scratch, name);
    witnesses.push(await spawnWitness({ name, folder }, [view.verifierKey]));
  }
  closers.push(() => Promise.all(witnesses.map((witness) => witness.kill())));
  const flags = witnesses.flatMap(({ key, url }) => ["--witness", `${key}@${url}`]);
  const task = {
    ...bundledTask("digits", COUNT, 1),
    logWitnesses: { keys: witnesses.map(({ key }) => key), needed: 2 },
  };
  mkdirSync(join(heldOutPath(dataDir, task.slug, task.version), ".."), { recursive: true });
  cpSync(join(root, "coordinator/data/digits.csv"), heldOutPath(dataDir, task.slug, task.version));
  coordinator = await spawnCoordinator({ port, dataDir, flags });
  closers.push(() => coordinator.kill());
  const api = openApi(coordinator.url);
  const logKey = await leftKey(dataDir);
  const keys = await Promise.all(witnesses.map(keyOf));
  const signers = async () => {
    const note = await (await fetch(`${coordinator.url}/log/checkpoint`)).text();
    const opened = await openCheckpoint(primitives, note, logKey, keys);
    if (!opened.ok) throw new Error(opened.error.type);
    return opened.value.cosigned.map(({ key: { name } }) => name).toSorted();
  };
  // What was published before there were witnesses is signed after the restart.
  await until("both signatures", 60_000, async () => (await signers()).length === 2);

  await api.createTask(task);
  const devices: TestDevice[] = [];
  closers.push(() => Promise.all(devices.map((device) => device.close())));
  for (let seed = 1; seed <= COUNT; seed++) devices.push(await openTestDevice(coordinator.url, task, seed));
  for (const device of devices) device.enrolment.start();
  const ended = (runId: string) =>
    until("the run's end", 120_000, async () => {
      const run = await api.run(runId);
      return run.state === "completed" ? run : null;
    });
  const first = await api.launch({ task: task.slug, rounds: 2, seed: 7 });
  await ended(first.runId);
  const states = async () =>
    ((await (await fetch(`${coordinator.url}/api/v1/log`)).json()) as LogView).witnessStates;
  await until("both have signed the newest", 60_000, async () =>
    (await states()).every(({ signed, trouble }) => trouble === null && signed !== null),
  );

  // One dies. The log goes on, a launch is refused with who answers, and a run under way waits.
  const second = await api.launch({ task: task.slug, rounds: 40, seed: 8 });
  await until("a round of the second run", 60_000, async () => (await api.rounds(second.runId)).length > 0);
  await witnesses[1]?.kill();
  await until("the notice", 120_000, async () =>
    (await api.run(second.runId)).notice?.message.includes("w2.example does not answer."),
  );
  // Each checkpoint is published before it is signed, so that nobody waits for the dead one.
  await until("the other's signature", 60_000, async () => (await signers()).includes("w1.example"));
  const counted = async () =>
    (await api.rounds(second.runId)).filter(({ phase }) => phase === "committed").length;
  const before = await counted();
  expect(before).toBeLessThan(40);
  const other = { ...task, slug: "other", logWitnesses: task.logWitnesses };
  await api.createTask(other);
  await expect(api.launch({ task: "other", rounds: 1 })).rejects.toThrow(
    /w1\.example signs\. w2\.example does not answer\./,
  );

  // It comes back on the same folder: the run goes on.
  witnesses[1] = await spawnWitness(
    { name: "w2.example", folder: join(scratch, "w2.example"), port: witnesses[1]?.port ?? 0 },
    [view.verifierKey],
  );
  await until("the run goes on", 120_000, async () => (await counted()) > before);
  await api.act(second.runId, "stop");
  await until("its end", 60_000, async () =>
    ["completed", "failed"].includes((await api.run(second.runId)).state),
  );

  // A proof of an entry that both signed, checked offline. The stop's own entries come first.
  const index = 0;
  const size = async () => ((await (await fetch(`${coordinator.url}/api/v1/log`)).json()) as LogView).size;
  await until("a quiet log", 60_000, async () => {
    const earlier = await size();
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    return (await size()) === earlier;
  });
  await until("both signatures", 60_000, async () => (await signers()).length === 2);
  const proof = await runCommand("log", ["prove", String(index), "--data", dataDir]);
  const file = join(scratch, "entry.tlog-proof");
  writeFileSync(file, proof.stdout);
  const vkey = formatVerifierKey(logKey);
  const demand = witnesses.flatMap(({ key }) => ["--witness", key]);
  expect(await runCommand("log", ["verify", file, "--key", vkey, ...demand])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("and so have w1.example, w2.example"),
  });
  writeFileSync(file, proof.stdout.replace(/^\u2014 w2\.example .*\n/m, ""));
  expect(await runCommand("log", ["verify", file, "--key", vkey, ...demand])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("1 of the 2 witnesses"),
  });
});

test("[A93] a --witness that is none ends the start with a sentence", async () => {
  const start = (...flags: readonly string[]) =>
    runCommand("coordinator", ["--data", join(scratch, "none"), "--api-only", ...flags]);
  expect(await start("--witness", "w.example@nowhere")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("NAME+KEYID+KEY@URL"),
  });
  const log = formatVerifierKey(await verifierKey(primitives, ORIGIN, 1, new Uint8Array(32).fill(3)));
  expect(await start("--witness", `${log}@http://localhost:1`)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("is the key of a log"),
  });
});
