import type { AccessEvent } from "#shared/access/log.ts";
import { loggedInAccess } from "#shared/access/log.ts";
import { assert } from "#shared/kernel/assert.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import { ok, type Result } from "#shared/kernel/result.ts";
import { SerialQueue } from "#shared/kernel/serial-queue.ts";
import type { WireError } from "#shared/protocol/errors.ts";
import type { AccessRowRecord } from "../ports/access-store.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import type { StoreRecord } from "../ports/store.ts";
import type { Decided, Sight } from "./acts/change.ts";
import { AccessBook } from "./book.ts";
import { accessLeaf } from "./leaf.ts";

/** What others must do after an act: end sessions, connections and passes that rest on what is gone. */
export type AccessNews =
  /** A role was taken from this person; null for everyone, after the rows were read anew. */
  | { readonly type: "rights-lost"; readonly personId: string | null }
  | { readonly type: "api-token-ended"; readonly tokenId: string }
  | { readonly type: "site-revoked"; readonly identity: string | null; readonly siteId: string }
  | { readonly type: "joined-devices-removed"; readonly tokenId: string }
  | { readonly type: "project-data-deleted"; readonly projectId: string };

/** A site enrols by itself, and may be called like a person. */
function actorIn(event: AccessEvent): { readonly actor?: string } {
  return event.type === "site-enrolled" ? {} : { actor: event.actor };
}

const STREAM = { kind: "access", id: "coordinator" } as const;

type WriterPorts = Pick<CoordinatorPorts, "primitives" | "random" | "wall"> & {
  readonly store: Pick<CoordinatorPorts["store"], "appendNext" | "listAccessRows">;
};

/**
 * The rows of access in memory, and the only way to change them: one act at a time, written with its event and its leaf
 * before it counts (X80).
 */
export class ActWriter {
  readonly #ports: WriterPorts;
  readonly #queue = new SerialQueue();
  readonly #listeners = new Set<(news: AccessNews) => void>();
  #book = new AccessBook();
  /** False after a write whose outcome is unknown. The rows are read again before the next act. */
  #isCurrent = true;

  constructor(ports: WriterPorts) {
    this.#ports = ports;
  }

  get book(): AccessBook {
    return this.#book;
  }

  get isCurrent(): boolean {
    return this.#isCurrent;
  }

  /** @returns Stops listening. */
  onNews(listener: (news: AccessNews) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Reads all rows. @throws Error that says what to do if a row is of a newer version. */
  async read(): Promise<void> {
    const book = AccessBook.of(await this.#ports.store.listAccessRows());
    if (!book.ok) {
      const { kind, path } = book.error;
      throw new Error(
        `A stored ${kind} (${path}) is not one that this version knows. Start the newer version of Chorus that wrote it.`,
      );
    }
    this.#book = book.value;
    this.#isCurrent = true;
  }

  /** Reads all rows again, after another process may have written them. */
  async reload(): Promise<void> {
    await this.#queue.run(() => this.read());
    this.#tell({ type: "rights-lost", personId: null });
  }

  /** Writes the event, its leaf and its rows, and then counts them. */
  async write(decided: Decided): Promise<Result<void, WireError>> {
    if (!decided.ok) return decided;
    const { event, rows } = decided.value;
    const at = this.#ports.wall.nowUnixMs();
    // The rows come first: they hold the salt of a person whom the act makes.
    const made = rows.flatMap((change) =>
      change.kind === "person" && change.row !== null ? [change.row] : [],
    );
    const leaf = await accessLeaf(this.#ports.primitives, [...made, ...this.#book.list("person")], event, at);
    const records = rows.map(
      ({ kind, id, row }): AccessRowRecord => ({ type: "access-row", kind, id, body: row }),
    );
    this.#isCurrent = false;
    const written = await this.#ports.store.appendNext(STREAM, { at, event: loggedInAccess(event) }, [
      ...records,
      { type: "audit-leaf", ...leaf, ...actorIn(event) },
      ...this.#forgotten(event),
    ]);
    assert(written.ok, "access makes no task");
    this.#isCurrent = true;
    this.#book.apply(rows);
    this.#tellOf(event);
    return ok(undefined);
  }

  /** With a person's salt goes what links their name to leaves (A81). */
  #forgotten(event: AccessEvent): readonly StoreRecord[] {
    if (event.type !== "person-erased") return [];
    const name = this.#book.get("person", event.personId)?.name;
    return name === undefined ? [] : [{ type: "actor-forgotten", actor: name }];
  }

  #tellOf(event: AccessEvent): void {
    switch (event.type) {
      case "role-taken":
      case "person-erased":
        this.#tell({ type: "rights-lost", personId: event.personId });
        break;
      case "proposal-agreed":
        if (event.act.type === "take-admin-role")
          this.#tell({ type: "rights-lost", personId: event.act.personId });
        break;
      case "api-token-revoked":
        this.#tell({ type: "api-token-ended", tokenId: event.tokenId });
        break;
      case "site-revoked":
        this.#tell({
          type: "site-revoked",
          siteId: event.siteId,
          identity: this.#book.get("site", event.siteId)?.identity ?? null,
        });
        break;
      case "joined-devices-removed":
        this.#tell({ type: "joined-devices-removed", tokenId: event.tokenId });
        break;
      case "project-data-deleted":
        this.#tell({ type: "project-data-deleted", projectId: event.projectId });
        break;
      default:
    }
  }

  #tell(news: AccessNews): void {
    for (const listener of this.#listeners) listener(news);
  }

  /** In turn, on current rows. */
  inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    return this.#queue.run(async () => {
      if (!this.#isCurrent) {
        await this.read();
        this.#tell({ type: "rights-lost", personId: null });
      }
      return work();
    });
  }

  /** What an act may look at now. */
  sight(): Sight {
    const { random } = this.#ports;
    return {
      book: this.#book,
      now: this.#ports.wall.nowUnixMs(),
      id: () => bytesToHex(random(16)),
      salt: () => bytesToHex(random(32)),
    };
  }
}
