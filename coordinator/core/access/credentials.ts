import { err, ok, type Result } from "#shared/kernel/result.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import type { OpenIdAccount, PasskeyAnswer, SignIns } from "../ports/sign-ins.ts";
import { Tries } from "./tries.ts";

/** How someone will sign in. */
export type NewCredential =
  | { readonly type: "password"; readonly password: string }
  | { readonly type: "passkey"; readonly answer: PasskeyAnswer }
  | { readonly type: "openid"; readonly account: OpenIdAccount };

/** Why a door stays shut, and for how long if that is known. */
export interface Shut {
  readonly wire: WireError;
  readonly waitMs?: number;
}

export const WRONG_PASSKEY = "This passkey was not accepted here. Use another one, or your password.";

/** Adds credentials and checks passwords, whose tries are counted by account (X15). */
export class Credentials {
  readonly #ports: Pick<CoordinatorPorts, "wall"> & { readonly signIns: SignIns };
  readonly #tries: Tries;

  constructor(ports: Pick<CoordinatorPorts, "wall" | "clock"> & { readonly signIns: SignIns }) {
    this.#ports = ports;
    this.#tries = new Tries(ports.clock);
  }

  /** Errors: WRONG_CREDENTIALS for a passkey, CONFLICT for an OpenID account that is someone's already. */
  async add(personId: string, credential: NewCredential): Promise<Result<void, Shut>> {
    const { signIns } = this.#ports;
    switch (credential.type) {
      case "password":
        await signIns.setPassword(personId, credential.password);
        return ok(undefined);
      case "passkey": {
        const added = await signIns.addPasskey(personId, credential.answer);
        return added.ok ? added : shut("WRONG_CREDENTIALS", WRONG_PASSKEY);
      }
      case "openid": {
        const added = await signIns.addOpenId(personId, credential.account);
        return added.ok ? added : shut("CONFLICT", "Someone here signs in with this account already.");
      }
    }
  }

  /**
   * Checks a password, and counts the try for whoever was named. @returns The person.
   *
   * @param personId  Null if nobody has that name.
   * Errors: WRONG_CREDENTIALS with the tries left, RATE_LIMITED until the account has rested, UNAVAILABLE.
   */
  async check(name: string, personId: string | null, password: string): Promise<Result<string, Shut>> {
    const attempt = this.#tries.take(name);
    if (attempt.type === "rests") return err(this.#resting(attempt.waitMs));
    const checked = await this.#ports.signIns.isPassword(personId, password);
    if (!checked.ok) {
      this.#tries.giveBack(name);
      return shut("UNAVAILABLE", "Too many people are signing in. Try again in a moment.");
    }
    if (checked.value && personId !== null) {
      this.#tries.clear(name);
      return ok(personId);
    }
    const { leftCount } = attempt;
    if (leftCount === 0) return err(this.#resting(this.#tries.waitMs(name)));
    const left = leftCount === 1 ? "1 try is left." : `${leftCount} tries are left.`;
    return shut("WRONG_CREDENTIALS", `The name or the password is wrong. ${left}`);
  }

  #resting(waitMs: number): Shut {
    const until = new Date(this.#ports.wall.nowUnixMs() + waitMs).toISOString().slice(11, 16);
    const sentence = `Five tries failed. Try again at ${until} UTC. Passkeys work meanwhile.`;
    return { wire: wireError("RATE_LIMITED", sentence), waitMs };
  }
}

export function shut(code: Parameters<typeof wireError>[0], sentence?: string) {
  return err<Shut>({ wire: wireError(code, sentence) });
}
