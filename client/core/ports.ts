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
import type { BackendLoss, BackendName, BackendTiming, TrainProgress } from "#shared/task/engine.ts";
import type { Task, TrainingPlan } from "#shared/task/task.ts";
import type { Slices } from "./slices.ts";
import type { ContributionDetail, EngineView } from "./view.ts";

/*
 * What the client core needs from a platform. The page and the edge bring an implementation each; test/kit brings fakes.
 */

/** The socket and the HTTP routes, already framed and parsed. The routes work without the socket. */
export interface Link {
  /** Opens the socket and keeps it open, with pauses between tries; `disconnect` ends that. Both may be called again. */
  connect(): void;
  disconnect(): void;
  /** Resolves with the acknowledgement; `offline` where none came. Sending the same message again is harmless. */
  send(message: DeviceMessage): Promise<Result<Reply, { readonly type: "offline" }>>;
  onMessage(listener: (message: CoordinatorMessage) => void): () => void;
  /** `up` after each (re)connect, `down` when the connection is lost. */
  onState(listener: (state: "up" | "down") => void): () => void;
  /** The coordinator ended the connection and says why; the link does not come back by itself then. */
  onEnd(listener: (error: WireError) => void): () => void;
  fetchStatus(): Promise<Result<Status, LinkError>>;
  /** The newest version where none is given. */
  fetchTask(slug: string, version?: number): Promise<Result<TaskView, LinkError>>;
  /**
   * The bytes as they came; the caller hashes them. Waits if the coordinator has no room for the download and says how
   * long that takes. `offline` if no byte came for a while, or when `signal` ends it.
   */
  fetchModel(
    hash: string,
    onProgress?: (byteCount: number) => void,
    signal?: AbortSignal,
  ): Promise<Result<Bytes, LinkError>>;
  /** Resumes by itself after a lost connection until `deadlineMs` (on the monotonic clock), or until `signal` ends it. */
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
  | { readonly type: "offline" }
  | { readonly type: "refused"; readonly error: WireError };

/** Rows as the model takes them: `inputs` is [count, ...inputShape] flat, scaled to [0, 1]; labels are class indices. */
export interface Examples {
  readonly inputs: Float32Array;
  readonly labels: Int32Array;
  readonly count: number;
}

export interface LocalMetrics {
  readonly count: number;
  /** Sum of cross-entropies, in nats. */
  readonly lossSum: number;
  readonly correct: number;
}

/** What calibration found of a backend. */
export interface Calibration extends Omit<BackendTiming, "untimed"> {
  /**
   * It may well work, and a person may choose it, but it was not timed: it started too late, a processor plays its GPU,
   * or it has stopped since this page or process began.
   */
  readonly untimed?: "late" | "software" | "lost";
}

/**
 * Why an engine ended. The platform took its GPU away, or: ended, its worker is gone; silent, no number came out of it in
 * time; fault, it threw.
 */
export type LossCause = BackendLoss["cause"] | "ended" | "silent" | "fault";

export interface EngineLoss {
  readonly backend: BackendName;
  readonly cause: LossCause;
  /** What the platform said of it; may be empty. */
  readonly note: string;
  /** Unix milliseconds. */
  readonly at: number;
}

/** Training on the device, in a worker or thread of its own. */
export interface Trainer {
  /** Which engines there are, which one is in use, and which have stopped. */
  readonly engines: Slices<EngineView>;
  /**
   * Tries the backends for at most 2 s each and keeps the fastest; `force` names one, takes software adapters and those
   * that had stopped, and falls back to the others. Software adapters are skipped else. Never rejects.
   */
  calibrate(task: Task, force?: BackendName): Promise<void>;
  /** Resolves when no calibration is under way: the engine that has trained a batch since, or null where none can. */
  ready(): Promise<BackendName | null>;
  /** Never rejects. An engine that stops ends the job, and the others are calibrated at once. Rules T1, T3. */
  train(
    job: TrainJob,
    onProgress: (progress: TrainProgress) => void,
    signal: AbortSignal,
  ): Promise<Result<Trained, TrainError>>;
  /** Class probabilities for one row; null where no engine works. */
  predict(task: Task, weights: Float32Array, input: Float32Array): Promise<Float32Array | null>;
  /** Tensors that the engine keeps, for the leak check. */
  liveTensorCount(): Promise<number>;
  /** Resolves when its engine is gone. */
  dispose(): Promise<void>;
}
export interface TrainJob {
  readonly task: Task;
  readonly plan: TrainingPlan;
  /** Flat, in the order of `tensorShapes`. */
  readonly weights: Float32Array;
  readonly train: Examples;
  /** The kept-back rows. */
  readonly local: Examples;
  /** Orders the batches; drawn per round. */
  readonly shuffleSeed: number;
  /** On the monotonic clock: when the round stops waiting for it. An engine without a sign of life is given up well before. */
  readonly deadlineMs: number;
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
}
export type TrainError =
  | { readonly type: "cancelled" }
  /** Nothing of the job is used. */
  | { readonly type: "engine-lost"; readonly loss: EngineLoss }
  | { readonly type: "no-engine" };

/**
 * What a device remembers (PROTOCOL.md section 6), durable before the send that it guards. Each write is a compare-and-swap.
 * Errors are codes of the protocol: REPLAY, ALREADY_REVEALED, EQUIVOCATION, BUDGET.
 */
export interface Memory {
  /** Whether this device may take part, from what it remembers; writes nothing. Before the training and each R0. */
  check(wanted: Wanted, modelHash: string): Promise<Result<void, "REPLAY" | "ALREADY_REVEALED">>;
  /** `mark[runId] = (round, attempt)`, strictly rising. Before R0. */
  mark(runId: string, round: number, attempt: number): Promise<Result<void, "REPLAY">>;
  /** `used[modelHash] = runId` and one participation of the task's own budget, once a session. Before R2. */
  use(use: RemembranceOf<"use">): Promise<Result<void, "ALREADY_REVEALED" | "REPLAY" | "BUDGET">>;
  /** Gives a session's participation back, once; only where `provesLeftOut` (shared/secagg/participation.ts). */
  refund(taskId: string, sid: string): Promise<void>;
  /** `ballot[sid] = setHash`: one signature per sid ever. Before R3. */
  vote(sid: string, setHash: string): Promise<Result<void, "EQUIVOCATION">>;
  /** `revealed[modelHash] = sid`. Before R4. */
  reveal(reveal: RemembranceOf<"reveal">): Promise<Result<void, "ALREADY_REVEALED">>;
  /** Participations of a task so far; `use` counts them. */
  participations(taskId: string): Promise<number>;
}
type RemembranceOf<Kind extends Remembrance["kind"]> = Omit<Extract<Remembrance, { kind: Kind }>, "kind">;

/** What left, kept on this device so that its owner can look at it. */
export interface Archive {
  /** Stores, or replaces what has the same id. */
  save(contribution: Contribution): Promise<void>;
}
export interface Contribution {
  readonly detail: ContributionDetail;
  /** What was sent, byte for byte. */
  readonly sent: readonly NamedBytes[];
  /** This device's own list before masking, i32 little-endian. Stays here. */
  readonly own: Bytes | null;
  /** The clipped update that was quantized, and the weight that counted. Stay here. */
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
  readonly archive: Archive;
  readonly signer: Signer;
  readonly primitives: Primitives;
  readonly random: RandomBytes;
  readonly clock: MonotonicClock;
  readonly wall: WallClock;
  /** Timers; a fake clock brings its own. Returns what cancels it. */
  readonly after: (delayMs: number, run: () => void) => () => void;
}
