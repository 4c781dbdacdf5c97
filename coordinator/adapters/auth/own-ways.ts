import { createHash } from "node:crypto";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { SerialQueue } from "#shared/kernel/serial-queue.ts";
import type { AuthRecords } from "../../core/ports/auth-records.ts";
import type { OwnWay } from "../../core/ports/sign-ins.ts";
import { PASSWORD_PROVIDER } from "./stored.ts";

/** More credentials than anyone can have. */
const WAY_COUNT_MAX = 100;

interface StoredWay extends OwnWay {
  /** @returns False if it was gone already. */
  remove(): Promise<boolean>;
}

/** The credentials of people, of every kind. */
export class OwnWays {
  readonly #records: AuthRecords;
  /** One removal at a time, so that two at once never take the last two. */
  readonly #queue = new SerialQueue();

  constructor(records: AuthRecords) {
    this.#records = records;
  }

  async of(personId: string): Promise<readonly OwnWay[]> {
    const stored = await this.#stored(personId);
    return stored.map(({ wayId, way, madeAt }) => ({ wayId, way, madeAt }));
  }

  /** Errors: as `SignIns.removeWay`. */
  remove(personId: string, wayId: string): Promise<Result<OwnWay, "unknown" | "last">> {
    return this.#queue.run(async () => {
      const stored = await this.#stored(personId);
      const found = stored.find((one) => one.wayId === wayId);
      if (found === undefined) return err("unknown");
      if (stored.length === 1) return err("last");
      if (!(await found.remove())) return err("unknown");
      const { way, madeAt } = found;
      return ok({ wayId, way, madeAt });
    });
  }

  async #stored(personId: string): Promise<readonly StoredWay[]> {
    const selection = { limit: WAY_COUNT_MAX };
    const [passkeys, accounts] = await Promise.all([
      this.#records.findAuthRecords(
        "passkey",
        [{ field: "personId", operator: "eq", value: personId }],
        selection,
      ),
      this.#records.findAuthRecords(
        "account",
        [{ field: "userId", operator: "eq", value: personId }],
        selection,
      ),
    ]);
    const ways = [
      ...passkeys.map(({ credentialId, madeAt }): StoredWay => {
        const where = [{ field: "credentialId", operator: "eq", value: credentialId }] as const;
        const remove = async () => (await this.#records.removeAuthRecords("passkey", where)).length === 1;
        return { wayId: idOf(`passkey ${credentialId}`), way: "passkey", madeAt, remove };
      }),
      ...accounts.map(({ id, providerId, createdAt }): StoredWay => {
        const way = providerId === PASSWORD_PROVIDER ? "password" : "openid";
        const where = [{ field: "id", operator: "eq", value: id }] as const;
        const remove = async () => (await this.#records.removeAuthRecords("account", where)).length === 1;
        return { wayId: idOf(`account ${id}`), way, madeAt: createdAt, remove };
      }),
    ];
    return ways.sort((left, right) => left.madeAt - right.madeAt);
  }
}

function idOf(credential: string): string {
  return createHash("sha256").update(credential).digest("hex").slice(0, 32);
}
