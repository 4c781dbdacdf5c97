import { X509Certificate } from "node:crypto";
import type { OperationsView } from "#shared/protocol/access-api.ts";
import type { Status } from "#shared/protocol/api.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import type { DiskFacts } from "./disk.ts";
import { readLastBackup } from "./last-backup.ts";

export interface OperationsSources {
  readonly dataDir: string;
  readonly disk: { facts(): Promise<DiskFacts> };
  readonly status: () => Pick<Status, "database" | "joinBaseUrl">;
  readonly isBehindProxy: boolean;
  /** PEM of the certificate that the operator gave; null if there is none, or if the coordinator renews its own. */
  readonly certificate: Buffer | string | null;
}

/** What the admin's page shows of the machine. */
export async function operationsFacts(sources: OperationsSources): Promise<OperationsView> {
  const { database, joinBaseUrl } = sources.status();
  const { freeByteCount, floorByteCount, usedByteCount, quotaByteCount } = await sources.disk.facts();
  const { certificate } = sources;
  return {
    database,
    disk: { freeByteCount, floorByteCount },
    files: { usedByteCount, quotaByteCount },
    memory: { residentByteCount: process.memoryUsage.rss() },
    lastBackup: await readLastBackup(sources.dataDir),
    address: {
      url: joinBaseUrl,
      isBehindProxy: sources.isBehindProxy,
      certificateEndsAt:
        certificate === null ? null : new X509Certificate(certificate).validToDate.toISOString(),
    },
    limits: {
      devicesPerAddress: LIMITS.socketsPerAddress,
      joinsPerMinutePerAddress: LIMITS.joinsPerMinutePerAddress,
      requestsPerSecondPerAddress: LIMITS.apiPerSecondPerAddress,
    },
  };
}
