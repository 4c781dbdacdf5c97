import { SerialQueue } from "#shared/kernel/serial-queue.ts";

/** Whoever reads something of a project and then writes it does so alone. */
export class Turns {
  readonly #queues = new Map<string, { readonly queue: SerialQueue; waiting: number }>();

  async run<Value>(projectId: string, work: () => Promise<Value>): Promise<Value> {
    const entry = this.#queues.get(projectId) ?? { queue: new SerialQueue(), waiting: 0 };
    this.#queues.set(projectId, entry);
    entry.waiting += 1;
    try {
      return await entry.queue.run(work);
    } finally {
      entry.waiting -= 1;
      if (entry.waiting === 0) this.#queues.delete(projectId);
    }
  }
}
