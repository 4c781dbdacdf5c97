import { newToken } from "#shared/access/tokens.ts";
import { sealTo } from "#shared/crypto/sealed-box.ts";
import { assert } from "#shared/kernel/assert.ts";
import { type Bytes, bytesToHex, utf8 } from "#shared/kernel/bytes.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import { SingleUse } from "./single-use.ts";

const PASS_LIFE_MS = 15 * 60_000;
const PASS_COUNT_MAX = 10_000;

export type AuditorPassesPorts = Pick<
  CoordinatorPorts,
  "primitives" | "random" | "clock" | "wall" | "keeping"
>;

/**
 * Passes to kept rounds, for whoever holds the auditor's key: each is sealed to that key, so anyone may ask, and nobody
 * else can use the answer (X38). In memory, so a restart ends them.
 */
export class AuditorPasses {
  readonly #ports: AuditorPassesPorts;
  readonly #passes: SingleUse<true>;

  constructor(ports: AuditorPassesPorts) {
    this.#ports = ports;
    this.#passes = new SingleUse(ports.clock, { lifeMs: PASS_LIFE_MS, countMax: PASS_COUNT_MAX });
  }

  /** Errors: NOT_FOUND if no rounds are kept, and so nobody is the auditor. */
  async seal(): Promise<Result<{ readonly sealed: Bytes; readonly endsAt: number }, WireError>> {
    const { keeping, primitives, random, wall } = this.#ports;
    if (keeping === null)
      return err(wireError("NOT_FOUND", "This coordinator keeps no rounds for an auditor."));
    const pass = newToken("auditor", random);
    const sealed = await sealTo(primitives, random, keeping.auditorKey, "auditor-pass", utf8(pass));
    assert(sealed.ok, "the auditor's key was checked at the start");
    this.#passes.put(await this.#hashOf(pass), true);
    return ok({ sealed: sealed.value, endsAt: wall.nowUnixMs() + PASS_LIFE_MS });
  }

  async isInForce(pass: string): Promise<boolean> {
    return this.#passes.peek(await this.#hashOf(pass)) !== null;
  }

  async #hashOf(pass: string): Promise<string> {
    return bytesToHex(await this.#ports.primitives.sha256(utf8(pass)));
  }
}
