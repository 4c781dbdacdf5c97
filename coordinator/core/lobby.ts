/** A connected device and what it waits for. */
interface Guest {
  readonly task: string;
  /** The version that it would train; null while it is not ready for a round. */
  version: number | null;
}

/**
 * Who is connected, and who is ready for a round. In memory only: a device checks in again after each login, so a
 * restart or a lost connection loses nobody.
 */
export class Lobby {
  readonly #guests = new Map<string, Guest>();

  enter(identity: string, task: string): void {
    this.#guests.set(identity, { task, version: null });
  }

  leave(identity: string): void {
    this.#guests.delete(identity);
  }

  taskOf(identity: string): string | null {
    return this.#guests.get(identity)?.task ?? null;
  }

  setReady(identity: string, version: number | null): void {
    const guest = this.#guests.get(identity);
    if (guest !== undefined) guest.version = version;
  }

  /** In the order in which they came. */
  ready(task: string, version: number): string[] {
    const identities: string[] = [];
    for (const [identity, guest] of this.#guests) {
      if (guest.task === task && guest.version === version) identities.push(identity);
    }
    return identities;
  }

  connected(task: string): string[] {
    const identities: string[] = [];
    for (const [identity, guest] of this.#guests) if (guest.task === task) identities.push(identity);
    return identities;
  }
}
