import { present, unreachable } from "#shared/kernel/assert.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import { SerialQueue } from "#shared/kernel/serial-queue.ts";
import { type ErrorCode, finalError, type WireError, wireError } from "#shared/protocol/errors.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import type { CoordinatorMessage, CoordinatorMessageOf } from "#shared/protocol/messages/coordinator.ts";
import type { AttemptTerms } from "#shared/secagg/attempt.ts";
import { type AttemptMessage, advertise, isAttemptMessage, onMessage } from "#shared/secagg/client.ts";
import { abort, type ClientState, type ClientStep, type Idle } from "#shared/secagg/client-state.ts";
import type { Trained } from "../ports.ts";
import type { OutcomeView } from "../view.ts";
import type { PartContext } from "./context.ts";
import { ContributionDraft } from "./contribution.ts";
import { Delivery, type Sent } from "./delivery.ts";
import { LOG_MOVED, refuseLog } from "./demand-log.ts";
import { encodeUpdate } from "./encode-update.ts";
import { prepareRound } from "./prepare.ts";
import { RoundProgress } from "./progress.ts";
import { remember } from "./remember.ts";
import { sentWords, type WhatLeft } from "./sent-words.ts";

/*
 * One device's part in one round, through all its attempts: model, training, then the steps of the protocol. What the
 * engine wants remembered is durable before anything is sent. After a reconnect the same bytes are sent again.
 */

/** How long a device waits after the coordinator's deadline before it gives up. PROTOCOL.md section 9. */
const PATIENCE_MS = 30_000;
/** Nobody frees space on a device's disk unless its owner is told. */
const NOT_STORED = finalError(
  "STORAGE_FULL",
  "This device could not store what it must remember about the round, so nothing more was sent. Free some space and start again.",
);

export interface RoundEnd {
  readonly outcome: OutcomeView;
  /** When this device may take part in another round; "never": not until someone has changed something. */
  readonly retry: WireError["retry"];
}
type Ending = Exclude<OutcomeView["kind"], "committed">;
/** A part that ends from outside, without a message about it. */
const STOPPED: Readonly<Partial<Record<Ending, string>>> = {
  dropped: "This device left the round.",
  "given-up": "The run ended.",
};
const UNHEARD =
  "This device was away when the round ended. Its masked list had been sent, but this device did not learn whether it is in the sum.";

function notRemembered(code: ErrorCode | "LOG_MOVED"): WireError {
  if (code === "LOG_MOVED") return LOG_MOVED;
  return code === "STORAGE_FULL" ? NOT_STORED : wireError(code);
}

export class RoundPart {
  readonly invite: CoordinatorMessageOf<"invite">;
  readonly #context: PartContext;
  readonly #abort = new AbortController();
  readonly #ended: Promise<RoundEnd>;
  #resolveEnded: (end: RoundEnd) => void = () => {};
  readonly #progress: RoundProgress;
  #state: ClientState = { phase: "aborted", code: "STATE" };
  /** Terms of the current attempt; the next attempt is derived from them. */
  #terms: AttemptTerms | null = null;
  #trained: Trained | null = null;
  #draft: ContributionDraft | null = null;
  /** In earlier attempts. */
  #leftBefore: WhatLeft = { anythingLeft: false, listLeft: false };
  /** Runs engine steps one after the other. */
  readonly #queue = new SerialQueue();
  #cancelTimer: () => void = () => {};
  readonly #delivery: Delivery;

  constructor(context: PartContext, invite: CoordinatorMessageOf<"invite">) {
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

  /** Ends the part from outside: the person paused or left. */
  end(kind: Ending, code: ErrorCode): void {
    const sentence = code === "STATE" ? STOPPED[kind] : undefined;
    if (!this.over) this.#finish(kind, code, sentence);
  }

  /** Ends the part after the queued messages: no more will come, but the outcome may still be in the queue. */
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
    // Checked again for each attempt: once its shares are out, a retry would be a second sum for the same model (S10).
    const { modelHash, config } = idle.terms;
    const allowed = await ports.memory.check({ ...idle.terms, noised: config.dp !== null }, modelHash);
    if (!allowed.ok) {
      this.#refuse(wireError(allowed.error));
      return;
    }
    this.#leftBefore = this.#left;
    this.#draft = new ContributionDraft({ runId, round, attempt }, this.#trained, ports.wall.nowUnixMs());
    this.#state = idle;
    this.#terms = idle.terms;
    await this.#apply(await advertise(ports, idle));
  }

  async #onAttemptMessage(message: AttemptMessage): Promise<void> {
    if (this.over) return;
    const tools = { ...this.#context.ports, makeInput: () => this.#makeInput() };
    const step = await onMessage(tools, this.#state, message);
    if (step.type === "refused") return;
    if ("deadlineInMs" in message) this.#wait(message.deadlineInMs);
    if (step.type === "aborted" && step.logFault !== null && message.type === "open") {
      this.#state = step.state;
      const seen = this.#terms?.log ?? null;
      this.#refuse(await refuseLog(this.#context, step.logFault, message.log, seen));
      return;
    }
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

  /** Applies what the engine decided: first remember, then adopt, then send. */
  async #apply(step: ClientStep): Promise<void> {
    switch (step.type) {
      case "refused":
        return;
      case "aborted":
        this.#state = step.state;
        if (step.complaint !== null) {
          // The coordinator separates the two devices and starts over; the update can be reused.
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
            const refusal = notRemembered(written.error);
            this.#state = abort(step.state, refusal.code);
            this.#refuse(refusal);
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
    // Reuse the update under fresh keys. What this attempt sent is useless without its masks, which are dropped here.
    this.#publishContribution(this.#outcome("given-up", message.code));
    this.#state = abort(this.#state, message.code);
    // A late answer belongs to the old attempt and must not end the part.
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
    // The engine has checked the proof: it refuses an outcome that does not contain this device's own list.
    const { survivorCount, modelHash, leafIndex } = result;
    const proof = { inputsRoot: bytesToHex(result.inputsRoot), leafIndex, path: result.path.map(bytesToHex) };
    this.#close({ kind: "committed", survivorCount, modelHash, included: true, proof, at });
  }

  #finish(kind: Ending, code: ErrorCode, sentence?: string): void {
    if (!this.over) this.#close(this.#outcome(kind, code, sentence));
  }

  /** This device stops taking part in the round. */
  #refuse({ code, message, retry }: WireError): void {
    if (!this.over) this.#close(this.#outcome("refused-by-device", code, message), retry);
  }

  #outcome(kind: Ending, code: ErrorCode, sentence?: string): OutcomeView {
    const { listLeft: sent } = this.#left;
    // A device that left after its upload may still be a survivor.
    const isUnheard = kind === "dropped" && sent && (sentence === undefined || sentence === STOPPED.dropped);
    return {
      kind,
      code,
      sent,
      sentence: isUnheard ? UNHEARD : `${sentence ?? wireError(code).message} ${sentWords(this.#left)}`,
      at: this.#context.ports.wall.nowUnixMs(),
    };
  }

  /** What has left in this round, earlier attempts included. */
  get #left(): WhatLeft {
    const { anythingLeft = false, listLeft = false } = this.#draft ?? {};
    const { anythingLeft: anythingBefore, listLeft: listBefore } = this.#leftBefore;
    return { anythingLeft: anythingLeft || anythingBefore, listLeft: listLeft || listBefore };
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
    this.#refuse(wireError("INTERNAL", `This device failed in the round: ${reason}`));
  }

  #publishContribution(outcome: OutcomeView | null): void {
    const draft = this.#draft;
    if (draft === null || !draft.anythingLeft) return;
    const { stepsAt, rosterSize } = this.#progress.view;
    const detail = draft.detail({ stepsAt, rosterSize, outcome });
    this.#context.onContribution(detail);
    // If it cannot be stored, it was still sent; the page shows it from memory.
    this.#context.ports.archive.save(draft.contribution(detail)).catch(() => {});
  }

  #enqueue(work: () => Promise<void>): void {
    void this.#queue.run(() => work().catch((fault) => this.#fail(fault)));
  }

  /** Ends the part if the coordinator does not continue in time. */
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
