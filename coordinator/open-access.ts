import type { MonotonicClock, Primitives, RandomBytes, WallClock } from "#shared/kernel/ports.ts";
import { type OpenIdSettings, openOpenId } from "./adapters/auth/open-id.ts";
import { openSignIns } from "./adapters/auth/sign-ins.ts";
import { AuditorPasses } from "./core/access/auditor-passes.ts";
import { AccessDesk } from "./core/access/desk.ts";
import type { Access } from "./core/access/device-login.ts";
import { Doors } from "./core/access/doors.ts";
import { OpenIdDoors } from "./core/access/open-id-doors.ts";
import { createPrincipals, type Principals } from "./core/access/principals.ts";
import type { Overrides } from "./core/access/promotions.ts";
import type { Coordinator } from "./core/coordinator.ts";
import type { Keeping, Log, Store } from "./core/ports/ports.ts";
import type { SignIns } from "./core/ports/sign-ins.ts";

export interface AccessPartsPorts {
  readonly primitives: Primitives;
  readonly random: RandomBytes;
  readonly clock: MonotonicClock;
  readonly wall: WallClock;
  readonly after: (delayMs: number, run: () => void) => () => void;
  readonly log: Log;
  readonly store: Store;
  readonly keeping: Keeping | null;
  readonly projects: Coordinator["projects"];
  readonly registry: Overrides;
  /** See `AccessDeskPorts`. */
  readonly endedRowsDays?: number;
}

/** Who may do what, from its rows to the doors. */
export interface AccessParts {
  readonly accessDesk: AccessDesk;
  /** The desk's clock. */
  readonly nowUnixMs: () => number;
  readonly signIns: SignIns;
  readonly doors: Doors;
  /** Null if no provider is configured. */
  readonly openIdDoors: OpenIdDoors | null;
  readonly auditorPasses: AuditorPasses;
  /** Who requests are made on behalf of, once devices may log in. */
  principals(devices: Pick<Access, "deviceOf">): Principals;
  /** Reads everything again, after another process may have written it. */
  reload(): void;
  close(): void;
}

/** @throws Error that says what to do if a stored row is of a newer version. */
export async function openAccess(ports: AccessPartsPorts, openId?: OpenIdSettings): Promise<AccessParts> {
  const { store, log, projects, registry } = ports;
  // What has run out stays so if someone sets the wall clock back (X12).
  let latest = 0;
  const nowUnixMs = () => {
    latest = Math.max(latest, ports.wall.nowUnixMs());
    return latest;
  };
  const accessDesk = new AccessDesk({ ...ports, wall: { nowUnixMs } });
  await accessDesk.start((projectId, agreed) => projects.deleteData(projectId, agreed), registry);
  latest = Math.max(latest, accessDesk.book.newestAt);
  const signIns = openSignIns({ ...ports, records: store });
  const doors = new Doors({ ...ports, desk: accessDesk, signIns });
  const auditorPasses = new AuditorPasses(ports);
  return {
    accessDesk,
    nowUnixMs,
    signIns,
    doors,
    openIdDoors:
      openId === undefined ? null : new OpenIdDoors({ ...ports, doors, openId: openOpenId(openId) }),
    auditorPasses,
    principals: (devices) =>
      createPrincipals({
        ...ports,
        desk: accessDesk,
        sessions: doors.own,
        passes: auditorPasses,
        devices,
      }),
    reload: () => {
      // The desk reads again before its next act if this fails. It tells the sessions to do the same.
      accessDesk
        .reload()
        .catch((error: unknown) => log.error({ error: String(error) }, "access was not read again"));
    },
    close: () => {
      accessDesk.stop();
      signIns.close();
    },
  };
}
