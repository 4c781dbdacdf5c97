import { describe, expect, test } from "vitest";
import { createLogMemory } from "#client/core/log-memory.ts";
import { selectPrimitives, webCryptoPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { localSigner } from "#shared/crypto/signature.ts";
import { present } from "#shared/kernel/assert.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import { parseLogEvidence } from "#shared/secagg/log-evidence.ts";
import type { Task } from "#shared/task/task.ts";
import { formatVerifierKey, verifierKey } from "#shared/tlog/note.ts";
import { DISHONEST_LOGS, type DishonestLog, showing } from "#test/kit/adversary/dishonest-log.ts";
import { ProductDevice } from "#test/kit/devices/product-device.ts";
import { Federation } from "#test/kit/worlds/federation.ts";

/* A coordinator with a public log, and the product's own devices, which demand its proofs. */

const COUNT = 4;

/** @param round  From which a dishonest coordinator is so. */
async function logged(script?: DishonestLog, round = 2, logWitnesses?: Task["logWitnesses"]) {
  const federation = await Federation.create({ devices: COUNT, hasLog: true, logWitnesses });
  federation.devices.length = 0;
  const log = present(federation.publicLog, "a federation with a log");
  const primitives = federation.inFlight.track(await selectPrimitives(globalThis.crypto.subtle));
  const devices: ProductDevice[] = [];
  for (let index = 0; index < COUNT; index++) {
    const tamper = script === undefined ? {} : { tamper: showing(script, log, primitives, round) };
    devices.push(await ProductDevice.create(federation, { seed: `${index}`, log, ...tamper }));
  }
  return { federation, log, devices };
}

async function start(devices: readonly ProductDevice[]): Promise<void> {
  for (const device of devices) device.enrolment.start();
}

describe("[A40] [A41] [A42] an honest coordinator with a public log", () => {
  test("shows devices its proofs, they take part, and sign what they saw", async () => {
    const { federation, devices } = await logged();
    const runId = await federation.launch(3);
    await start(devices);
    expect((await federation.ended(runId)).state).toBe("completed");
    const rounds = await federation.rounds(runId);
    expect(rounds.map(({ phase }) => phase)).toEqual(["committed", "committed", "committed"]);
    for (const device of devices) expect(device.view.contradiction).toBeNull();
    const { store } = federation.ports;
    const logs = await Promise.all(rounds.map(({ roundId: id }) => store.readStream({ kind: "round", id })));
    const events = logs.flat().map(({ event }) => JSON.stringify(event));
    const inputs = events.filter((event) => event.includes('"input-received"'));
    expect(inputs).toHaveLength(3 * COUNT);
    for (const input of inputs) expect(input).toMatch(/"log":\{"size":\d+,"root":"[0-9a-f]{64}"\}/);
  });
});

describe("[A40] [A41] [A43] a coordinator that", () => {
  test.each(DISHONEST_LOGS)("$name gets what its log deserves", async (script) => {
    const { federation, devices } = await logged(script);
    const runId = await federation.launch(2);
    await start(devices);
    if (script.stoppedBy === null) {
      expect((await federation.ended(runId)).state).toBe("completed");
      return;
    }
    const stopped = () => devices.filter(({ view }) => view.activity === "idle");
    // The round may be given up because of those that stop first, while others still check.
    const left = () => devices.filter(({ view }) => view.round?.outcome?.kind === "given-up");
    await federation.until(
      () => stopped().length > 0 && new Set([...stopped(), ...left()]).size === COUNT,
      "every device stops, or is left without a round by those that do",
    );
    for (const device of stopped()) {
      expect(device.view.refusal).toMatchObject({ code: script.stoppedBy, by: "device", retry: "never" });
      const evidence = parseLogEvidence(device.view.contradiction ?? "");
      const finding = evidence.ok ? evidence.value.finding : "none";
      const sent =
        script.at === "invite"
          ? "Nothing was sent."
          : "Your masked list had been sent; it means nothing alone.";
      expect(device.view.refusal?.sentence).toBe(`${finding} ${sent}`);
    }
    for (const device of devices) {
      // Those of the first round alone.
      expect(device.sentOf("unmask")).toHaveLength(1);
      expect(device.sentOf("input")).toHaveLength(script.at === "invite" ? 1 : 2);
    }
    const sums = (await federation.rounds(runId)).filter(({ phase }) => phase === "committed");
    expect(sums).toHaveLength(1);
  });

  const firsts = DISHONEST_LOGS.filter(({ at, stoppedBy }) => at === "invite" && stoppedBy === "NOT_LOGGED");
  test.each(
    firsts.filter(({ name }) => name !== "proves another round" && name !== "forks, with a foreign start"),
  )("$name on a first visit gets no model fetched", async (script) => {
    const { federation, devices } = await logged(script, 1);
    await federation.launch(1);
    await start(devices);
    await federation.until(() => devices.some(({ view }) => view.activity === "idle"), "one stops");
    for (const device of devices) {
      expect(device.fetched).toEqual([]);
      expect(device.trainings).toEqual([]);
      // One that is left without a round before it has checked the proof checks in for the next.
      const before = ["hello", "authenticate", "check-in", "leave"];
      expect(device.sent.filter(({ type }) => !before.includes(type))).toEqual([]);
      if (device.view.activity === "idle") expect(device.view.contradiction).not.toBeNull();
    }
  });

  test("[A43] contradicted itself gets nothing until a person has decided", async () => {
    const script = present(
      DISHONEST_LOGS.find(({ name }) => name === "forks"),
      "a script",
    );
    const { federation, devices } = await logged(script);
    await federation.launch(2);
    await start(devices);
    const contradicted = () => devices.find(({ view }) => view.contradiction !== null);
    await federation.until(() => contradicted() !== undefined, "one sees it");
    const device = present(contradicted(), "a device");
    await federation.until(() => device.view.activity === "idle", "it stops");
    const sent = device.sent.length;
    device.enrolment.start();
    await federation.until(() => device.view.activity === "idle", "it stops again");
    expect(device.view.refusal).toMatchObject({ code: "LOG_CONTRADICTED" });
    expect(device.sent).toHaveLength(sent);
    await device.enrolment.trustAnew();
    expect(device.view.contradiction).toBeNull();
    device.enrolment.start();
    await federation.until(() => device.sent.length > sent, "it takes part again");
  });
});

describe("[A43] what contradicts the log outside of a round", () => {
  test("ends the part in a round that is under way, and the device sends nothing more", async () => {
    const { federation, devices } = await logged();
    await federation.launch(1);
    const device = present(devices[0], "a device");
    const end = device.enrolment.view.subscribe(({ round }) => {
      if (round == null) return;
      end();
      device.enrolment.contradict("{}");
    });
    await start(devices);
    await federation.until(() => device.view.contradiction !== null, "it is told");
    expect(device.view).toMatchObject({
      activity: "idle",
      contradiction: "{}",
      refusal: { code: "LOG_CONTRADICTED", by: "device" },
    });
    expect(device.sent.map(({ type }) => type)).toEqual(["hello", "authenticate", "check-in", "leave"]);
  });

  test("is on the disk before an invitation: no model is fetched for it", async () => {
    const { federation, log, devices } = await logged();
    await start(devices);
    const logKey = bytesToHex(log.key.publicKey);
    for (const { cells } of devices) await createLogMemory(cells).keepEvidence(logKey, "{}");
    await federation.launch(1);
    await federation.until(() => devices.every(({ view }) => view.activity === "idle"), "all stop");
    for (const device of devices) {
      expect(device.view.refusal).toMatchObject({ code: "LOG_CONTRADICTED", by: "device" });
      expect(device.fetched).toEqual([]);
    }
  });
});

describe("[A42] an input that states another log than the coordinator's", () => {
  test("is not taken, and nothing is opened", async () => {
    const { federation, log, devices } = await logged();
    log.isHead = async () => false;
    const runId = await federation.launch(1);
    await start(devices);
    await federation.until(() => devices.every(({ view }) => view.round?.outcome != null), "all are refused");
    for (const { view } of devices)
      expect(view.round?.outcome).toMatchObject({ kind: "dropped", code: "NOT_LOGGED" });
    expect((await federation.rounds(runId)).every(({ phase }) => phase !== "committed")).toBe(true);
  });
});

describe("[A44] [A94] a task whose witnesses do not sign the coordinator's log", () => {
  test("is not launched, with who is missing, until they are asked", async () => {
    const { federation, log } = await logged();
    const signer = localSigner(new Uint8Array(32).fill(11));
    const key = await verifierKey(webCryptoPrimitives(crypto.subtle), "first.example", 4, signer.publicKey);
    const text = formatVerifierKey(key);
    const version = federation.task.version + 1;
    const task = { ...federation.task, version, logWitnesses: { keys: [text], needed: 1 } };
    expect((await federation.coordinator.tasks.createTask(task, "ada")).ok).toBe(true);
    const launch = () => federation.coordinator.runs.launch({ task: task.slug, rounds: 1, seed: 1 }, "ada");
    const refused = await launch();
    expect(refused).toMatchObject({
      ok: false,
      error: { code: "CONFLICT", message: expect.stringContaining(text) },
    });
    expect(!refused.ok && refused.error.message).toContain("--witness NAME+KEYID+KEY@URL");
    log.cosigners = [{ key, signer, trouble: "no-answer" }];
    const silent = await launch();
    expect(!silent.ok && silent.error.message).toContain("first.example does not answer.");
    log.cosigners = [{ key, signer }];
    expect((await launch()).ok).toBe(true);
  });
});

describe("[A44] [A94] a coordinator whose log too few witnesses have signed", () => {
  const signing = async (name: string, seed: number) => {
    const signer = localSigner(new Uint8Array(32).fill(seed));
    const key = await verifierKey(webCryptoPrimitives(crypto.subtle), name, 4, signer.publicKey);
    return { key, signer };
  };

  test("gets no model fetched, though it claims that enough have", async () => {
    const [one, two] = [await signing("first.example", 11), await signing("second.example", 12)];
    const keys = [one, two].map(({ key }) => formatVerifierKey(key));
    const { federation, log, devices } = await logged(undefined, 2, { keys, needed: 2 });
    log.cosigners = [one, two];
    const honest = log.covers.bind(log);
    // It sends an invitation though only one has signed.
    log.covers = (index) => honest(index);
    const proof = log.proof.bind(log);
    log.proof = async (of) => {
      log.cosigners = [one];
      const made = await proof(of);
      log.cosigners = [one, two];
      return made;
    };
    await start(devices);
    const runId = await federation.launch(1);
    await federation.until(
      () => devices.every(({ view }) => view.round?.outcome?.kind === "dropped" || view.refusal !== null),
      "all refuse",
    );
    for (const device of devices) expect(device.fetched).toEqual([]);
    expect((await federation.rounds(runId)).every(({ phase }) => phase !== "committed")).toBe(true);
    // The control: once both sign, the same devices take part.
    log.covers = honest;
    log.proof = proof;
    expect((await federation.ended(runId)).state).toBe("completed");
  });

  test("waits with a notice of who signs, and its round goes on once enough do", async () => {
    const [one, two] = [await signing("first.example", 11), await signing("second.example", 12)];
    const keys = [one, two].map(({ key }) => formatVerifierKey(key));
    const { federation, log, devices } = await logged(undefined, 2, { keys, needed: 2 });
    log.cosigners = [one, two];
    const runId = await federation.launch(1);
    log.cosigners = [one, { ...two, trouble: "no-answer" }];
    await start(devices);
    await federation.until(async () => (await federation.run(runId)).notice !== null, "the notice");
    expect((await federation.run(runId)).notice).toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringContaining("first.example signs. second.example does not answer."),
    });
    for (const device of devices) expect(device.fetched).toEqual([]);
    log.cosigners = [one, two];
    expect((await federation.ended(runId)).state).toBe("completed");
  });
});

describe("[A47] a log that publishes nothing", () => {
  test("is waited for like any outage, and the round goes on afterwards", async () => {
    const { federation, log, devices } = await logged();
    log.stall();
    const runId = await federation.launch(1);
    await start(devices);
    await federation.until(async () => (await federation.run(runId)).notice !== null, "the notice");
    expect((await federation.run(runId)).notice).toMatchObject({ code: "UNAVAILABLE" });
    for (const device of devices) expect(device.fetched).toEqual([]);
    log.resume();
    expect((await federation.ended(runId)).state).toBe("completed");
  });
});
