import { hash } from "node:crypto";
import type { Keeping } from "#coordinator/core/ports/ports.ts";
import { javascriptPrimitives } from "#shared/crypto/primitives-javascript.ts";
import { localSigner } from "#shared/crypto/signature.ts";
import { type Bytes, bytesToHex } from "#shared/kernel/bytes.ts";
import type { Primitives, Signer } from "#shared/kernel/ports.ts";
import { type Authority, agreedConfigOf, NO_LOG_KEY } from "#shared/task/agreed-config.ts";
import type { AgreedConfig } from "#shared/task/config.ts";
import { fakePrimitives, fakeSigner } from "#test/kit/fakes/fake-primitives.ts";
import { ManualClock } from "#test/kit/fakes/manual-clock.ts";
import { type Dice, dice } from "./dice.ts";
import type { Plan } from "./plan.ts";

/** What everything in one simulated world shares. */
export class World {
  readonly plan: Plan;
  readonly clock = new ManualClock();
  readonly dice: Dice;
  readonly primitives: Primitives;
  readonly issuer: Signer;
  readonly authority: Authority;
  readonly config: AgreedConfig;
  /** X25519; the coordinator has its public key if the plan keeps rounds. */
  readonly auditorKey: Bytes = dice("auditor").bytes(32);
  readonly keeping: Keeping | null;
  readonly #lines: string[] = [];
  /** Broken invariants, in order. */
  readonly violations: string[] = [];
  /** From then on no new fault begins; what remains must end by itself. */
  healed = false;

  private constructor(
    plan: Plan,
    primitives: Primitives,
    issuer: Signer,
    config: AgreedConfig,
    auditorPublicKey: Bytes,
  ) {
    this.plan = plan;
    this.dice = dice(`world ${plan.seed}`);
    this.primitives = primitives;
    this.issuer = issuer;
    this.authority = authorityOf(issuer);
    this.config = config;
    const { keptRounds } = plan;
    this.keeping = keptRounds === 0 ? null : { rounds: keptRounds, auditorKey: auditorPublicKey };
  }

  static async create(plan: Plan): Promise<World> {
    const primitives = plan.real ? javascriptPrimitives() : { ...fakePrimitives(), sha256 };
    const issuer = signerOf(plan, dice("issuer").bytes(32));
    return new World(
      plan,
      primitives,
      issuer,
      await agreedConfigOf(primitives, plan.task, authorityOf(issuer)),
      await primitives.x25519PublicKey(dice("auditor").bytes(32)),
    );
  }

  signer(seed: Bytes): Signer {
    return signerOf(this.plan, seed);
  }

  /** Records a line of what happened, with the clock's time. */
  trace(who: string, what: string): void {
    this.#lines.push(`${this.clock.nowMs()} ${who} ${what}`);
  }

  /** Records a broken invariant. */
  violated(rule: string, what: string): void {
    this.violations.push(`[${rule}] ${what}`);
    this.trace("!", `[${rule}] ${what}`);
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  /** The hash of everything that happened. */
  traceHash(): string {
    return hash("sha256", this.#lines.join("\n"));
  }
}

/** The disk of a world checks real digests. */
async function sha256(bytes: Uint8Array): Promise<Bytes> {
  return new Uint8Array(hash("sha256", bytes, "buffer"));
}

function signerOf(plan: Plan, seed: Bytes): Signer {
  return plan.real ? localSigner(seed) : fakeSigner(seed);
}

function authorityOf(issuer: Signer): Authority {
  return {
    projectId: "default",
    codeVersion: "test",
    issuerKey: bytesToHex(issuer.publicKey),
    logKey: NO_LOG_KEY,
  };
}
