import type { Seat } from "#shared/kernel/places.ts";
import { type Prompt, promptsFor } from "#shared/round/prompt.ts";
import type { RoundState } from "#shared/round/state.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import type { RunTerms } from "../tasks/terms.ts";
import { LogProofs } from "./log-proofs.ts";
import { messageFor, STEP_OF_PROMPT } from "./messages.ts";
import type { RoundSessions } from "./round-sessions.ts";
import { sessionOfSeat } from "./session.ts";
import type { Slots } from "./slots.ts";
import type { TrafficMeter } from "./traffic.ts";

/** Sending to many devices yields to other work after this many. */
const TOLD_AT_A_TIME = 16;

interface MessengerContext {
  readonly ports: CoordinatorPorts;
  readonly terms: RunTerms;
  readonly slots: Slots;
  readonly sessions: RoundSessions;
  readonly traffic: TrafficMeter;
  readonly state: () => RoundState;
  readonly nowMs: () => number;
  /** What a device has seen of the public log. */
  readonly logSize: (identity: string) => number;
}

/** Sends a round's devices what they need now. */
export class RoundMessenger {
  readonly #context: MessengerContext;
  readonly #proofs: LogProofs;

  constructor(context: MessengerContext) {
    this.#context = context;
    const { ports, terms, state } = context;
    const { roundId } = state().facts;
    const { configHash, config } = terms;
    this.#proofs = new LogProofs({ ports, configHash, roundId, demand: config.logWitnesses ?? null });
  }

  async tell(identities: readonly string[]): Promise<void> {
    for (const [index, identity] of identities.entries()) {
      if (index > 0 && index % TOLD_AT_A_TIME === 0) await new Promise((resolve) => setImmediate(resolve));
      const state = this.#context.state();
      for (const prompt of promptsFor(state, identity)) await this.send(identity, prompt, state);
    }
  }

  async send(identity: string, prompt: Prompt, state: RoundState): Promise<void> {
    const { ports, terms, slots, sessions, traffic, nowMs } = this.#context;
    const session = async (seat: Seat) => sessionOfSeat(await sessions.of(state.attempt, state), seat);
    const logSize = this.#context.logSize(identity);
    const source = { ports, terms, slots, state, nowMs: nowMs(), session, proofs: this.#proofs, logSize };
    const message = await messageFor(source, prompt);
    const { downByteCount } = ports.devices.traffic(identity);
    ports.devices.send(identity, message);
    const sent = ports.devices.traffic(identity).downByteCount - downByteCount;
    const step = STEP_OF_PROMPT[prompt.type];
    if (sent > 0) traffic.count(identity, step, "down", sent);
    if (sent > 0 && prompt.type === "invite")
      traffic.count(identity, step, "down", state.facts.modelByteCount);
  }
}
