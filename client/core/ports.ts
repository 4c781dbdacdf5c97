import type { Bytes } from "#shared/kernel/bytes.ts";
import type { MonotonicClock, Primitives, RandomBytes, Signer, WallClock } from "#shared/kernel/ports.ts";
import type { Result } from "#shared/kernel/result.ts";
import type { Receipt, Status, TaskView } from "#shared/protocol/api.ts";
import type { WireError } from "#shared/protocol/errors.ts";
import type { CoordinatorMessage } from "#shared/protocol/messages/coordinator.ts";
import type { DeviceMessage, InputHeaders } from "#shared/protocol/messages/device.ts";
import type { Reply } from "#shared/protocol/messages/reply.ts";
import type { Remembrance } from "#shared/secagg/client-state.ts";
import type { Wanted } from "#shared/secagg/participation.ts";
import type { SeenLog } from "#shared/secagg/seen-log.ts";
import type { Dataset } from "#shared/task/dataset.ts";
import type { BackendName, TrainProgress } from "#shared/task/engine.ts";
import type { Task } from "#shared/task/task.ts";
import type { TrainingPlan } from "#shared/task/training-plan.ts";
import type { LocalMetrics } from "#shared/vector/segment.ts";
import type { Slices } from "./slices.ts";
import type { EngineLoss } from "./training-facts.ts";
import type { ContributionDetail, EngineView } from "./view.ts";

/* What the client core needs from a platform. Page and edge each implement it; test/kit has fakes. */

export type LinkState = "up" | "down" | "cut" | "silent" | "heard";

/** The socket and the HTTP routes, framed and parsed. The routes work without the socket. */
export interface Link {
  /** Opens the socket and reconnects with pauses until `disconnect`. Both may be called repeatedly. */
  connect(): void;
  disconnect(): void;
  /** Resolves with the acknowledgement, or `offline` if none came. Sending the same message again is harmless. */
  send(message: DeviceMessage): Promise<Result<Reply, { readonly type: "offline" }>>;
  onMessage(listener: (message: CoordinatorMessage) => void): () => void;
  /**
   * `up` after each (re)connect, `down` when the connection is lost, `cut` when the platform says that it has no network. `silent` if nothing arrives although pings should,
   * `heard` if something arrives after all: the connection stays until either side gives it up.
   */
  onState(listener: (state: LinkState) => void): () => void;
  /** The coordinator ended the connection and says why. The link does not reconnect by itself then. */
  onEnd(listener: (error: WireError) => void): () => void;
  /** HTTP requests about the task show this token from now on; null for none. */
  show(token: string | null): void;
  fetchStatus(): Promise<Result<Status, LinkError>>;
  /** The newest version if none is given. */
  fetchTask(
    slug: string,
    version?: number,
  ): Promise<
    Result<Pick<TaskView, "task" | "settings" | "archived" | "inUse" | "latestModelHash">, LinkError>
  >;
  /** JSON of an address below `/api/v1/` about the device's own task; the caller checks it. */
  fetchPart(path: string): Promise<Result<unknown, LinkError>>;
  /**
   * The bytes as received; the caller hashes them. If the coordinator has no room for the download, waits as long as it
   * says. `offline` if no byte comes for a while, or if `signal` aborts.
   */
  fetchModel(
    hash: string,
    onProgress?: (byteCount: number) => void,
    signal?: AbortSignal,
  ): Promise<Result<Bytes, LinkError>>;
  /** Resumes after a lost connection until `deadlineMs` (on the monotonic clock) or until `signal` aborts. */
  upload(
    path: string,
    headers: InputHeaders,
    body: Bytes,
    options: {
      readonly deadlineMs: number;
      readonly signal: AbortSignal;
      readonly onProgress?: (byteCount: number) => void;
    },
  ): Promise<Result<Receipt, LinkError>>;
  /** Bytes on the wire so far, for the traffic table. */
  traffic(): { readonly upByteCount: number; readonly downByteCount: number };
  close(): void;
}
export type LinkError =
  /** The reason is known only on Node, and only of requests for JSON. */
  | { readonly type: "offline"; readonly reason?: OfflineReason }
  | { readonly type: "refused"; readonly error: WireError };
/** What kept a request from its coordinator. */
export type OfflineReason =
  /** `names` are those that it is for, checked to be host names or addresses. */
  | {
      readonly type: "certificate";
      readonly fault: "authority" | "expired" | "not-yet-valid" | "name" | "other";
      readonly code: string;
      readonly names: readonly string[];
    }
  | { readonly type: "no-tls" }
  /** A proxy answered with this HTTP status. */
  | { readonly type: "proxy-refused"; readonly status: number }
  /** No connection to this host, which may be a proxy; null if unknown. */
  | {
      readonly type: "unreachable";
      readonly code: string;
      readonly host: string | null;
      readonly port: number | null;
    };

/** Training on the device, in its own worker or thread. */
export interface Trainer {
  /** The available engines, the one in use, and those that have stopped. */
  readonly engines: Slices<EngineView>;
  /**
   * Tries each backend for at most 2 s and keeps the fastest. Software adapters are skipped. `force` names a backend to
   * try first, even if it is a software adapter or had stopped; if it fails, the others are tried. Never rejects.
   */
  calibrate(task: Task, force?: BackendName): Promise<void>;
  /** Resolves when no calibration is running: with the engine that has trained a batch, or null if none can. */
  ready(): Promise<BackendName | null>;
  /** Never rejects. If an engine stops, the job ends and the others are calibrated at once. Rules T1, T3. */
  train(
    job: TrainJob,
    onProgress: (progress: TrainProgress) => void,
    signal: AbortSignal,
  ): Promise<Result<Trained, TrainError>>;
  /** Class probabilities for one row; null if no engine works. */
  predict(task: Task, weights: Float32Array, input: Float32Array): Promise<Float32Array | null>;
  /** Buffers of numbers that the engine keeps between jobs, for the leak check. */
  heldBufferCount(): Promise<number>;
  /** Resolves when the engine is gone. */
  dispose(): Promise<void>;
}
export interface TrainJob {
  readonly task: Task;
  readonly plan: TrainingPlan;
  /** Flat, in the order of `tensorShapes`. */
  readonly weights: Float32Array;
  readonly train: Dataset;
  /** The held-back rows. */
  readonly local: Dataset;
  /** Orders the batches; drawn anew for each round. */
  readonly shuffleSeed: number;
  /** When the round stops waiting, on the monotonic clock. A silent engine is given up well before. */
  readonly deadlineMs: number;
  /** The model's answers for the held-back rows are wanted too. */
  readonly wantsAnswers?: boolean;
}
export interface Trained {
  /** New weights minus the round's weights, same order. */
  readonly delta: Float32Array;
  readonly numExamples: number;
  readonly before: LocalMetrics;
  readonly after: LocalMetrics;
  /** Mean loss of each epoch, in nats. */
  readonly epochLosses: readonly number[];
  readonly seconds: number;
  /** Of the new weights for the held-back rows, [rows, answers of one row], if the job wants them. */
  readonly answers?: Float32Array;
}
export type TrainError =
  | { readonly type: "cancelled" }
  /** Nothing from the job is used. */
  | { readonly type: "engine-lost"; readonly loss: EngineLoss }
  | { readonly type: "no-engine" };

/**
 * What a device remembers (PROTOCOL.md section 6). Each write is a compare-and-swap, and is durable before the send
 * that it guards. Errors are codes of the protocol: REPLAY, ALREADY_REVEALED, EQUIVOCATION, BUDGET.
 */
export interface Memory {
  /** Checks against memory whether this device may take part; writes nothing. Before training and before each R0. */
  check(wanted: Wanted, modelHash: string): Promise<Result<void, "REPLAY" | "ALREADY_REVEALED">>;
  /** `mark[runId] = (round, attempt)`, strictly increasing. Before R0. */
  mark(runId: string, round: number, attempt: number): Promise<Result<void, "REPLAY">>;
  /** `used[modelHash] = runId`, and counts one participation in the task's budget, once a session. Before R2. */
  use(use: RemembranceOf<"use">): Promise<Result<void, "ALREADY_REVEALED" | "REPLAY" | "BUDGET">>;
  /** Gives a session's participation back, once; only if `provesLeftOut` (shared/secagg/left-out.ts). */
  refund(taskId: string, sid: string): Promise<void>;
  /** `ballot[sid] = setHash`: one signature per sid ever. Before R3. */
  vote(sid: string, setHash: string): Promise<Result<void, "EQUIVOCATION">>;
  /** `revealed[modelHash] = sid`. Before R4. */
  reveal(reveal: RemembranceOf<"reveal">): Promise<Result<void, "ALREADY_REVEALED">>;
  /** Participations in a task so far, as counted by `use`. */
  participations(taskId: string): Promise<number>;
}
type RemembranceOf<Kind extends Remembrance["kind"]> = Omit<
  Extract<Remembrance, { kind: Kind }>,
  "kind" | "log"
>;

/** What a device remembers of public logs, each by its first key. */
export interface LogMemory {
  /** Null before the first checkpoint. */
  seen(logKey: string): Promise<SeenLog | null>;
  /**
   * Durable once it resolves. @param before  What the proof was held against. @returns False, and nothing is changed, if this
   * device remembers another state by now.
   */
  see(logKey: string, before: SeenLog | null, after: SeenLog): Promise<boolean>;
  /** The file that says why this device sends nothing; null if it may. */
  evidence(logKey: string): Promise<string | null>;
  /** The first one stays. */
  keepEvidence(logKey: string, file: string): Promise<void>;
  /** A person has decided to go on: the log counts as it is shown next. */
  trustAnew(logKey: string): Promise<void>;
}

/** What left the device, kept on it for its owner to inspect. */
export interface Archive {
  /** Stores the contribution, or replaces the one with the same id. */
  save(contribution: KeptContribution): Promise<void>;
}
export interface KeptContribution {
  readonly detail: ContributionDetail;
  /** What was sent, byte for byte. */
  readonly sent: readonly NamedBytes[];
  /** This device's own list before masking, i32 little-endian. It stays on the device. */
  readonly own: Bytes | null;
  /** The clipped update before quantization, and the weight that counted. They stay on the device. */
  readonly clippedUpdate: Float32Array | null;
  readonly weight: number | null;
}
export interface NamedBytes {
  readonly name: string;
  readonly bytes: Bytes;
}

export interface ClientPorts {
  readonly link: Link;
  readonly trainer: Trainer;
  readonly memory: Memory;
  /** What it saw of public logs. */
  readonly logs: LogMemory;
  readonly archive: Archive;
  readonly signer: Signer;
  readonly primitives: Primitives;
  readonly random: RandomBytes;
  readonly clock: MonotonicClock;
  readonly wall: WallClock;
  /** Timers; a fake clock brings its own. Returns a function that cancels the timer. */
  readonly after: (delayMs: number, run: () => void) => () => void;
}
