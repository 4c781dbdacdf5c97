import type { Remembrance } from "#shared/secagg/client-state.ts";
import type { AgreedConfig } from "#shared/task/config.ts";
import type { Task } from "#shared/task/task.ts";
import type { LocalData } from "../local-data.ts";
import type { ModelCache } from "../model-cache.ts";
import type { ClientPorts } from "../ports.ts";
import type { ContributionDetail, RoundView } from "../view.ts";

/** What a part in a round is given by its session. */
export interface RoundContext {
  readonly ports: ClientPorts;
  /** As consented to. */
  readonly task: Task;
  readonly expectedConfig: AgreedConfig;
  readonly roundsMax: number;
  readonly data: () => Promise<LocalData>;
  readonly models: ModelCache;
  /** Resolves once the device is logged in, or when `signal` is aborted. */
  readonly online: (signal: AbortSignal) => Promise<void>;
  readonly onView: (view: RoundView) => void;
  readonly onContribution: (detail: ContributionDetail) => void;
  readonly onRemembered: (kind: Remembrance["kind"]) => void;
}
