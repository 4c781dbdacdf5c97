import { createHash } from "node:crypto";
import type { AuthModel } from "../../core/ports/auth-records.ts";

/** What the store has of a session's token. It is 256 random bits, so a plain digest is safe. */
export function hashOfToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** Better Auth's name for an account with a password. */
export const PASSWORD_PROVIDER = "credential";

/** A unique field of a new record has its value already. */
export class RecordExists extends Error {
  override readonly name = "RecordExists";

  constructor(model: AuthModel) {
    super(`a ${model} with this value exists`);
  }
}
