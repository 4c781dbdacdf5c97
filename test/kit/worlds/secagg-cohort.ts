import { addMasks } from "#shared/crypto/mask-stream.ts";
import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { localSigner } from "#shared/crypto/signature.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import { type Bytes, bytesToHex, compareBytes, hexToBytes } from "#shared/kernel/bytes.ts";
import { type Position, positionAtIndex } from "#shared/kernel/places.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import { decodeFrame, encodeFrame } from "#shared/protocol/frame.ts";
import type { HashHex, RunId } from "#shared/protocol/ids.ts";
import type { CoordinatorMessageOf } from "#shared/protocol/messages/coordinator.ts";
import { type InputHeaders, inputHeadersSchema } from "#shared/protocol/messages/device.ts";
import type { LogProofMessage } from "#shared/protocol/messages/log-proof.ts";
import type { Attempt } from "#shared/secagg/attempt.ts";
import type { AttemptMessage } from "#shared/secagg/client.ts";
import type { ClientStep } from "#shared/secagg/client-state.ts";
import { inputRoot } from "#shared/secagg/input.ts";
import type { PositionSet, SessionSets } from "#shared/secagg/position-sets.ts";
import type { Roster, RosterMember } from "#shared/secagg/roster.ts";
import type { Bundle, GivenShares } from "#shared/secagg/server.ts";
import { certificateItem } from "#shared/secagg/signed-items.ts";
import { fakePrimitives, fakeSigner } from "../fakes/fake-primitives.ts";
import { positionNo } from "../places.ts";
import { type Engine, PRODUCT } from "../secagg-engine.ts";
import { plainSum, randomWords, seededRandom, TEST_TRAINING, testConfig } from "../secagg-fixtures.ts";
import {
  type CohortDevice,
  type CohortOptions,
  type LastStep,
  lastSent,
  overTheWire,
  STEP_ORDER,
  type Unmask,
  wellFormed,
} from "./cohort-device.ts";

/*
 * A whole cohort in memory: n devices and a coordinator that run one attempt with real cryptography. Every message
 * passes through its frame and schema. Randomness is seeded, so runs are reproducible; nothing here is secret.
 */

export type CohortResult =
  | { readonly kind: "committed"; readonly sum: Uint32Array; readonly sets: SessionSets }
  | {
      readonly kind: "ended";
      readonly code: ErrorCode;
      readonly opened: boolean;
      readonly dealers: readonly number[];
    };

export class SecaggCohort {
  readonly engine: Engine;
  readonly primitives: Primitives;
  /** Seed of the devices' randomness. */
  readonly seed: string;
  readonly attempt: Attempt;
  readonly devices: readonly CohortDevice[];
  readonly lastSteps: ReadonlyMap<number, LastStep>;
  members: RosterMember[] = [];
  #roster: Roster | null = null;
  #u2: PositionSet | null = null;
  #sets: SessionSets | null = null;
  readonly bundles = new Map<Position, Bundle>();
  readonly inputs = new Map<Position, { readonly body: Bytes; readonly root: Bytes }>();
  readonly inputHeaders = new Map<Position, InputHeaders>();
  readonly confirmations = new Map<Position, Bytes>();
  readonly openings = new Map<Position, GivenShares>();
  /** What `open` shows of the public log. */
  openingProof: LogProofMessage | null = null;

  private constructor(
    engine: Engine,
    primitives: Primitives,
    seed: string,
    attempt: Attempt,
    devices: readonly CohortDevice[],
    lastSteps: ReadonlyMap<number, LastStep>,
  ) {
    this.engine = engine;
    this.primitives = primitives;
    this.seed = seed;
    this.attempt = attempt;
    this.devices = devices;
    this.lastSteps = lastSteps;
  }

  static async create(options: CohortOptions): Promise<SecaggCohort> {
    const { subtle } = globalThis.crypto;
    const { engine = PRODUCT, fake = false } = options;
    const primitives = options.primitives ?? (fake ? fakePrimitives() : await selectPrimitives(subtle));
    const signerOf = (seed: Bytes) => (fake ? fakeSigner(seed) : localSigner(seed, subtle));
    const { seed = "cohort", vectorLength = 64, lastSteps = new Map<number, LastStep>() } = options;
    const identities = seededRandom(`identity ${options.identitySeed ?? seed}`);
    const issuer = signerOf(identities(32));
    const issuerKey = bytesToHex(issuer.publicKey) as HashHex;
    const config = testConfig({ vectorLength, issuerKey, ...options.config });
    const attempt = await engine.attempt.openAttempt(primitives, {
      runId: "0192f0c0ffee7000800000000000beef",
      round: 1,
      attempt: 1,
      shard: 0,
      modelHash: "33".repeat(32),
      ...options.terms,
      config,
      roundParams: {
        purpose: "train",
        training: TEST_TRAINING,
        ...options.roundParams,
      },
    });
    const signers = [
      ...(options.signers ?? Array.from({ length: options.count }, () => signerOf(identities(32)))),
    ];
    // In roster order, so that a device's position is known before the roster.
    signers.sort((left, right) => compareBytes(left.publicKey, right.publicKey));
    const devices = await Promise.all(
      signers.map(async (signer, index): Promise<CohortDevice> => {
        const position = positionAtIndex(index);
        return {
          position,
          signer,
          certificate: await issuer.sign(certificateItem(config.projectId, signer.publicKey)),
          tools: { primitives, signer, random: seededRandom(`${seed} device ${position}`) },
          input: options.input?.(position) ?? randomWords(`${seed} input ${position}`, vectorLength),
          state: { phase: "idle", terms: attempt.terms },
          remembered: [],
          sent: [],
          body: null,
        };
      }),
    );
    return new SecaggCohort(engine, primitives, seed, attempt, devices, lastSteps);
  }

  get roster(): Roster {
    return present(this.#roster, "after advertising");
  }
  get u2(): PositionSet {
    return present(this.#u2, "after sharing");
  }
  get sets(): SessionSets {
    return present(this.#sets, "after collecting");
  }

  device(position: number): CohortDevice {
    return present(this.devices[position - 1], "a device of the cohort");
  }

  /** Devices that take part in `step`, ascending. */
  present(step: LastStep | "unmask"): readonly CohortDevice[] {
    const needed = step === "unmask" ? STEP_ORDER.length : STEP_ORDER.indexOf(step);
    return this.devices.filter(({ position }) => {
      const last = this.lastSteps.get(position);
      return last === undefined || STEP_ORDER.indexOf(last) >= needed;
    });
  }

  /** Delivers a message to a device and adopts the result. */
  async deliver(position: number, message: AttemptMessage): Promise<ClientStep> {
    const device = this.device(position);
    const { coordinatorMessageSchema } = this.engine.coordinatorMessages;
    const decoded = wellFormed(decodeFrame(encodeFrame(message), coordinatorMessageSchema));
    const tools = { ...device.tools, makeInput: async () => device.input.slice() };
    const step = await this.engine.client.onMessage(tools, device.state, decoded as AttemptMessage);
    this.#adopt(device, step);
    return step;
  }

  #adopt(device: CohortDevice, step: ClientStep): void {
    device.state = step.state;
    if (step.type === "refused") return;
    if (step.type === "aborted") {
      if (step.complaint !== null) device.sent.push(overTheWire(step.complaint));
      return;
    }
    if (step.remember !== null) device.remembered.push(step.remember);
    if (step.send?.kind === "message") device.sent.push(overTheWire(step.send.message));
    if (step.send?.kind === "input") {
      inputHeadersSchema.parse(step.send.headers);
      device.body = step.send.body;
    }
  }

  /** R0 of one device, as the coordinator receives it. */
  async advertise(device: CohortDevice): Promise<RosterMember> {
    assert(device.state.phase === "idle", "a device advertises first");
    this.#adopt(device, await this.engine.client.advertise(device.tools, device.state));
    const message = lastSent(device, "advertise");
    const { c, s, bCommit, signature } = message;
    return { identity: device.signer.publicKey, certificate: device.certificate, c, s, bCommit, signature };
  }

  async advertiseAll(): Promise<ErrorCode | null> {
    for (const device of this.present("advertise")) {
      const member = await this.advertise(device);
      const verdict = await this.engine.server.verifyAdvert(
        this.primitives,
        this.attempt,
        member,
        this.members,
      );
      if (!verdict.ok) return verdict.error;
      this.members.push(member);
    }
    return this.layOut();
  }

  /** The roster of `members`, whoever they are. */
  async layOut(): Promise<ErrorCode | null> {
    const roster = await this.engine.server.buildRoster(this.primitives, this.attempt, this.members);
    if (!roster.ok) return roster.error;
    this.#roster = roster.value;
    return null;
  }

  rosterMessage(): CoordinatorMessageOf<"roster"> {
    const { runId, round, attempt } = this.attempt.terms;
    const members = this.engine.server.rosterMembers(this.roster);
    return { type: "roster", runId: runId as RunId, round, attempt, members, deadlineInMs: 30_000 };
  }

  async shareAll(): Promise<ErrorCode | null> {
    for (const device of this.present("share")) {
      const code = await this.share(device);
      if (code !== null) return code;
    }
    return this.fixU2();
  }

  /** R1 of one device. */
  async share(device: CohortDevice): Promise<ErrorCode | null> {
    const step = await this.deliver(device.position, this.rosterMessage());
    if (step.type !== "go") return step.type === "aborted" ? step.state.code : step.code;
    const message = lastSent(device, "share");
    const bundle = await this.engine.server.verifyShareBundle(
      this.primitives,
      this.roster,
      device.position,
      message,
    );
    if (!bundle.ok) return bundle.error;
    this.bundles.set(device.position, bundle.value);
    return null;
  }

  /** U2 from the bundles that arrived. */
  async fixU2(): Promise<ErrorCode | null> {
    this.#u2 = await this.engine.positionSets.setOfPositions(
      this.primitives,
      this.roster,
      this.bundles.keys(),
    );
    return this.u2.positions.length < this.roster.thresholds.q ? "U2_BELOW_T" : null;
  }

  collectMessage(position: number): CoordinatorMessageOf<"collect"> {
    return this.collectOver(position, this.u2);
  }

  /** A collect message for any U2 whose bundles arrived. */
  collectOver(position: number, u2: PositionSet): CoordinatorMessageOf<"collect"> {
    const shares = this.engine.server.collectFor(this.roster, u2, this.bundles, positionNo(position));
    const slot = bytesToHex(seededRandom(`slot ${position}`)(22)).slice(0, 43);
    return { type: "collect", sid: this.roster.sidHex, u2: u2.bitmap, shares, slot, deadlineInMs: 30_000 };
  }

  async collectAll(): Promise<ErrorCode | null> {
    for (const device of this.present("input")) {
      const step = await this.deliver(device.position, this.collectMessage(device.position));
      if (step.type === "aborted" && step.complaint !== null) {
        const verdict = await this.engine.server.verifyComplaint(
          this.primitives,
          this.roster,
          device.position,
          step.complaint,
        );
        return verdict.ok ? "COMPLAINT" : verdict.error;
      }
      if (step.type !== "go") return step.type === "aborted" ? step.state.code : step.code;
      assert(step.send?.kind === "input", "an input");
      const { body, headers } = step.send;
      const root = await inputRoot(this.primitives, body);
      const signature = hexToBytes(headers.signature);
      const { log } = headers;
      const claim = { byteCount: body.length, root, signature, ...(log === undefined ? {} : { log }) };
      const verdict = await this.engine.server.verifyInput(
        this.primitives,
        this.roster,
        this.u2,
        device.position,
        claim,
      );
      if (!verdict.ok) return verdict.error;
      this.inputs.set(device.position, { body, root });
      this.inputHeaders.set(device.position, headers);
    }
    return this.fixU3();
  }

  /** U3 from the inputs that arrived. */
  async fixU3(): Promise<ErrorCode | null> {
    const u3 = await this.engine.positionSets.setOfPositions(
      this.primitives,
      this.roster,
      this.inputs.keys(),
    );
    this.#sets = { u2: this.u2, u3 };
    return u3.positions.length < this.roster.thresholds.q ? "U3_BELOW_T" : null;
  }

  setsMessage(): CoordinatorMessageOf<"sets"> {
    const { u2, u3 } = this.sets;
    return { type: "sets", sid: this.roster.sidHex, u2: u2.bitmap, u3: u3.bitmap, deadlineInMs: 30_000 };
  }

  async confirmAll(): Promise<ErrorCode | null> {
    for (const device of this.present("confirm")) {
      const step = await this.deliver(device.position, this.setsMessage());
      if (step.type !== "go") return step.type === "aborted" ? step.state.code : step.code;
      const message = lastSent(device, "confirm");
      const { position } = device;
      const verdict = await this.engine.server.verifyConfirmation(
        this.primitives,
        this.roster,
        this.sets,
        position,
        message,
      );
      if (!verdict.ok) return verdict.error;
      this.confirmations.set(position, message.signature);
    }
    return this.confirmations.size < this.roster.thresholds.t ? "NOT_ENOUGH_SIGS" : null;
  }

  openMessage(): CoordinatorMessageOf<"open"> {
    const confirmations = [...this.confirmations]
      .sort(([left], [right]) => left - right)
      .map(([signer, signature]) => ({ signer, signature }));
    const opening = { ...this.setsMessage(), type: "open", confirmations } as CoordinatorMessageOf<"open">;
    return this.openingProof === null ? opening : { ...opening, log: this.openingProof };
  }

  /** @param tamper  What a dishonest holder sends instead, already signed. */
  async openAll(
    tamper: (device: CohortDevice, message: Unmask) => Promise<Unmask> = async (_, message) => message,
  ): Promise<ErrorCode | null> {
    for (const device of this.present("unmask")) {
      const step = await this.deliver(device.position, this.openMessage());
      if (step.type !== "go") return step.type === "aborted" ? step.state.code : step.code;
      const message = await tamper(device, lastSent(device, "unmask"));
      const { position } = device;
      const opening = await this.engine.server.verifyUnmask(
        this.primitives,
        this.roster,
        this.sets,
        this.bundles,
        position,
        message,
      );
      if (opening.ok) this.openings.set(position, opening.value);
    }
    const counts = this.engine.opening.shareCounts(this.roster, this.sets, [...this.openings.values()]);
    return [...counts.values()].every((count) => count >= this.roster.thresholds.t) ? null : "BELOW_T";
  }

  /** The sum of the masked inputs without the masks, and the outcome for each device that is still there. */
  async finish(): Promise<CohortResult> {
    const masks = await this.engine.opening.reconstructMasks(this.primitives, this.roster, this.sets, [
      ...this.openings.values(),
    ]);
    if (!masks.ok) {
      const dealers = masks.error.code === "BELOW_T" ? [] : masks.error.dealers;
      return { kind: "ended", code: masks.error.code, opened: true, dealers };
    }
    const bodies = this.sets.u3.positions.map((position) => present(this.inputs.get(position), "an input"));
    const sum = plainSum(bodies.map(({ body }) => new Uint32Array(body.slice().buffer)));
    await addMasks(this.primitives, sum, masks.value);
    const tree = await this.engine.opening.inputsTree(
      this.primitives,
      bodies.map(({ root }) => root),
    );
    for (const { position } of this.present("unmask")) {
      const step = await this.deliver(
        position,
        this.engine.opening.committedOutcome(this.roster, this.sets, tree, position, "44".repeat(32)),
      );
      assert(step.type === "go" && step.state.phase === "done", "the outcome ends the attempt");
    }
    return { kind: "committed", sum, sets: this.sets };
  }

  /** Runs all steps. Ends with the first code that stops the attempt. */
  async run(): Promise<CohortResult> {
    for (const [name, opened] of RUN_STEPS) {
      const code = await this[name]();
      if (code !== null) return { kind: "ended", code, opened, dealers: [] };
    }
    return this.finish();
  }

  /** The expected sum: the plain inputs of `positions`, added by code other than the product's. */
  oracle(positions: readonly number[]): Uint32Array {
    return plainSum(positions.map((position) => this.device(position).input));
  }
}

const RUN_STEPS = [
  ["advertiseAll", false],
  ["shareAll", false],
  ["collectAll", false],
  ["confirmAll", false],
  ["openAll", true],
] as const;

/** Creates a cohort and runs it. */
export async function runCohort(
  options: CohortOptions,
): Promise<{ cohort: SecaggCohort; result: CohortResult }> {
  const cohort = await SecaggCohort.create(options);
  return { cohort, result: await cohort.run() };
}
