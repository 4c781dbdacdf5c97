import { bytesToHex } from "#shared/kernel/bytes.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import { isInForce } from "./acts/tokens.ts";
import { type AccessDesk, hasRole } from "./desk.ts";
import type { BySession, ByToken, Person } from "./principal.ts";
import { SingleUse } from "./single-use.ts";

const TICKET_LIFE_MS = 30_000;
const TICKET_COUNT_MAX = 10_000;

/** Tickets open one socket each, which carries no cookie, within seconds (X19). */
export class Tickets {
  readonly #ports: Pick<CoordinatorPorts, "random" | "wall"> & { readonly desk: AccessDesk };
  readonly #tickets: SingleUse<Person>;
  /** Sessions that ended while a ticket of theirs may be about. */
  readonly #endedSessions: SingleUse<true>;

  constructor(ports: Pick<CoordinatorPorts, "random" | "wall" | "clock"> & { readonly desk: AccessDesk }) {
    this.#ports = ports;
    this.#tickets = new SingleUse(ports.clock, { lifeMs: TICKET_LIFE_MS, countMax: TICKET_COUNT_MAX });
    this.#endedSessions = new SingleUse(ports.clock, {
      lifeMs: 2 * TICKET_LIFE_MS,
      countMax: TICKET_COUNT_MAX,
    });
  }

  for(person: Person): { readonly ticket: string; readonly endsAt: number } {
    const { random, wall } = this.#ports;
    const ticket = bytesToHex(random(32));
    this.#tickets.put(ticket, person);
    return { ticket, endsAt: wall.nowUnixMs() + TICKET_LIFE_MS };
  }

  /** Whom a ticket stands for, with their rights now; null if it is unknown, used or over, or what it rests on ended. */
  use(ticket: string): Person | null {
    const person = this.#tickets.take(ticket);
    if (person === null || !this.#stands(person.by)) return null;
    const rights = this.#ports.desk.rightsOf(person.personId);
    return rights !== null && hasRole(rights) ? { ...person, rights } : null;
  }

  sessionEnded(sessionId: string): void {
    this.#endedSessions.put(sessionId, true);
  }

  #stands(by: BySession | ByToken): boolean {
    if (by.type === "session") return this.#endedSessions.peek(by.sessionId) === null;
    const token = this.#ports.desk.book.get("api-token", by.tokenId);
    return token !== null && isInForce(token, this.#ports.wall.nowUnixMs());
  }
}
