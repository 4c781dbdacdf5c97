import { type WireError, wireError } from "#shared/protocol/errors.ts";
import type { CoordinatorMessage, CoordinatorMessageOf } from "#shared/protocol/messages/coordinator.ts";
import type { SeenLog } from "#shared/secagg/seen-log.ts";
import type { Authority } from "#shared/task/agreed-config.ts";
import { type AgreedConfig, agreedLog } from "#shared/task/config.ts";
import type { Task } from "#shared/task/task.ts";
import type { LocalData } from "../local-data.ts";
import type { ModelCache } from "../model-cache.ts";
import type { ClientPorts, LinkState } from "../ports.ts";
import { type RoundEnd, RoundPart } from "../round/part.ts";
import type { Slices } from "../slices.ts";
import type { ContributionSummary, Refusal } from "../view.ts";
import { logIn } from "./login.ts";
import { type EnrolmentView, ShownEnrolment } from "./shown.ts";

export { createLogMemory } from "../log-memory.ts";
export type { EnrolmentView } from "./shown.ts";

/*
 * One device's life in one task: connect, log in, check in, take part in a round, check in again. A lost connection or
 * a hidden tab interrupts only the connection; the part in the round lives on in memory and may resume.
 */

/** Pause between check-ins while no round takes this device. */
const CHECK_IN_AGAIN_MS = 2_000;
const LOG_IN_AGAIN_MS = 2_000;
/** An invitation may have been made before the newest statement, over an earlier connection too. */
const STATED_MAX = 16;

export interface EnrolmentOptions {
  readonly task: Task;
  readonly authority: Authority;
  /** What every round of this task must state; derived by this device. */
  readonly expectedConfig: AgreedConfig;
  readonly models: ModelCache;
  /** Read anew for each round, so that rows added in between count. */
  readonly data: () => Promise<LocalData>;
  readonly roundsMax: number;
  readonly joinToken?: string;
  /** Of this program, for a site's row; a browser names none. */
  readonly version?: string;
  /** Kept from earlier visits, newest first. */
  readonly earlier?: readonly ContributionSummary[];
}

export interface Enrolment {
  readonly view: Slices<EnrolmentView>;
  /** Takes part until `pause`, or until a refusal is final. */
  start(): void;
  /** Leaves the round and disconnects. */
  pause(): Promise<void>;
  /** A person has looked at what contradicted the public log and goes on: it counts as it is shown next. */
  trustAnew(): Promise<void>;
  /** Something outside of a round has contradicted the public log: takes part in nothing more. Rule A43. */
  contradict(file: string): void;
  /** A hidden tab goes offline; nothing is sent until it is visible again. */
  setHidden(hidden: boolean): void;
  close(): Promise<void>;
}

export function createEnrolment(ports: ClientPorts, options: EnrolmentOptions): Enrolment {
  return new DeviceEnrolment(ports, options);
}

class DeviceEnrolment implements Enrolment {
  readonly #shown: ShownEnrolment;
  readonly #ports: ClientPorts;
  readonly #options: EnrolmentOptions;
  readonly #unsubscribe: (() => void)[];
  #wanted = false;
  #hidden = false;
  #loggedIn = false;
  /** True while no engine is known to work. Rule T2. */
  #mending = false;
  /** Counts connections, so that a login from an earlier connection changes nothing. */
  #connection = 0;
  #part: RoundPart | null = null;
  /** What it has stated of the public log, newest last. */
  #stated: readonly (SeenLog | null)[] = [];
  #cancelAgain: () => void = () => {};
  #waitingForLogin = new Set<() => void>();

  constructor(ports: ClientPorts, options: EnrolmentOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#shown = new ShownEnrolment(ports, options);
    this.#unsubscribe = [
      ports.link.onMessage((message) => this.#onMessage(message)),
      ports.link.onState((state) => this.#onLink(state)),
      ports.link.onEnd((error) => this.#stop(error, "coordinator")),
      ports.trainer.engines.subscribe(({ losses }) => losses !== undefined && this.#onEngineLoss()),
    ];
    void this.#shown.budget();
  }

  get view(): Slices<EnrolmentView> {
    return this.#shown.view;
  }

  start(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    this.view.patch({ refusal: null });
    void this.#start();
  }

  /** Sends nothing to a coordinator whose log contradicted itself, until a person has decided. Rule A43. */
  async #start(): Promise<void> {
    const { expectedConfig } = this.#options;
    const hasLog = agreedLog(expectedConfig) !== null;
    const file = hasLog ? await this.#ports.logs.evidence(expectedConfig.logKey) : null;
    this.view.patch({ contradiction: file });
    if (file === null) this.#connect();
    else this.#stop(wireError("LOG_CONTRADICTED"), "device");
  }

  async trustAnew(): Promise<void> {
    await this.#ports.logs.trustAnew(this.#options.expectedConfig.logKey);
    this.#stated = [];
    this.view.patch({ contradiction: null, refusal: null });
  }

  contradict(file: string): void {
    this.view.patch({ contradiction: file });
    this.#stop(wireError("LOG_CONTRADICTED"), "device");
  }

  /** To be stated: proofs begin there. Undefined without a log. */
  async #logSize(): Promise<number | undefined> {
    const { expectedConfig } = this.#options;
    if (agreedLog(expectedConfig) === null) return undefined;
    const seen = await this.#ports.logs.seen(expectedConfig.logKey);
    this.#stated = [...this.#stated.slice(1 - STATED_MAX), seen];
    return seen?.size ?? 0;
  }

  async pause(): Promise<void> {
    if (!this.#wanted) return;
    this.#wanted = false;
    this.#cancelAgain();
    this.#part?.end("dropped", "STATE");
    if (this.#loggedIn) await this.#ports.link.send({ type: "leave" });
    this.#disconnect();
    this.view.patch({ activity: "idle" });
  }

  setHidden(hidden: boolean): void {
    if (this.#hidden === hidden) return;
    this.#hidden = hidden;
    if (!this.#wanted) return;
    if (hidden) this.#disconnect();
    else this.#connect();
  }

  async close(): Promise<void> {
    await this.pause();
    for (const end of this.#unsubscribe) end();
    this.#ports.link.close();
  }

  #connect(): void {
    if (!this.#wanted || this.#hidden) return;
    this.#shown.connection("connecting");
    if (this.#part === null) this.view.patch({ activity: "connecting" });
    this.#ports.link.connect();
  }

  #disconnect(): void {
    this.#ports.link.disconnect();
    this.#onDown();
  }

  #onLink(state: LinkState): void {
    if (state === "up") this.#onUp();
    else if (state === "down") this.#onDown();
    else if (state === "silent" || state === "cut") this.#shown.connection(state);
    else this.#shown.connection(this.#loggedIn ? "online" : "connecting");
  }

  #onUp(): void {
    this.#connection += 1;
    void this.#logIn(this.#connection);
  }

  #onDown(): void {
    this.#connection += 1;
    this.#loggedIn = false;
    this.#cancelAgain();
    this.#shown.connection(this.#wanted && !this.#hidden ? "connecting" : "offline");
    if (this.#wanted && this.#part === null) this.view.patch({ activity: "connecting" });
  }

  async #logIn(connection: number): Promise<void> {
    const { task, authority, joinToken, version } = this.#options;
    const logSize = await this.#logSize();
    if (connection !== this.#connection || !this.#wanted) return;
    const welcome = await logIn(this.#ports, task.slug, authority, { joinToken, version, logSize });
    if (connection !== this.#connection || !this.#wanted) return;
    if (!welcome.ok) {
      if (welcome.error.type === "refused" && welcome.error.error.retry === "never") {
        this.#stop(
          welcome.error.error,
          welcome.error.error.code === "BAD_CERTIFICATE" ? "device" : "coordinator",
        );
        return;
      }
      if (welcome.error.type === "refused") this.#shown.refusal(welcome.error.error, "coordinator");
      // A connection logs in only once. If the welcome got lost, the coordinator may still have accepted the login, and
      // would refuse every further one on this connection. Only a new connection helps. Rule S15.
      this.#disconnect();
      this.#again(LOG_IN_AGAIN_MS, () => this.#connect());
      return;
    }
    this.#loggedIn = true;
    this.#shown.connection("online");
    for (const resume of this.#waitingForLogin) resume();
    this.#waitingForLogin.clear();
    // Check in even if a part is alive: if its round is long over, only a check-in continues; if not, it changes
    // nothing.
    await this.#checkIn(connection);
  }

  async #checkIn(connection: number): Promise<void> {
    if (connection !== this.#connection || !this.#wanted || !this.#loggedIn) return;
    if (this.#part === null) this.view.patch({ activity: this.#mending ? "mending" : "waiting" });
    if (this.#mending) return;
    if (this.#part === null && this.#ports.trainer.engines.get().backend === null) {
      this.#stop(wireError("NO_ENGINE"), "device");
      return;
    }
    const logSize = await this.#logSize();
    if (connection !== this.#connection || !this.#wanted) return;
    const taskVersion = this.#options.task.version;
    const reply = await this.#ports.link.send({ type: "check-in", taskVersion, logSize });
    if (connection !== this.#connection || !this.#wanted || !reply.ok) return;
    if (reply.value.type !== "refused") return;
    const { error } = reply.value;
    if (this.#part !== null) return;
    if (error.retry === "never") {
      this.#stop(error, "coordinator");
      return;
    }
    this.#again(CHECK_IN_AGAIN_MS, () => void this.#checkIn(connection));
  }

  #onMessage(message: CoordinatorMessage): void {
    this.#shown.traffic();
    if (!this.#wanted) return;
    if (this.#part?.receive(message)) return;
    switch (message.type) {
      case "invite":
        this.#takePart(message);
        return;
      case "roster":
      case "collect":
      case "sets":
      case "open":
        // From a round whose secrets are gone, for example after a reload. Leave, so that the others need not wait for
        // this device.
        void this.#leaveUnknown(this.#connection);
        return;
      case "outcome":
      case "abandoned":
      case "run-ended":
        if (this.#part === null) void this.#checkIn(this.#connection);
        return;
    }
  }

  /**
   * `leave` also tells the coordinator to stop waiting for this device, so check in again: the message may have been a
   * late one of a round that is over.
   */
  async #leaveUnknown(connection: number): Promise<void> {
    await this.#ports.link.send({ type: "leave" });
    if (this.#part === null) await this.#checkIn(connection);
  }

  #takePart(invite: CoordinatorMessageOf<"invite">): void {
    if (this.#mending && this.#part === null) {
      // The invitation was on its way when the engine stopped.
      void this.#leaveUnknown(this.#connection);
      return;
    }
    // The invitation is to a later round: nothing more will be heard of the previous one.
    this.#part?.endWhenHeard("dropped", "TIMEOUT");
    this.#cancelAgain();
    this.view.patch({ activity: "in-round", refusal: null });
    void this.#playPart(invite);
  }

  async #playPart(invite: CoordinatorMessageOf<"invite">): Promise<void> {
    const { data, task, expectedConfig, roundsMax, models } = this.#options;
    const part = new RoundPart(
      {
        ports: this.#ports,
        task,
        expectedConfig,
        stated: this.#stated,
        roundsMax,
        models,
        data,
        online: (signal) => this.#online(signal),
        onView: (round) => {
          if (this.#part === part || this.#part === null) this.view.patch({ round });
        },
        onContradiction: (file) => this.view.patch({ contradiction: file }),
        onContribution: (detail) => this.#shown.contribution(detail),
        onRemembered: (kind) => {
          if (kind === "use") void this.#shown.budget();
        },
      },
      invite,
    );
    this.#part = part;
    const end = await part.run();
    if (this.#part === part) this.#part = null;
    this.#afterPart(end, invite);
  }

  #afterPart({ outcome: end, retry }: RoundEnd, invite: CoordinatorMessageOf<"invite">): void {
    this.#shown.traffic();
    if (end.kind === "committed") void this.#shown.model(end.modelHash, invite);
    if (end.kind === "refused-by-device") {
      const error = { code: end.code, message: end.sentence, retry };
      if (retry === "never") {
        this.#stop(error, "device");
        return;
      }
      // Not shown: the engines' state explains it better, and this device refused nothing.
      if (end.code !== "ENGINE_LOST") this.#shown.refusal(error, "device");
      // A broken engine may be what produced the non-finite numbers.
      if (end.code === "NON_FINITE_UPDATE")
        void this.#mend(() => this.#ports.trainer.calibrate(this.#options.task));
    }
    if (this.#part !== null || !this.#wanted) return;
    this.view.patch({ activity: this.#mending ? "mending" : "waiting" });
    // Send `leave` even before the login is answered. A device that reconnects is told of its round in that answer and
    // may refuse at once; without this, the round would wait for it until the deadline.
    if (end.kind === "refused-by-device") void this.#ports.link.send({ type: "leave", code: end.code });
    void this.#checkIn(this.#connection);
  }

  #onEngineLoss(): void {
    // An engine that is not in use may stop too.
    if (this.#ports.trainer.engines.get().backend === null) void this.#mend();
  }

  /**
   * Takes this device out of the lobby until an engine has proved that it can train, because every round would wait for
   * it otherwise. A part that has finished training continues meanwhile. Rule T2.
   *
   * @param begin  Makes the trainer look for an engine, if it has not started to by itself.
   */
  async #mend(begin: () => Promise<void> = async () => {}): Promise<void> {
    if (this.#mending) return;
    this.#mending = true;
    this.#cancelAgain();
    if (this.#wanted && this.#part === null) {
      this.view.patch({ activity: "mending" });
      if (this.#loggedIn) void this.#ports.link.send({ type: "leave" });
    }
    await begin();
    await this.#ports.trainer.ready();
    this.#mending = false;
    if (this.#part === null) await this.#checkIn(this.#connection);
  }

  /** Stops for a reason that no later round can fix; only the person can continue from here. */
  #stop(error: WireError, by: Refusal["by"]): void {
    this.#wanted = false;
    this.#cancelAgain();
    this.#part?.end(by === "device" ? "refused-by-device" : "dropped", error.code);
    // If the connection just closed, the coordinator would wait for a while.
    if (by === "device" && this.#loggedIn) void this.#ports.link.send({ type: "leave", code: error.code });
    this.#disconnect();
    this.#shown.refusal(error, by);
    this.view.patch({ activity: "idle" });
  }

  #online(signal: AbortSignal): Promise<void> {
    if (this.#loggedIn || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waitingForLogin.add(resolve);
      signal.addEventListener(
        "abort",
        () => {
          this.#waitingForLogin.delete(resolve);
          resolve();
        },
        { once: true },
      );
    });
  }

  #again(delayMs: number, run: () => void): void {
    this.#cancelAgain();
    this.#cancelAgain = this.#ports.after(delayMs, run);
  }
}
