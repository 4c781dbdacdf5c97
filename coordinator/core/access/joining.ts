import { tokenPattern } from "#shared/access/tokens.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import type { EnrolmentRow } from "../ports/access-store.ts";
import type { CoordinatorPorts, Store } from "../ports/ports.ts";
import type { Place } from "../ports/store.ts";
import { isInForce } from "./acts/tokens.ts";
import type { AccessDesk } from "./desk.ts";
import { rateLimit } from "./rate-limit.ts";
import type { JoinTokenRow } from "./rows.ts";

/**
 * Bound on the identities that are known without a look-up. The least recently seen is dropped; the store still
 * knows it.
 */
const REMEMBERED_COUNT_MAX = 2 * LIMITS.goalMax;

const JOIN_TOKEN = tokenPattern("join");

export type JoiningPorts = Pick<CoordinatorPorts, "clock" | "wall"> & {
  readonly store: Pick<Store, "findPlaces" | "hasDevice" | "enrol" | "findEnrolments">;
  readonly desk: Pick<AccessDesk, "book" | "hashOf" | "enrolSite">;
};

/** A device that has just proved that it holds its key. */
export interface Newcomer {
  /** 64 hex digits. */
  readonly identity: string;
  readonly task: string;
}

/** A device that may take part. */
export interface Admitted {
  /** Of the task. */
  readonly projectId: string;
  /** The token by which it is enrolled; null for a device that anyone could be. */
  readonly enrolledBy: string | null;
}

/** What is known of an identity. */
interface Known {
  readonly enrolments: readonly EnrolmentRow[];
  /** It logged in before. */
  readonly isReturning: boolean;
  /** False if its address has looked up too many, so that it may be enrolled all the same. */
  readonly isCertain: boolean;
}
const STRANGER: Known = { enrolments: [], isReturning: false, isCertain: false };

/** Who may join which task: anyone a public one, within limits per address; one by invitation takes an enrolment. */
export class Joining {
  readonly #ports: JoiningPorts;
  readonly #joins;
  readonly #lookUps;
  readonly #wrongTokens;
  /** By identity, in the order of their last logins. */
  readonly #remembered = new Map<string, Known>();

  constructor(ports: JoiningPorts) {
    this.#ports = ports;
    const perAddress = {
      burst: LIMITS.joinsBurstPerAddress,
      perSecond: LIMITS.joinsPerMinutePerAddress / 60,
    };
    this.#joins = rateLimit(ports.clock, perAddress);
    this.#wrongTokens = rateLimit(ports.clock, perAddress);
    this.#lookUps = rateLimit(ports.clock, {
      burst: LIMITS.deviceLookUpsBurstPerAddress,
      perSecond: LIMITS.deviceLookUpsPerSecondPerAddress,
    });
  }

  /** True for the device of a site that was revoked, whatever task it comes for. */
  isRevoked(identity: string): boolean {
    const site = this.#ports.desk.book.siteByIdentity(identity);
    return site !== null && site.revokedAt !== null;
  }

  /** True if the devices of this join token were removed. */
  isRemoved(tokenId: string | null): boolean {
    if (tokenId === null) return false;
    const token = this.#ports.desk.book.get("join-token", tokenId);
    return token !== null && token.devicesRemovedAt !== null;
  }

  /** Looks enrolments up again: those of everyone, or of one project. */
  forget(projectId: string | null): void {
    for (const [identity, { enrolments }] of this.#remembered)
      if (projectId === null || enrolments.some((row) => row.projectId === projectId))
        this.#remembered.delete(identity);
  }

  /**
   * Lets a device into a task, and enrols it if it brings a token for that. The caller has verified its signature.
   *
   * @param address  Key of its address, as limits count it.
   * Errors: REVOKED, UNKNOWN_TASK, BY_INVITATION, TOKEN_ENDED, CONFLICT if the device is another site, RATE_LIMITED.
   */
  async admit(
    { identity, task }: Newcomer,
    joinToken: string | undefined,
    address: string,
  ): Promise<Result<Admitted, WireError>> {
    if (this.isRevoked(identity)) return err(wireError("REVOKED"));
    const known = await this.#recall(identity, address);
    const token = joinToken === undefined ? null : await this.#tokenOf(joinToken, address);
    const brings = token?.ok === true ? token.value : null;
    const isCounted = () => known.isReturning || this.#joins.take(address);
    // A stranger counts before anything else is looked up for it (W5).
    if (brings === null && !isCounted()) return err(wireError("RATE_LIMITED"));
    const [place] = await this.#ports.store.findPlaces({ type: "task", id: task });
    if (place === undefined) return err(wireError("UNKNOWN_TASK"));

    const enrolled = await this.#enrolment({ identity, known, brings, place }, address);
    if (!enrolled.ok) {
      // A public task takes a device whose token was refused as it takes one without a token. A site's token is the exception:
      // its device must not come in under another name (X63, X64).
      if (place.joining === "invitation" || enrolled.error.type === "final") return err(enrolled.error.wire);
      if (!isCounted()) return err(wireError("RATE_LIMITED"));
    }
    const row = enrolled.ok ? enrolled.value : null;
    if (row === null && place.joining === "invitation") {
      if (!known.isCertain) return err(wireError("RATE_LIMITED"));
      return token !== null && !token.ok ? token : err(wireError("BY_INVITATION"));
    }
    this.#remember(identity, known, row);
    return ok({ enrolledBy: row?.tokenId ?? null, projectId: place.projectId });
  }

  /**
   * The enrolment under which this device comes: one that it has, or the one that its token makes. Null without either.
   *
   * Errors: why the token makes none. A `final` one also keeps the device out of a public task.
   */
  async #enrolment(
    { identity, known, brings, place }: Entry,
    address: string,
  ): Promise<Result<EnrolmentRow | null, TokenRefusal>> {
    const held = known.enrolments.filter((row) => this.#isGood(row, place));
    if (brings === null) return ok(held[0] ?? null);
    if (!fits(brings, place)) return err({ type: "final", wire: wireError("TOKEN_ENDED", OTHER_TASK) });
    const same = held.find((row) => brings.siteId === null || row.siteId === brings.siteId);
    if (same !== undefined) return ok(same);
    if (brings.siteId !== null) {
      const named = await this.#ports.desk.enrolSite(brings.siteId, identity);
      if (!named.ok) {
        this.#wrongTokens.charge(address, 1);
        return err({ type: "final", wire: named.error });
      }
    }
    const { tokenId, uses, projectId, task, siteId } = brings;
    const row = { identity, projectId, task, siteId, enrolledAt: this.#ports.wall.nowUnixMs() };
    if ((await this.#ports.store.enrol(tokenId, uses, row)) === "enrolled") return ok({ ...row, tokenId });
    this.#wrongTokens.charge(address, 1);
    return held[0] === undefined ? err({ type: "spent", wire: wireError("TOKEN_ENDED") }) : ok(held[0]);
  }

  /** An enrolment for this task, unless its site was revoked or deleted, or the devices of its token were removed. */
  #isGood(row: EnrolmentRow, place: Place): boolean {
    if (!fits(row, place) || this.isRemoved(row.tokenId)) return false;
    return row.siteId === null || this.#ports.desk.book.get("site", row.siteId)?.revokedAt === null;
  }

  /** Errors: TOKEN_ENDED if it is none or has ended; RATE_LIMITED after too many wrong ones of the address. */
  async #tokenOf(token: string, address: string): Promise<Result<JoinTokenRow, WireError>> {
    const { desk, wall } = this.#ports;
    if (!this.#wrongTokens.take(address, 0)) return err(wireError("RATE_LIMITED"));
    const row = JOIN_TOKEN.test(token) ? desk.book.joinTokenByHash(await desk.hashOf(token)) : null;
    // A token that has ended is nobody's guess.
    if (row === null) this.#wrongTokens.charge(address, 1);
    return row !== null && isInForce(row, wall.nowUnixMs()) ? ok(row) : err(wireError("TOKEN_ENDED"));
  }

  /** An address that looks up too many is told of strangers: anyone can make up keys and sign with them. */
  async #recall(identity: string, address: string): Promise<Known> {
    const remembered = this.#remembered.get(identity);
    if (remembered?.isCertain === true) return remembered;
    if (!this.#lookUps.take(address)) return remembered ?? STRANGER;
    const { store } = this.#ports;
    const enrolments = await store.findEnrolments(identity);
    const isReturning =
      remembered !== undefined || enrolments.length > 0 || (await store.hasDevice(identity));
    return { enrolments, isReturning, isCertain: true };
  }

  #remember(identity: string, { enrolments, isCertain }: Known, row: EnrolmentRow | null): void {
    const all = row === null || enrolments.includes(row) ? enrolments : [...enrolments, row];
    this.#remembered.delete(identity);
    this.#remembered.set(identity, { enrolments: all, isReturning: true, isCertain });
    for (const oldest of this.#remembered.keys()) {
      if (this.#remembered.size <= REMEMBERED_COUNT_MAX) return;
      this.#remembered.delete(oldest);
    }
  }
}

interface Entry {
  readonly identity: string;
  readonly known: Known;
  /** The token that it brings, if that is in force. */
  readonly brings: JoinTokenRow | null;
  readonly place: Place;
}

interface TokenRefusal {
  readonly type: "final" | "spent";
  readonly wire: WireError;
}

const OTHER_TASK = "This token is for another task. Check the link, or ask for a token of this task.";

/** True if a token or an enrolment of this scope is good for the task. */
function fits(
  { projectId, task }: { readonly projectId: string; readonly task: string | null },
  place: Place,
): boolean {
  return projectId === place.projectId && (task === null || task === place.slug);
}
