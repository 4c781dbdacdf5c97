import { err, ok, type Result } from "#shared/kernel/result.ts";
import type { Operator } from "#shared/protocol/governance.ts";
import { environment } from "./command.ts";

export const GOVERNANCE_HELP = `  --keep-ended-days N
                    days for which ended invitations, API tokens and proposals are listed; default 90, or
                    CHORUS_KEEP_ENDED_DAYS
  --operator NAME, --operator-contact TEXT, --protection-contact TEXT, --legal-ground TEXT
                    what the record of processing says of whoever runs it; or CHORUS_OPERATOR,
                    CHORUS_OPERATOR_CONTACT, CHORUS_PROTECTION_CONTACT, CHORUS_LEGAL_GROUND`;

interface Values {
  readonly "keep-ended-days"?: string | undefined;
  readonly operator?: string | undefined;
  readonly "operator-contact"?: string | undefined;
  readonly "protection-contact"?: string | undefined;
  readonly "legal-ground"?: string | undefined;
}

interface GovernanceOptions {
  readonly endedRowsDays: number;
  readonly operator: Operator;
}

const TEXT_LENGTH_MAX = 400;

/** Errors: a sentence that says which option is wrong. */
export function governanceOptions(values: Values): Result<GovernanceOptions, string> {
  const days = values["keep-ended-days"] ?? environment("CHORUS_KEEP_ENDED_DAYS") ?? "90";
  if (!/^[1-9]\d{0,3}$/.test(days)) return err("--keep-ended-days is a whole number from 1 to 9999.");
  const operator = {
    name: values.operator ?? environment("CHORUS_OPERATOR") ?? null,
    contact: values["operator-contact"] ?? environment("CHORUS_OPERATOR_CONTACT") ?? null,
    protectionContact: values["protection-contact"] ?? environment("CHORUS_PROTECTION_CONTACT") ?? null,
    legalGround: values["legal-ground"] ?? environment("CHORUS_LEGAL_GROUND") ?? null,
  };
  if (Object.values(operator).some((text) => text !== null && text.length > TEXT_LENGTH_MAX))
    return err(
      `--operator, --operator-contact, --protection-contact and --legal-ground take ${TEXT_LENGTH_MAX} characters at most.`,
    );
  return ok({ endedRowsDays: Number(days), operator });
}
