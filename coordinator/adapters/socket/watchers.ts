import type { Socket } from "socket.io";
import type { AccessDesk } from "../../core/access/desk.ts";
import type { Person } from "../../core/access/principal.ts";
import type { SignIns } from "../../core/ports/sign-ins.ts";

export interface WatchersPorts {
  readonly desk: Pick<AccessDesk, "onNews" | "book">;
  readonly sessions: Pick<SignIns, "onSessionEnd">;
  /** Unix milliseconds. */
  readonly nowUnixMs: () => number;
  readonly after: (delayMs: number, run: () => void) => () => void;
}

/** Longer timers fire at once. */
const TIMER_MS_MAX = 24 * 3_600_000;

/**
 * Dashboards that are connected, by whom they belong to. Each is disconnected as soon as what it rests on ends: a
 * session, a token or a role (X36). A browser then asks for a new ticket, and gets what it still may.
 */
export class Watchers {
  readonly #ports: WatchersPorts;
  readonly #personBySocket = new Map<Socket, Person>();

  constructor(ports: WatchersPorts) {
    this.#ports = ports;
    ports.desk.onNews((news) => {
      if (news.type === "rights-lost")
        this.#end(({ personId }) => news.personId === null || news.personId === personId);
      else if (news.type === "api-token-ended")
        this.#end(({ by }) => by.type === "token" && by.tokenId === news.tokenId);
    });
    ports.sessions.onSessionEnd((sessionId) =>
      this.#end(({ by }) => by.type === "session" && by.sessionId === sessionId),
    );
  }

  add(socket: Socket, person: Person): void {
    this.#personBySocket.set(socket, person);
    const cancel = person.by.type === "token" ? this.#endAtEndOf(socket, person.by.tokenId) : () => {};
    socket.once("disconnect", () => {
      cancel();
      this.#personBySocket.delete(socket);
    });
  }

  /** A session's end is told, a token's is not. @returns Stops waiting for it. */
  #endAtEndOf(socket: Socket, tokenId: string): () => void {
    const { desk, nowUnixMs, after } = this.#ports;
    const leftMs = (desk.book.get("api-token", tokenId)?.endsAt ?? 0) - nowUnixMs();
    if (leftMs <= 0) {
      setImmediate(() => socket.disconnect(true));
      return () => {};
    }
    let cancel = after(Math.min(leftMs, TIMER_MS_MAX), () => {
      cancel = this.#endAtEndOf(socket, tokenId);
    });
    return () => cancel();
  }

  #end(isOver: (person: Person) => boolean): void {
    for (const [socket, person] of [...this.#personBySocket]) if (isOver(person)) socket.disconnect(true);
  }
}
