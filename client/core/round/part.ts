import { present, unreachable } from "#shared/kernel/assert.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import { type ErrorCode, finalError, type WireError, wireError } from "#shared/protocol/errors.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import type { CoordinatorMessage, CoordinatorMessageOf } from "#shared/protocol/messages/coordinator.ts";
import type { AttemptTerms } from "#shared/secagg/attempt.ts";
import { type AttemptMessage, advertise, isAttemptMessage, onMessage } from "#shared/secagg/client.ts";
import { abort, type ClientState, type ClientStep, type Idle } from "#shared/secagg/client-state.ts";
import type { Trained } from "../ports.ts";
import type { OutcomeView } from "../view.ts";
import type { RoundContext } from "./context.ts";
import { ContributionDraft } from "./contribution.ts";
import { Delivery, type Sent } from "./delivery.ts";
import { encodeUpdate } from "./encode-update.ts";
import { prepareRound } from "./prepare.ts";
import { RoundProgress } from "./progress.ts";
import { remember } from "./remember.ts";

/*
 * One device's part in one round, all attempts of it: model, training, then the steps of the engine. What the engine wants
 * remembered is durable before what it wants sent is sent; a connection that comes back gets the same bytes again.
 */

/** How long a device waits beyond the coordinator's deadline before it gives up. PROTOCOL.md section 9. */
const PATIENCE_MS = 30_000;
/** Unlike the coordinator's disk, nobody makes room on this one unless its owner is told. */
const NOT_STORED = finalError(
  "STORAGE_FULL",
  "This device could not store what it has to remember of the round, so nothing more was sent. Make room and start again.",
);

export interface RoundEnd {
  readonly outcome: OutcomeView;
  /** Whether this device may take part in another round; never: only after someone changed something. */
  readonly retry: WireError["retry"];
}
type Ending = Exclude<OutcomeView["kind"], "committed">;
const UNHEARD =
  "This device was away when the round ended. Its masked list had been sent; whether it is in the sum was not heard here.";

export class RoundPart {
  readonly invite: CoordinatorMessageOf<"invite">;
  readonly #context: RoundContext;
  readonly #abort = new AbortController();
  readonly #ended: Promise<RoundEnd>;
  #resolveEnded: (end: RoundEnd) => void = () => {};
  readonly #progress: RoundProgress;
  #state: ClientState = { phase: "aborted", code: "STATE" };
  /** Of the current attempt; a new attempt starts from them. */
  #terms: AttemptTerms | null = null;
  #trained: Trained | null = null;
  #draft: ContributionDraft | null = null;
  /** Engine steps run one behind the other. */
  #queue: Promise<void> = Promise.resolve();
  #cancelTimer: () => void = () => {};
  readonly #delivery: Delivery;

  constructor(context: RoundContext, invite: CoordinatorMessageOf<"invite">) {
    this.#context = context;
    this.invite = invite;
    this.#ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    this.#progress = new RoundProgress(invite, context.ports, context.onView);
    this.#delivery = new Delivery({
      ports: context.ports,
      online: context.online,
      progress: this.#progress,
      signal: this.#abort.signal,
      deadlineMs: () => context.ports.clock.nowMs() + this.#msLeft() + PATIENCE_MS,
      onSent: (result) => this.#onSent(result),
      onFault: (fault) => this.#fail(fault),
    });
  }

  get over(): boolean {
    return this.#abort.signal.aborted;
  }

  /** Resolves at the end of this device's part, however it ends. */
  run(): Promise<RoundEnd> {
    this.#progress.enter("downloading");
    this.#wait(this.invite.deadlineInMs);
    prepareRound(this.#context, this.invite, this.#progress, this.#abort.signal).then(
      (prepared) => {
        if (!prepared.ok) return this.#refuse(prepared.error);
        this.#trained = prepared.value.trained;
        this.#enqueue(() => this.#startAttempt(prepared.value.idle));
      },
      (fault) => this.#fail(fault),
    );
    return this.#ended;
  }

  /** @returns whether the message belongs to this round. */
  receive(message: CoordinatorMessage): boolean {
    const { runId, round } = this.invite;
    if (message.type === "invite") return message.runId === runId && message.round === round && !this.over;
    if (message.type === "abandoned") {
      if (message.runId !== runId || message.round !== round) return false;
      this.#enqueue(() => this.#onAbandoned(message));
      return true;
    }
    if (message.type === "run-ended") {
      if (message.runId !== runId) return false;
      this.endWhenHeard("given-up", "STATE");
      return true;
    }
    if (!isAttemptMessage(message) || !this.#isOfSession(message)) return false;
    this.#enqueue(() => this.#onAttemptMessage(message));
    return true;
  }

  /** From outside: the person paused or left. */
  end(kind: Ending, code: ErrorCode): void {
    if (!this.over) this.#finish(kind, code);
  }

  /** Nothing more comes, but what came before, the outcome above all, may still be in the queue. */
  endWhenHeard(kind: Ending, code: ErrorCode): void {
    this.#enqueue(async () => this.end(kind, code));
  }

  #isOfSession(message: AttemptMessage): boolean {
    if (message.type === "roster")
      return message.runId === this.invite.runId && message.round === this.invite.round;
    return "roster" in this.#state && message.sid === this.#state.roster.sidHex;
  }

  async #startAttempt(idle: Idle): Promise<void> {
    const { ports } = this.#context;
    const { runId, round, attempt } = idle.terms;
    if (this.#trained === null || this.over) return;
    // Asked again for each attempt: after its shares are out a retry would be a second sum for the same model (S10).
    const { modelHash, config } = idle.terms;
    const allowed = await ports.memory.check({ ...idle.terms, noised: config.dp !== null }, modelHash);
    if (!allowed.ok) {
      this.#refuse(wireError(allowed.error));
      return;
    }
    this.#draft = new ContributionDraft({ runId, round, attempt }, this.#trained, ports.wall.nowUnixMs());
    this.#state = idle;
    this.#terms = idle.terms;
    await this.#apply(await advertise(ports, idle));
  }

  async #onAttemptMessage(message: AttemptMessage): Promise<void> {
    if (this.over) return;
    const step = await onMessage(this.#context.ports, this.#state, message, () => this.#makeInput());
    if (step.type === "refused") return;
    if ("deadlineInMs" in message) this.#wait(message.deadlineInMs);
    await this.#apply(step);
  }

  async #makeInput(): Promise<Uint32Array<ArrayBuffer>> {
    this.#progress.enter("masking");
    const { ports, task } = this.#context;
    const encoded = await encodeUpdate(
      ports,
      task,
      this.invite,
      present(this.#trained, "an attempt starts after the training"),
    );
    this.#draft?.encodes(encoded);
    return encoded.words;
  }

  /** What the engine decided: first remembered, then adopted, then sent. */
  async #apply(step: ClientStep): Promise<void> {
    switch (step.type) {
      case "refused":
        return;
      case "aborted":
        this.#state = step.state;
        if (step.complaint !== null) {
          // The coordinator parts the two devices and starts over; the update can be used again.
          this.#delivery.send(this.#draft, { kind: "message", message: step.complaint });
          return;
        }
        if (step.state.code === "ME_DROPPED") this.#finish("dropped", step.state.code);
        else this.#refuse(wireError(step.state.code));
        return;
      case "go": {
        if (step.remember !== null) {
          const written = await remember(this.#context.ports, step.remember);
          if (!written.ok) {
            this.#state = abort(step.state, written.error);
            this.#refuse(written.error === "STORAGE_FULL" ? NOT_STORED : wireError(written.error));
            return;
          }
          this.#context.onRemembered(step.remember.kind);
        }
        if (this.over) {
          abort(step.state, "STATE");
          return;
        }
        this.#adopt(step.state);
        if (step.send !== null) this.#delivery.send(this.#draft, step.send);
        return;
      }
      default:
        unreachable(step);
    }
  }

  #adopt(state: ClientState): void {
    this.#state = state;
    this.#progress.showState(state);
    if ("roster" in state) this.#draft?.joins(state.roster.sidHex);
    if (state.phase === "done") this.#finishWithResult(state.result);
  }

  #onSent(result: Sent): void {
    switch (result.type) {
      case "acknowledged":
        if (result.step !== null) this.#progress.enter(result.step);
        return;
      case "received":
        this.#draft?.received(result.receipt);
        if (this.#progress.view.step === "uploading") this.#progress.enter("uploaded");
        this.#publishContribution(null);
        return;
      case "refused":
        this.#finish("dropped", result.error.code, result.error.message);
        return;
      case "late":
        this.#finish("dropped", "TIMEOUT");
        return;
      case "contradicted":
        this.#refuse(wireError("EQUIVOCATION"));
        return;
      default:
        unreachable(result);
    }
  }

  async #onAbandoned(message: CoordinatorMessageOf<"abandoned">): Promise<void> {
    if (this.over || message.attempt !== this.#progress.view.attempt) return;
    const terms = this.#terms;
    if (!message.retry || terms === null || message.attempt >= LIMITS.attemptsMax) {
      this.#finish("given-up", message.code);
      return;
    }
    // The same update under fresh keys; what this attempt sent means nothing without the masks that die here.
    this.#publishContribution(this.#outcome("given-up", message.code));
    this.#state = abort(this.#state, message.code);
    // An answer that is still to come is to a message of this attempt: it must not end the part.
    this.#delivery.cancel();
    const attempt = message.attempt + 1;
    this.#progress.nextAttempt(attempt);
    this.#wait(this.#context.task.aggregation.deadlines.sharingMs);
    await this.#startAttempt({ phase: "idle", terms: { ...terms, attempt } });
  }

  #finishWithResult(result: CoordinatorMessageOf<"outcome">["result"]): void {
    if (result.kind === "voided") {
      this.#finish("voided", result.code);
      return;
    }
    const at = this.#context.ports.wall.nowUnixMs();
    // The engine refuses an outcome whose proof does not hold this device's own list.
    const { survivorCount, modelHash, leafIndex } = result;
    const proof = { inputsRoot: bytesToHex(result.inputsRoot), leafIndex, path: result.path.map(bytesToHex) };
    this.#close({ kind: "committed", survivorCount, modelHash, included: true, proof, at });
  }

  #finish(kind: Ending, code: ErrorCode, sentence?: string): void {
    if (!this.over) this.#close(this.#outcome(kind, code, sentence));
  }

  /** This device does not go on with the round. */
  #refuse({ code, message, retry }: WireError): void {
    if (!this.over) this.#close(this.#outcome("refused-by-device", code, message), retry);
  }

  #outcome(kind: Ending, code: ErrorCode, sentence?: string): OutcomeView {
    const sent = this.#draft?.listLeft ?? false;
    // A device that left after its list was in may still be one of the survivors.
    const usual = kind === "dropped" && sent ? UNHEARD : wireError(code).message;
    return {
      kind,
      code,
      sent,
      sentence: sentence ?? usual,
      at: this.#context.ports.wall.nowUnixMs(),
    };
  }

  #close(outcome: OutcomeView, retry: WireError["retry"] = "later"): void {
    this.#state = this.#state.phase === "done" ? this.#state : abort(this.#state, "STATE");
    this.#cancelTimer();
    this.#progress.close(outcome);
    this.#abort.abort();
    this.#publishContribution(outcome);
    this.#resolveEnded({ outcome, retry });
  }

  /** A fault of this program: nothing more is sent in this round. */
  #fail(fault: unknown): void {
    const reason = fault instanceof Error ? fault.message : String(fault);
    this.#refuse(wireError("INTERNAL", `This device failed at it: ${reason}`));
  }

  #publishContribution(outcome: OutcomeView | null): void {
    const draft = this.#draft;
    if (draft === null || !draft.anythingLeft) return;
    const { stepsAt, rosterSize } = this.#progress.view;
    const detail = draft.detail({ stepsAt, rosterSize, outcome });
    this.#context.onContribution(detail);
    // What cannot be kept was still sent; the page goes on showing it from memory.
    this.#context.ports.archive.save(draft.contribution(detail)).catch(() => {});
  }

  #enqueue(work: () => Promise<void>): void {
    this.#queue = this.#queue.then(work).catch((fault) => this.#fail(fault));
  }

  /** Ends the part when the coordinator does not go on in time. */
  #wait(deadlineInMs: number): void {
    this.#cancelTimer();
    const { after, wall } = this.#context.ports;
    this.#cancelTimer = after(deadlineInMs + PATIENCE_MS, () => this.#finish("dropped", "TIMEOUT"));
    this.#progress.show({ deadlineAt: wall.nowUnixMs() + deadlineInMs });
  }

  #msLeft(): number {
    return Math.max(0, (this.#progress.view.deadlineAt ?? 0) - this.#context.ports.wall.nowUnixMs());
  }
}
