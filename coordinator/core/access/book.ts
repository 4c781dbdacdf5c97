import { assert } from "#shared/kernel/assert.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import type { StoredAccessRow } from "../ports/access-store.ts";
import type { Rights } from "./principal.ts";
import {
  ACCESS_ROW_SCHEMAS,
  type AccessRowKind,
  type AccessRows,
  type ApiTokenRow,
  type InvitationRow,
  type JoinTokenRow,
  type PersonRow,
  type SiteRow,
} from "./rows.ts";

/** A row to write, or to delete if `row` is null. */
export type RowChange = {
  readonly [Kind in AccessRowKind]: {
    readonly kind: Kind;
    readonly id: string;
    readonly row: AccessRows[Kind] | null;
  };
}[AccessRowKind];

type Table<Kind extends AccessRowKind> = Map<string, AccessRows[Kind]>;

const KINDS = Object.keys(ACCESS_ROW_SCHEMAS) as AccessRowKind[];

/**
 * All rows of access in memory, with the indexes that requests need. Checking a token or a role is one look-up, however
 * many there are. The desk alone changes it.
 */
export class AccessBook {
  readonly #tables: { readonly [Kind in AccessRowKind]: Table<Kind> } = {
    project: new Map(),
    person: new Map(),
    invitation: new Map(),
    "api-token": new Map(),
    "join-token": new Map(),
    site: new Map(),
    proposal: new Map(),
  };
  readonly #personIdByName = new Map<string, string>();
  readonly #rightsByPersonId = new Map<string, Rights>();
  readonly #invitationIdByHash = new Map<string, string>();
  readonly #apiTokenIdByHash = new Map<string, string>();
  readonly #joinTokenIdByHash = new Map<string, string>();
  readonly #siteIdByIdentity = new Map<string, string>();

  /** Errors: the first row that this version cannot read. */
  static of(
    rows: readonly StoredAccessRow[],
  ): Result<AccessBook, { readonly kind: string; readonly path: string }> {
    const book = new AccessBook();
    for (const { kind, id, body } of rows) {
      const schema = KINDS.includes(kind) ? ACCESS_ROW_SCHEMAS[kind] : null;
      const parsed = schema?.safeParse(body);
      if (parsed?.success !== true)
        return err({ kind, path: parsed?.error.issues[0]?.path.join(".") ?? "kind" });
      book.apply([{ kind, id, row: parsed.data } as RowChange]);
    }
    return ok(book);
  }

  apply(changes: readonly RowChange[]): void {
    for (const change of changes) this.#put(change);
  }

  get<Kind extends AccessRowKind>(kind: Kind, id: string): AccessRows[Kind] | null {
    return (this.#tables[kind] as Table<Kind>).get(id) ?? null;
  }

  list<Kind extends AccessRowKind>(kind: Kind): readonly AccessRows[Kind][] {
    return [...(this.#tables[kind] as Table<Kind>).values()];
  }

  personByName(name: string): PersonRow | null {
    const personId = this.#personIdByName.get(name);
    return personId === undefined ? null : this.get("person", personId);
  }

  /** When the newest row was made, Unix milliseconds; 0 without rows. */
  get newestAt(): number {
    const times = KINDS.flatMap((kind) => this.list(kind).map(({ madeAt }) => madeAt));
    return times.reduce((newest, at) => Math.max(newest, at), 0);
  }

  /** The rights of a person as they are now; null if there is no such person. */
  rightsOf(personId: string): Rights | null {
    return this.#rightsByPersonId.get(personId) ?? null;
  }

  admins(): readonly PersonRow[] {
    return this.list("person").filter(({ isAdmin }) => isAdmin);
  }

  invitationByHash(tokenHash: string): InvitationRow | null {
    const invitationId = this.#invitationIdByHash.get(tokenHash);
    return invitationId === undefined ? null : this.get("invitation", invitationId);
  }

  apiTokenByHash(tokenHash: string): ApiTokenRow | null {
    const tokenId = this.#apiTokenIdByHash.get(tokenHash);
    return tokenId === undefined ? null : this.get("api-token", tokenId);
  }

  joinTokenByHash(tokenHash: string): JoinTokenRow | null {
    const tokenId = this.#joinTokenIdByHash.get(tokenHash);
    return tokenId === undefined ? null : this.get("join-token", tokenId);
  }

  siteByIdentity(identity: string): SiteRow | null {
    const siteId = this.#siteIdByIdentity.get(identity);
    return siteId === undefined ? null : this.get("site", siteId);
  }

  #put(change: RowChange): void {
    const { kind, id, row } = change;
    if (row === null) {
      this.#delete(kind, id);
      return;
    }
    (this.#tables[kind] as Map<string, unknown>).set(id, row);
    switch (kind) {
      case "person":
        this.#personIdByName.set(row.name, id);
        this.#rightsByPersonId.set(id, rightsOfRow(row));
        break;
      case "invitation":
        this.#invitationIdByHash.set(row.tokenHash, id);
        break;
      case "api-token":
        this.#apiTokenIdByHash.set(row.tokenHash, id);
        break;
      case "join-token":
        this.#joinTokenIdByHash.set(row.tokenHash, id);
        break;
      case "site":
        if (row.identity !== null) this.#siteIdByIdentity.set(row.identity, id);
        break;
      default:
    }
  }

  #delete(kind: AccessRowKind, id: string): void {
    // Their marks in the log rest on their salt, and nobody else may have their name.
    assert(kind !== "person", "a person is never deleted");
    const hash = (this.get(kind, id) as { readonly tokenHash?: string } | null)?.tokenHash;
    this.#tables[kind].delete(id);
    if (hash === undefined) return;
    for (const idByHash of [this.#invitationIdByHash, this.#apiTokenIdByHash, this.#joinTokenIdByHash])
      if (idByHash.get(hash) === id) idByHash.delete(hash);
  }
}

function rightsOfRow({ isAdmin, roles }: PersonRow): Rights {
  const rolesByProject = new Map<string, Set<(typeof roles)[number]["role"]>>();
  for (const { projectId, role } of roles) {
    const known = rolesByProject.get(projectId) ?? new Set();
    known.add(role);
    rolesByProject.set(projectId, known);
  }
  return { isAdmin, rolesByProject };
}
