import type { Coordinator } from "#coordinator/core/coordinator.ts";
import type { Spool } from "#coordinator/core/ports/ports.ts";
import { modelFromBytes } from "#shared/codec/model-bytes.ts";
import { rotationKey } from "#shared/codec/rotation.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import { type Bytes, bytesToHex } from "#shared/kernel/bytes.ts";
import type { Primitives, RandomBytes, Signer } from "#shared/kernel/ports.ts";
import type { Receipt } from "#shared/protocol/api.ts";
import { decodeFrame, encodeFrame } from "#shared/protocol/frame.ts";
import {
  type CoordinatorMessage,
  type CoordinatorMessageOf,
  coordinatorMessageSchema,
} from "#shared/protocol/messages/coordinator.ts";
import {
  type DeviceMessage,
  deviceMessageSchema,
  type InputHeaders,
} from "#shared/protocol/messages/device.ts";
import type { Reply } from "#shared/protocol/messages/reply.ts";
import { acceptInvitation, advertise, isAttemptMessage, onMessage } from "#shared/secagg/client.ts";
import { abort, type ClientState, type ClientStep, type Remembrance } from "#shared/secagg/client-state.ts";
import type { AgreedConfig } from "#shared/task/config.ts";
import { modelTensors } from "#shared/task/model.ts";
import type { Task } from "#shared/task/task.ts";
import { layoutOf } from "#shared/vector/task-layout.ts";
import { encodeVector } from "#test/kit/vectors.ts";
import { positionNo } from "../places.ts";

/** The step that a device fails to send; after that it is gone. */
export type Step = "advertise" | "share" | "input" | "confirm" | "unmask";

/** The coordinator as seen by a device; replaced at each start. */
export interface Nearby {
  readonly coordinator: Coordinator;
  readonly spool: Spool;
  readonly blobs: { get(hash: string): Promise<Bytes | null> };
}

export interface DeviceTools {
  readonly primitives: Primitives;
  readonly random: RandomBytes;
  readonly signer: Signer;
  readonly after: (delayMs: number, run: () => void) => () => void;
  /** Null while there is no coordinator. */
  readonly nearby: () => Nearby | null;
  /** Registers work in progress. */
  readonly working: (work: Promise<unknown>) => void;
}

/** One device's part of a sum, before masking; the oracle adds these. */
export interface PlainPart {
  readonly clippedUpdate: Float32Array;
  /** The whole vector. */
  readonly words: Uint32Array;
  readonly weight: number;
  readonly modelHash: string;
}

const AGAIN_MS = 1_000;
/** Refusals after which the same message may be accepted a moment later. */
const PASSING = new Set(["UNAVAILABLE", "STORAGE_FULL", "INTERNAL", "NOT_AUTHENTICATED"]);

/** A masked input with the headers that it is sent with. */
export interface MaskedInput {
  readonly sid: string;
  readonly position: number;
  readonly headers: InputHeaders;
  readonly body: Bytes;
}

/**
 * A device in memory with the real protocol engine. It "trains" by drawing an update, and takes part in every round
 * that it is invited to. Its messages pass through their frames and schemas.
 */
export class MemoryDevice {
  readonly identity: string;
  readonly parts: PlainPart[] = [];
  readonly receipts: Receipt[] = [];
  readonly remembered: Remembrance[] = [];
  readonly outcomes: CoordinatorMessageOf<"outcome">["result"][] = [];
  readonly abandoned: CoordinatorMessageOf<"abandoned">[] = [];
  readonly ended: CoordinatorMessageOf<"run-ended">[] = [];
  readonly refusals: string[] = [];
  readonly heard: CoordinatorMessage["type"][] = [];
  /** The step that it fails to send in each round. */
  goneBefore: Step | null = null;
  /** Changes a message before it is sent, like a dishonest device. */
  tamper: (message: DeviceMessage) => DeviceMessage | Promise<DeviceMessage> = (message) => message;
  /** Changes its input before masking, like a dishonest device. */
  spoil: (words: Uint32Array<ArrayBuffer>) => void = () => {};
  /** Gets its masked input, which is then not sent. */
  keepsInput: ((input: MaskedInput) => void) | null = null;
  /** Messages at which its connection breaks for a second, once each: the device never sees them. */
  readonly losesAt = new Set<CoordinatorMessage["type"]>();
  online = false;
  readonly tools: DeviceTools;
  readonly #task: Task;
  readonly #config: AgreedConfig;
  #state: ClientState = { phase: "aborted", code: "STATE" };
  #update: Float32Array | null = null;
  #queue: Promise<void> = Promise.resolve();
  #connection = 0;

  constructor(tools: DeviceTools, task: Task, config: AgreedConfig) {
    this.tools = tools;
    this.#task = task;
    this.#config = config;
    this.identity = bytesToHex(tools.signer.publicKey);
  }

  get phase(): ClientState["phase"] {
    return this.#state.phase;
  }

  /** Logs in (in the product access.ts answers) and checks in. */
  connect(): void {
    const nearby = this.tools.nearby();
    if (nearby === null || this.online) return;
    this.online = true;
    this.#connection += 1;
    nearby.coordinator.devices.deviceUp(this.identity, this.#task.slug);
    this.#work(this.#send({ type: "check-in", taskVersion: this.#task.version }));
  }

  /** Drops the connection. @param tell  False if the coordinator itself is gone. */
  disconnect(tell = true): void {
    if (!this.online) return;
    this.online = false;
    this.#connection += 1;
    if (tell) this.tools.nearby()?.coordinator.devices.deviceDown(this.identity);
  }

  /** Loses everything in memory, like a page that is reloaded. */
  reload(): void {
    this.#state = abort(this.#state, "STATE");
  }

  leave(): void {
    this.#work(this.#send({ type: "leave" }));
  }

  receive(sent: CoordinatorMessage): void {
    if (!this.online) return;
    if (this.losesAt.delete(sent.type)) {
      this.disconnect();
      this.tools.after(AGAIN_MS, () => this.connect());
      return;
    }
    const decoded = decodeFrame(encodeFrame(sent), coordinatorMessageSchema);
    assert(decoded.ok, `a well-formed message: ${sent.type} ${JSON.stringify(decoded)}`);
    const message = decoded.value;
    this.heard.push(message.type);
    this.#queue = this.#queue.then(() => this.#handle(message));
    this.tools.working(this.#queue);
  }

  async #handle(message: CoordinatorMessage): Promise<void> {
    switch (message.type) {
      case "invite":
        return this.#takePart(message);
      case "abandoned":
        return this.#onAbandoned(message);
      case "run-ended":
        this.ended.push(message);
        return;
      default: {
        assert(isAttemptMessage(message), message.type);
        const step = await onMessage(
          { ...this.tools, makeInput: () => this.#makeInput() },
          this.#state,
          message,
        );
        await this.#apply(step);
        if (message.type === "outcome" && step.type === "go") {
          this.outcomes.push(message.result);
          await this.#send({ type: "check-in", taskVersion: this.#task.version });
        }
        if (step.type === "refused" && message.type !== "outcome") await this.#send({ type: "leave" });
      }
    }
  }

  async #takePart(invite: CoordinatorMessageOf<"invite">): Promise<void> {
    const terms =
      "terms" in this.#state
        ? this.#state.terms
        : "attempt" in this.#state
          ? this.#state.attempt.terms
          : null;
    if (terms?.runId === invite.runId && terms.round === invite.round) return;
    const bytes = present(await this.tools.nearby()?.blobs.get(invite.modelHash), "the model can be fetched");
    const tensors = modelTensors(this.#task.model);
    assert(modelFromBytes(tensors, bytes).ok, "the model is one of the task");
    const draws = new DataView(this.tools.random(4 * tensors.parameterCount).buffer);
    this.#update = Float32Array.from(
      { length: tensors.parameterCount },
      (_, index) => (draws.getUint32(4 * index) / 2 ** 32 - 0.5) / 10,
    );
    const modelHash = bytesToHex(await this.tools.primitives.sha256(bytes));
    const idle = await acceptInvitation(
      this.tools.primitives,
      invite,
      this.#config,
      modelHash,
      this.tools.signer.publicKey,
    );
    assert(idle.ok, "the coordinator keeps to what was agreed");
    await this.#apply(await advertise(this.tools, idle.value));
  }

  async #onAbandoned(message: CoordinatorMessageOf<"abandoned">): Promise<void> {
    this.abandoned.push(message);
    const { attempt } = this.#attempt() ?? {};
    if (attempt?.terms.attempt !== message.attempt || attempt.terms.round !== message.round) return;
    const { terms } = attempt;
    abort(this.#state, message.code);
    if (!message.retry) {
      this.#state = { phase: "aborted", code: message.code };
      await this.#send({ type: "check-in", taskVersion: this.#task.version });
      return;
    }
    await this.#apply(
      await advertise(this.tools, { phase: "idle", terms: { ...terms, attempt: message.attempt + 1 } }),
    );
  }

  #lastAttempt: { readonly attempt: { readonly terms: Parameters<typeof advertise>[1]["terms"] } } | null =
    null;
  #attempt() {
    return this.#lastAttempt;
  }

  async #makeInput(): Promise<Uint32Array<ArrayBuffer>> {
    const count = 10 + (this.tools.random(1)[0] as number);
    const metrics = { count: 5, lossSum: 3, correct: 2 };
    const contribution = {
      update: present(this.#update, "it has trained"),
      numExamples: count,
      metricsBefore: metrics,
      metricsAfter: { ...metrics, correct: 4 },
    };
    const { modelHash, runId, round } = present(this.#lastAttempt, "an attempt").attempt.terms;
    const rounding = this.tools.random(32);
    const encoded = await encodeVector(
      this.tools.primitives,
      layoutOf(this.#task, "train", null),
      contribution,
      rounding,
      await rotationKey(this.tools.primitives, runId, round),
    );
    assert(encoded.ok, "a finite update");
    const { clippedUpdate, weight, words } = encoded.value;
    this.parts.push({ clippedUpdate, weight, words: words.slice(), modelHash });
    this.spoil(words);
    return words;
  }

  async #apply(step: ClientStep): Promise<void> {
    if (step.type === "refused") return;
    this.#state = step.state;
    if (step.type === "aborted") {
      if (step.complaint !== null) await this.#send(step.complaint);
      return;
    }
    const { state } = step;
    if (state.phase === "advertised") this.#lastAttempt = { attempt: state.attempt };
    if (step.remember !== null) this.remembered.push(step.remember);
    if (step.send === null) return;
    if (step.send.kind === "message") await this.#send(step.send.message);
    else await this.#upload(step.send.sid, step.send.position, step.send.headers, step.send.body);
  }

  /** Sends until it is answered. A lost connection ends the try; the coordinator asks again after the next login. */
  async #send(plain: DeviceMessage): Promise<void> {
    if (this.#drops(plain.type)) return;
    const decoded = decodeFrame(encodeFrame(await this.tamper(plain)), deviceMessageSchema);
    assert(decoded.ok, `a well-formed message: ${plain.type}`);
    const message = decoded.value;
    assert(message.type !== "hello" && message.type !== "authenticate", "after the login");
    const connection = this.#connection;
    const nearby = this.tools.nearby();
    if (nearby === null || !this.online) return this.#again(() => this.#send(plain), plain.type);
    const reply: Reply = await nearby.coordinator.devices.onDeviceMessage(this.identity, message);
    if (connection !== this.#connection) return this.#again(() => this.#send(plain), plain.type);
    if (reply.type !== "refused") return;
    if (PASSING.has(reply.error.code)) return this.#again(() => this.#send(plain), plain.type);
    this.refusals.push(`${message.type}: ${reply.error.code}`);
  }

  async #upload(sid: string, position: number, headers: InputHeaders, body: Bytes): Promise<void> {
    if (this.#drops("input")) return;
    if (this.keepsInput !== null) return this.keepsInput({ sid, position, headers, body });
    const again = () => this.#again(() => this.#upload(sid, position, headers, body), "input");
    const nearby = this.tools.nearby();
    if (nearby === null) return again();
    try {
      const ticket = await nearby.coordinator.uploads.beginUpload(sid, positionNo(position), headers);
      if (!ticket.ok) {
        if (PASSING.has(ticket.error.code)) return again();
        this.refusals.push(`input: ${ticket.error.code}`);
        return;
      }
      if (ticket.value.receipt === null) {
        const received = await nearby.spool.receive({ ...ticket.value, offset: 0 }, chunks(body));
        assert(received.ok, "the spool takes what was announced");
        const receipt = await nearby.coordinator.uploads.finishUpload(ticket.value);
        if (!receipt.ok) {
          if (PASSING.has(receipt.error.code)) return again();
          this.refusals.push(`input: ${receipt.error.code}`);
          return;
        }
        this.receipts.push(receipt.value);
      } else this.receipts.push(ticket.value.receipt);
    } catch {
      // The process that served this request is gone.
      return again();
    }
  }

  #again(run: () => Promise<void>, type: string): void {
    // An attempt's messages are useless once it is over.
    const { phase } = this.#state;
    if (type === "check-in" || type === "leave") return;
    this.tools.after(AGAIN_MS, () => {
      if (this.#state.phase === phase) this.#work(run());
    });
  }

  #drops(type: DeviceMessage["type"] | "input"): boolean {
    if (this.goneBefore !== type) return false;
    this.disconnect();
    return true;
  }

  #work(work: Promise<unknown>): void {
    this.tools.working(work);
  }
}

async function* chunks(body: Bytes): AsyncIterable<Uint8Array> {
  const half = body.length >> 1;
  yield body.subarray(0, half);
  yield body.subarray(half);
}
