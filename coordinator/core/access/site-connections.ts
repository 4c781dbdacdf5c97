import type { CoordinatorPorts } from "../ports/ports.ts";
import type { AccessDesk } from "./desk.ts";
import type { SiteRow } from "./rows.ts";
import type { SitePresence } from "./views.ts";

/** How much older the stored time may be than the last arrival or departure. */
const NOTED_MS = 3 * 60_000;

type SitePorts = Pick<CoordinatorPorts, "wall" | "log"> & {
  readonly desk: Pick<AccessDesk, "book" | "hashOf" | "noteSite">;
};

/** Where named sites are connected now. Devices that are no site leave nothing here. */
export class SiteConnections {
  readonly #ports: SitePorts;
  readonly #bySiteId = new Map<string, { readonly task: string | null; readonly at: number }>();

  constructor(ports: SitePorts) {
    this.#ports = ports;
  }

  /** @param version  What it says of its program; null if nothing. */
  came(identity: string, task: string, version: string | null): void {
    this.#note(identity, task, version);
  }

  went(identity: string): void {
    this.#note(identity, null, null);
  }

  async presenceOf({ siteId, identity, lastSeenAt }: SiteRow): Promise<SitePresence> {
    const now = this.#bySiteId.get(siteId);
    const { wall, desk } = this.#ports;
    return {
      task: now?.task ?? null,
      lastSeenAt: now === undefined ? lastSeenAt : now.task === null ? now.at : wall.nowUnixMs(),
      key: identity === null ? null : await desk.hashOf(identity),
    };
  }

  #note(identity: string, task: string | null, version: string | null): void {
    const { desk, wall, log } = this.#ports;
    const site = desk.book.siteByIdentity(identity);
    if (site === null) return;
    const at = wall.nowUnixMs();
    this.#bySiteId.set(site.siteId, { task, at });
    const isNews = version !== null && version !== site.version;
    if (!isNews && site.lastSeenAt !== null && at - site.lastSeenAt < NOTED_MS) return;
    // Nothing depends on it, so nobody waits for it.
    desk
      .noteSite(site.siteId, at, version)
      .catch((error: unknown) => log.warn({ error: String(error) }, "a site's visit was not noted"));
  }
}
