import type { Remembrance } from "#shared/secagg/client-state.ts";
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
  readonly roundsMax: number;
  readonly data: () => Promise<LocalData>;
  readonly models: ModelCache;
  /** Resolves once the device is logged in, or when `signal` aborts. */
  readonly online: (signal: AbortSignal) => Promise<void>;
  readonly onView: (view: OwnRound) => void;
  readonly onContribution: (detail: ContributionDetail) => void;
  readonly onRemembered: (kind: Remembrance["kind"]) => void;
}
