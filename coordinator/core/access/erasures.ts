import type { Result } from "#shared/kernel/result.ts";
import type { WireError } from "#shared/protocol/errors.ts";
import type { SignIns } from "../ports/sign-ins.ts";
import { erasePerson } from "./acts/erasing.ts";
import type { AccessDesk } from "./desk.ts";

/**
 * Deletes a person's account with all that they sign in with, then their salt and rights. If it was cut short, asking again
 * does the rest (A80). Errors: those of `erasePerson`.
 */
export function eraseAccount(
  desk: AccessDesk,
  signIns: Pick<SignIns, "removePerson">,
  personId: string,
  actor: string,
): Promise<Result<void, WireError>> {
  return desk.act(async (sight) => {
    const decided = erasePerson(sight, personId, actor);
    if (decided.ok) await signIns.removePerson(personId);
    return decided;
  });
}
