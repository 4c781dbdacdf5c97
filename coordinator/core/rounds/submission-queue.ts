import { present } from "#shared/kernel/assert.ts";
import { SerialQueue } from "#shared/kernel/serial-queue.ts";
import type { Submission, Submitted } from "./submission.ts";

/** Most submissions in one transaction, so that one batch of a large round does not block the event loop. */
const BATCH_MAX = 64;

interface Waiting {
  readonly submission: Submission;
  readonly resolve: (submitted: Submitted) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Submissions in order. Those that come while others are being written wait and are then taken together.
 */
export class SubmissionQueue {
  readonly #take: (batch: readonly Submission[]) => Promise<readonly Submitted[]>;
  readonly #turns = new SerialQueue();
  #waiting: Waiting[] = [];

  /** @param take  Answers a batch, one answer for each submission. */
  constructor(take: (batch: readonly Submission[]) => Promise<readonly Submitted[]>) {
    this.#take = take;
  }

  submit(submission: Submission): Promise<Submitted> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ submission, resolve, reject });
      // A turn for each, so there are enough for all batches; one that finds nothing left ends at once.
      void this.#turns.run(() => this.#takeBatch());
    });
  }

  /** Resolves when everything submitted so far is answered. */
  settled(): Promise<void> {
    return this.#turns.settled();
  }

  async #takeBatch(): Promise<void> {
    const batch = this.#waiting.splice(0, BATCH_MAX);
    if (batch.length === 0) return;
    // A fault leaves the whole batch unwritten. Taken alone, only the submission that causes it fails.
    await this.#answer(batch).catch(async (error) => {
      if (batch.length === 1) return batch[0]?.reject(error);
      for (const one of batch) await this.#answer([one]).catch(one.reject);
    });
  }

  async #answer(batch: readonly Waiting[]): Promise<void> {
    const answers = await this.#take(batch.map(({ submission }) => submission));
    for (const [index, { resolve }] of batch.entries())
      resolve(present(answers[index], "an answer to each submission"));
  }
}
