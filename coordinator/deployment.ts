import type { Operator } from "#shared/protocol/governance.ts";
import type { Deployment } from "./adapters/http/api/governance.ts";
import { ENDED_ROWS_DAYS } from "./core/access/acts/outdated.ts";

/** What the operator set, as far as records of processing need it. */
export interface GovernanceSettings {
  /** Days for which ended invitations, API tokens and proposals are listed; 90 if absent. */
  readonly endedRowsDays?: number;
  /** What the record of processing says of whoever runs it; blanks if absent. */
  readonly operator?: Operator;
  readonly keeping?: { readonly rounds: number } | undefined;
  readonly openId?: unknown;
}

const NOBODY: Operator = { name: null, contact: null, protectionContact: null, legalGround: null };

export function deploymentOf({
  endedRowsDays = ENDED_ROWS_DAYS,
  operator = NOBODY,
  keeping,
  openId,
}: GovernanceSettings): Deployment {
  return { endedRowsDays, operator, keptRounds: keeping?.rounds ?? 0, hasOpenId: openId !== undefined };
}
