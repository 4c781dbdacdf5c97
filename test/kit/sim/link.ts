import type { Link, LinkError } from "#client/core/ports.ts";
import { assert } from "#shared/kernel/assert.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import type { Receipt } from "#shared/protocol/api.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";
import { decodeFrame, encodeFrame } from "#shared/protocol/frame.ts";
import { type CoordinatorMessage, coordinatorMessageSchema } from "#shared/protocol/messages/coordinator.ts";
import type { DeviceMessage, InputHeaders } from "#shared/protocol/messages/device.ts";
import type { Reply } from "#shared/protocol/messages/reply.ts";
import { positionNo } from "../places.ts";
import type { Host } from "./host.ts";
import type { Connection, Network } from "./network.ts";
import type { World } from "./world.ts";

const ACK_MS = 10_000;
const CONNECT_AGAIN_MS = 2_000;
const UPLOAD_AGAIN_MS = 500;
const NEVER = new Promise<never>(() => {});

/** One life of a device: a page from its load to its end. */
export interface DeviceLife {
  alive: boolean;
}

export interface LinkTools {
  readonly world: World;
  readonly network: Network;
  readonly host: Host;
  readonly life: DeviceLife;
  readonly device: number;
  /** What a dishonest device sends instead of a message. */
  readonly tamper: (message: DeviceMessage) => DeviceMessage;
  /** Called before a message leaves; the device may die then. */
  readonly onSend: (message: DeviceMessage) => void;
  readonly onUpload: (sid: string, position: number, headers: InputHeaders) => void;
  readonly onReceipt: (receipt: Receipt) => void;
}

/** The client core's link over the simulated network. A dead device's link never answers. */
export class SimLink implements Link {
  readonly #tools: LinkTools;
  #wanted = false;
  #connection: Connection | null = null;
  #cancelTry: () => void = () => {};
  readonly #waiting = new Set<() => void>();
  readonly #messages = new Set<(message: CoordinatorMessage) => void>();
  readonly #states = new Set<(state: "up" | "down") => void>();
  readonly #ends = new Set<(error: WireError) => void>();

  constructor(tools: LinkTools) {
    this.#tools = tools;
  }

  get connection(): Connection | null {
    return this.#connection;
  }

  connect(): void {
    if (this.#wanted || !this.#tools.life.alive) return;
    this.#wanted = true;
    this.#tryAfter(10);
  }

  /** Its HTTP asks nobody who it is. */
  show(): void {}

  disconnect(): void {
    this.#wanted = false;
    this.#cancelTry();
    const connection = this.#connection;
    if (connection === null) return;
    this.#connection = null;
    connection.deviceEnd = false;
    this.#tools.network.cut(connection, { device: true, host: false });
    this.#answerOffline();
  }

  #tryAfter(delayMs: number): void {
    const { clock, dice } = this.#tools.world;
    this.#cancelTry();
    this.#cancelTry = clock.after(dice.between(delayMs, 2 * delayMs), () => this.#open());
  }

  #open(): void {
    const { life, host, network, device, world } = this.#tools;
    if (!this.#wanted || !life.alive || this.#connection !== null) return;
    if (!host.running || !network.reaches(device)) {
      this.#tryAfter(CONNECT_AGAIN_MS);
      return;
    }
    const connection = host.openConnection(device, () => this.#lost(connection));
    this.#connection = connection;
    world.trace(`d${device}`, "is connected");
    for (const listener of this.#states) listener("up");
  }

  #lost(connection: Connection): void {
    if (this.#connection !== connection || !this.#tools.life.alive) return;
    this.#connection = null;
    this.#tools.world.trace(`d${this.#tools.device}`, "has lost its connection");
    this.#answerOffline();
    for (const listener of this.#states) listener("down");
    if (this.#wanted) this.#tryAfter(CONNECT_AGAIN_MS);
  }

  #answerOffline(): void {
    for (const end of this.#waiting) end();
    this.#waiting.clear();
  }

  receive(connection: Connection, frame: Bytes): void {
    const { life, world, device } = this.#tools;
    if (!life.alive || this.#connection !== connection) return;
    const decoded = decodeFrame(frame, coordinatorMessageSchema);
    assert(decoded.ok, `the coordinator sends well-formed messages: ${JSON.stringify(decoded)}`);
    world.trace(`d${device}`, `hears ${decoded.value.type}`);
    for (const listener of this.#messages) listener(decoded.value);
  }

  /** The coordinator ended the connection. */
  ended(connection: Connection, code: "ALREADY_CONNECTED"): void {
    if (!this.#tools.life.alive || this.#connection !== connection) return;
    for (const listener of this.#ends) listener(wireError(code));
  }

  send(message: DeviceMessage): Promise<Result<Reply, { readonly type: "offline" }>> {
    const { life, world, network, host, device, onSend } = this.#tools;
    if (!life.alive) return NEVER;
    const connection = this.#connection;
    if (connection === null) return Promise.resolve(err({ type: "offline" }));
    const frame = encodeFrame(this.#tools.tamper(message));
    world.trace(`d${device}`, `sends ${message.type}`);
    // The message is on its way even if the device dies.
    return new Promise((resolve) => {
      let answered = false;
      const answer = (result: Result<Reply, { readonly type: "offline" }>) => {
        if (answered) return;
        answered = true;
        this.#waiting.delete(offline);
        cancel();
        if (life.alive) resolve(result);
      };
      const offline = () => answer(err({ type: "offline" }));
      const cancel = world.clock.after(ACK_MS, offline);
      this.#waiting.add(offline);
      network.carry(connection, "up", message.type, () => {
        const reply = (answerOf: Reply) => {
          const what = answerOf.type === "refused" ? answerOf.error.code : answerOf.type;
          world.trace("host", `answers ${message.type} of d${device}: ${what}`);
          network.carry(connection, "down", what, () => answer(ok(answerOf)));
        };
        void host.receive(connection, frame, reply);
      });
      onSend(message);
    });
  }

  onMessage(listener: (message: CoordinatorMessage) => void): () => void {
    return listen(this.#messages, listener);
  }
  onState(listener: (state: "up" | "down") => void): () => void {
    return listen(this.#states, listener);
  }
  onEnd(listener: (error: WireError) => void): () => void {
    return listen(this.#ends, listener);
  }
  async fetchStatus() {
    return err({ type: "offline" } as const);
  }
  async fetchPart() {
    return err({ type: "offline" } as const);
  }

  async fetchTask() {
    return err({ type: "offline" } as const);
  }

  async fetchModel(hash: string): Promise<Result<Bytes, LinkError>> {
    const { host, network, device } = this.#tools;
    await this.#pass(network.latencyMs());
    if (!host.running || !network.reaches(device)) return err({ type: "offline" });
    const bytes = host.disk.blobs.get(hash);
    return bytes === undefined ? err({ type: "refused", error: wireError("NOT_FOUND") }) : ok(bytes.slice());
  }

  /** Like `putResumable`, in one part. */
  async upload(
    path: string,
    headers: InputHeaders,
    body: Bytes,
    { deadlineMs, signal }: { readonly deadlineMs: number; readonly signal: AbortSignal },
  ): Promise<Result<Receipt, LinkError>> {
    const [sid = "", position = ""] = path.split("/").slice(4);
    const bytes = body.slice();
    this.#tools.onUpload(sid, Number(position), headers);
    while (!signal.aborted && this.#tools.world.clock.nowMs() < deadlineMs) {
      const put = await this.#put(sid, Number(position), headers, bytes);
      if (put.ok) {
        this.#tools.onReceipt(put.value);
        return put;
      }
      if (put.error.type === "refused" && !PASSING.has(put.error.error.code)) return put;
      await this.#pass(UPLOAD_AGAIN_MS);
    }
    return err({ type: "offline" });
  }

  async #put(
    sid: string,
    position: number,
    headers: InputHeaders,
    body: Bytes,
  ): Promise<Result<Receipt, LinkError>> {
    const { host, network, world, device } = this.#tools;
    const { loss } = world.plan.network;
    const breaks = () => !network.reaches(device) || (!world.healed && world.dice.chance(loss));
    world.trace(`d${device}`, "puts its input");
    await this.#pass(network.latencyMs());
    const { life } = host;
    if (life === null || breaks()) return err({ type: "offline" });
    if (world.dice.chance(world.plan.network.duplication)) {
      // A proxy in between retries by itself.
      world.clock.after(network.latencyMs(), () => {
        if (host.life === life) void this.#serve(sid, position, headers, body);
      });
    }
    const answer = await Promise.race([this.#serve(sid, position, headers, body), life.gone]);
    await this.#pass(network.latencyMs());
    if (answer === null || breaks()) return err({ type: "offline" });
    world.trace("host", `answers the input of d${device}: ${answer.ok ? "a receipt" : answer.error.code}`);
    return answer.ok ? answer : err({ type: "refused", error: answer.error });
  }

  /** The coordinator's route. */
  async #serve(
    sid: string,
    position: number,
    headers: InputHeaders,
    body: Bytes,
  ): Promise<Result<Receipt, WireError>> {
    const { coordinator, spool } = this.#tools.host;
    try {
      const ticket = await coordinator.uploads.beginUpload(sid, positionNo(position), headers);
      if (!ticket.ok) return ticket;
      if (ticket.value.receipt !== null) return ok(ticket.value.receipt);
      const received = await spool.receive({ ...ticket.value, offset: 0 }, whole(body));
      assert(received.ok, "the spool takes what was announced");
      return await coordinator.uploads.finishUpload(ticket.value);
    } catch {
      return err(wireError("INTERNAL"));
    }
  }

  #pass(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#tools.world.clock.after(delayMs, () => (this.#tools.life.alive ? resolve() : undefined));
    });
  }

  traffic() {
    return { upByteCount: 0, downByteCount: 0 };
  }

  close(): void {
    this.disconnect();
    for (const listeners of [this.#messages, this.#states, this.#ends]) listeners.clear();
  }
}

/** Refusals that another try may overcome. */
const PASSING: ReadonlySet<string> = new Set(["UNAVAILABLE", "INTERNAL", "RATE_LIMITED"]);

function listen<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

async function* whole(body: Bytes): AsyncIterable<Uint8Array> {
  yield body;
}
