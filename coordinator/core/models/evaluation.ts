import { release } from "#shared/kernel/release.ts";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import type { RunState } from "#shared/round/run.ts";
import type { Evaluated } from "#shared/round/run-event.ts";
import { backoffMs } from "../ports/backoff.ts";
import { outageCode } from "../ports/outage.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import type { RunTerms } from "../tasks/terms.ts";
import { heldOutRows } from "./held-out-sets.ts";
import { evaluateCentrally, needBlob } from "./models.ts";

/** After this many failures for one model the evaluator is not asked again. Rule E3. */
const TRIES_MAX = 3;
const AGAIN_MS = 2_000;

type Model = RunState["unevaluated"][number];

interface EvaluationContext {
  readonly ports: CoordinatorPorts;
  readonly terms: RunTerms;
  readonly state: () => RunState;
  readonly answer: (event: Evaluated) => Promise<ErrorCode | null>;
  /** Called with an error while a disk or the model's file is unavailable; with null once it is back. */
  readonly onWait: (error: unknown) => void;
}

/** Evaluates a run's models one at a time, beside its rounds. */
export class Evaluation {
  readonly #context: EvaluationContext;
  #working = false;
  #closed = false;
  /**
   * Consecutive tries ended by an unavailable disk or file, which are no failures of the evaluator. Rule R43.
   */
  #outages = 0;
  #cancelAgain: () => void = () => {};

  constructor(context: EvaluationContext) {
    this.#context = context;
  }

  /** Starts on the next waiting model unless already at work. */
  wake(): void {
    if (this.#working || this.#closed) return;
    const [model] = this.#context.state().unevaluated;
    if (model === undefined) return;
    this.#working = true;
    void this.#evaluate(model, 1);
  }

  async #evaluate(model: Model, tries: number): Promise<void> {
    // The run may have been stopped while this try waited.
    if (!this.#isWanted(model)) return this.#goOn();
    const { ports, terms } = this.#context;
    const beganMs = ports.clock.nowMs();
    const seconds = () => (ports.clock.nowMs() - beganMs) / 1_000;
    try {
      const rows = await heldOutRows(ports.store, terms.task);
      if (rows === null) {
        const none = { measures: null, reportHash: null, code: "NO_HELD_OUT" } as const;
        return await this.#answer({ ...model, ...none, type: "evaluated" });
      }
      const bytes = await needBlob(ports, model.modelHash);
      const found = await evaluateCentrally(ports, terms, bytes, rows);
      release(bytes);
      ports.metrics.evaluated("evaluated", seconds());
      if (this.#outages > 0) this.#context.onWait(null);
      this.#outages = 0;
      await this.#answer({ ...model, ...found, type: "evaluated", code: null });
    } catch (error) {
      if (this.#closed) return;
      if (outageCode(error) !== null && this.#isWanted(model)) {
        this.#outages += 1;
        const waits = { round: model.round, error: String(error), waits: this.#outages };
        ports.log.warn(waits, "the evaluation of a model waits for a disk or a file");
        this.#context.onWait(error);
        const pauseMs = backoffMs(this.#outages, ports.random);
        this.#cancelAgain = ports.after(pauseMs, () => void this.#evaluate(model, tries));
        return;
      }
      const fields = { modelHash: model.modelHash, round: model.round, try: tries, error: String(error) };
      ports.log.error(fields, "a model could not be evaluated");
      if (tries < TRIES_MAX && this.#isWanted(model)) {
        this.#cancelAgain = ports.after(AGAIN_MS, () => void this.#evaluate(model, tries + 1));
        return;
      }
      ports.metrics.evaluated("failed", seconds());
      await this.#answer({
        ...model,
        type: "evaluated",
        measures: null,
        reportHash: null,
        code: "EVALUATION_FAILED",
      });
    }
  }

  /** False once a stop has dropped the waiting models. */
  #isWanted({ modelHash }: Model): boolean {
    return this.#context.state().unevaluated.some((model) => model.modelHash === modelHash);
  }

  async #answer(event: Evaluated): Promise<void> {
    // Refused if the run has been stopped in the meantime.
    if (!this.#closed) await this.#context.answer(event);
    this.#goOn();
  }

  #goOn(): void {
    this.#working = false;
    this.wake();
  }

  close(): void {
    this.#closed = true;
    this.#cancelAgain();
  }
}
