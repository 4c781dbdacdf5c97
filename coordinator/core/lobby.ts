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
  readonly #onChange: (task: string) => void;

  /** @param onChange  Somebody of this task has come, gone, or is ready, or is not any more. */
  constructor(onChange: (task: string) => void) {
    this.#onChange = onChange;
  }

  enter(identity: string, task: string): void {
    this.#guests.set(identity, { task, version: null });
    this.#onChange(task);
  }

  leave(identity: string): void {
    const guest = this.#guests.get(identity);
    this.#guests.delete(identity);
    if (guest !== undefined) this.#onChange(guest.task);
  }

  taskOf(identity: string): string | null {
    return this.#guests.get(identity)?.task ?? null;
  }

  setReady(identity: string, version: number | null): void {
    const guest = this.#guests.get(identity);
    if (guest === undefined || guest.version === version) return;
    guest.version = version;
    this.#onChange(guest.task);
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
