import { newToken } from "#shared/access/tokens.ts";
import { sealTo } from "#shared/crypto/sealed-box.ts";
import { assert } from "#shared/kernel/assert.ts";
import { type Bytes, bytesToHex, utf8 } from "#shared/kernel/bytes.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import { SingleUse } from "./single-use.ts";

const PASS_LIFE_MS = 15 * 60_000;
/**
 * A pass is given to everyone who asks within this time, each time in a box of its own. So there are a few at most, and
 * nobody can end the auditor's by asking for many.
 */
const GIVEN_MS = 60_000;
const PASS_COUNT_MAX = PASS_LIFE_MS / GIVEN_MS + 1;

interface GivenPass {
  readonly pass: string;
  /** Monotonic. */
  readonly madeAtMs: number;
  readonly isKept: Promise<void>;
}

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
  /** By hash. */
  readonly #passes: SingleUse<true>;
  #newest: GivenPass | null = null;

  constructor(ports: AuditorPassesPorts) {
    this.#ports = ports;
    this.#passes = new SingleUse(ports.clock, { lifeMs: PASS_LIFE_MS, countMax: PASS_COUNT_MAX });
  }

  /** Errors: NOT_FOUND if no rounds are kept, and so nobody is the auditor. */
  async seal(): Promise<Result<{ readonly sealed: Bytes; readonly endsAt: number }, WireError>> {
    const { keeping, primitives, random, clock, wall } = this.#ports;
    if (keeping === null)
      return err(wireError("NOT_FOUND", "This coordinator keeps no rounds for an auditor."));
    const nowMs = clock.nowMs();
    if (this.#newest === null || nowMs - this.#newest.madeAtMs >= GIVEN_MS) this.#newest = this.#make(nowMs);
    const { pass, madeAtMs, isKept } = this.#newest;
    const sealed = await sealTo(primitives, random, keeping.auditorKey, "auditor-pass", utf8(pass));
    assert(sealed.ok, "the auditor's key was checked at the start");
    await isKept;
    return ok({ sealed: sealed.value, endsAt: wall.nowUnixMs() + PASS_LIFE_MS - (nowMs - madeAtMs) });
  }

  #make(madeAtMs: number): GivenPass {
    const pass = newToken("auditor", this.#ports.random);
    const isKept = this.#hashOf(pass).then((hash) => this.#passes.put(hash, true));
    return { pass, madeAtMs, isKept };
  }

  async isInForce(pass: string): Promise<boolean> {
    return this.#passes.peek(await this.#hashOf(pass)) !== null;
  }

  async #hashOf(pass: string): Promise<string> {
    return bytesToHex(await this.#ports.primitives.sha256(utf8(pass)));
  }
}
