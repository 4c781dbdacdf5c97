import type { Decided, Sight } from "#coordinator/core/access/acts/change.ts";
import * as people from "#coordinator/core/access/acts/people.ts";
import { AccessBook } from "#coordinator/core/access/book.ts";
import type { Role } from "#shared/access/roles.ts";

/* A book of access that acts change one after another, as the desk does. */

export const HOUR_MS = 3_600_000;
export const HASH = (letter: string) => letter.repeat(64);

export class BookWorld {
  readonly book = new AccessBook();
  now = 1_000_000;
  #ids = 0;

  get sight(): Sight {
    return {
      book: this.book,
      now: this.now,
      id: () => (++this.#ids).toString(16).padStart(32, "0"),
      salt: () => "5a".repeat(32),
    };
  }

  /** Applies an act that must succeed. */
  done(decided: Decided | null) {
    if (decided?.ok !== true) throw new Error(decided?.error.message ?? "nothing is done");
    this.book.apply(decided.value.rows);
    return decided.value.event;
  }

  id(name: string): string {
    return this.book.personByName(name)?.personId ?? "";
  }

  join(name: string, role: Role, letter: string) {
    this.done(people.invite(this.sight, { role, note: "", tokenHash: HASH(letter), actor: "ada" }));
    return this.done(people.useInvitation(this.sight, HASH(letter), newcomer(name)));
  }
}

export function newcomer(name: string) {
  const personId = Buffer.from(name).toString("hex").padEnd(32, "0").slice(0, 32);
  return { personId, name, signsInWith: "password" } as const;
}

export function setUp(): BookWorld {
  const world = new BookWorld();
  world.done(people.setUp(world.sight, newcomer("ada"), "ward"));
  return world;
}

export const codeOf = (decided: Decided | null | undefined) =>
  decided === undefined || decided === null || decided.ok ? null : decided.error.code;

export const AUDITOR = { role: "auditor", projectId: "ward" } as const;

/** Takes the role of admin from someone, as if two people had decided it. */
export function demote(world: BookWorld, name: string): void {
  const row = world.book.personByName(name);
  if (row !== null) world.book.apply([{ kind: "person", id: row.personId, row: { ...row, isAdmin: false } }]);
}
