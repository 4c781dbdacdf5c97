import type { Remembrance } from "#shared/secagg/client-state.ts";
import type { SeenLog } from "#shared/secagg/seen-log.ts";
import type { AgreedConfig } from "#shared/task/config.ts";
import type { Task } from "#shared/task/task.ts";
import type { LocalData } from "../local-data.ts";
import type { ModelCache } from "../model-cache.ts";
import type { ClientPorts } from "../ports.ts";
import type { ContributionDetail, OwnRound } from "../view.ts";

/** What an enrolment gives to a part in a round. */
export interface PartContext {
  readonly ports: ClientPorts;
  /** As consented to. */
  readonly task: Task;
  readonly expectedConfig: AgreedConfig;
  /** States of the public log that this device has stated to the coordinator, the newest last; null for none seen. */
  readonly stated: readonly (SeenLog | null)[];
  readonly roundsMax: number;
  readonly data: () => Promise<LocalData>;
  readonly models: ModelCache;
  /** Resolves once the device is logged in, or when `signal` aborts. */
  readonly online: (signal: AbortSignal) => Promise<void>;
  readonly onView: (view: OwnRound) => void;
  readonly onContribution: (detail: ContributionDetail) => void;
  /** Called with the file that shows what is wrong with the public log, once it is kept. */
  readonly onContradiction: (file: string) => void;
  readonly onRemembered: (kind: Remembrance["kind"]) => void;
}
