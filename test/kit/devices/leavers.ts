import { Federation } from "../worlds/federation.ts";

/*
 * A federation of eight devices, and made-up ones that check in, are invited and leave, round after round. Shows what
 * the rule about leavers is worth (R30), and what happens without it.
 */

export const HONEST = 8;
const MADE_UP = 16;

export interface LeaversOptions {
  readonly rounds: number;
  /** The made-up devices have new identities each time, because identities cost nothing. */
  readonly renewed: boolean;
}

export interface Leavers {
  /** How each round ended, in order. */
  readonly phases: readonly string[];
  /** Made-up devices that were invited, by round. */
  readonly invited: readonly number[];
  /** Seconds of recruiting in each round; null if it never ended. */
  readonly recruitingS: readonly (number | null)[];
  /** The largest number of devices that a view showed as asked last. */
  readonly shown: number;
}

/** Ends when the run has ended or is given up. */
export async function playLeavers({ rounds, renewed }: LeaversOptions): Promise<Leavers> {
  const plan = {
    goal: HONEST,
    cohortSizeMin: 6,
    cohortSizeMax: HONEST + 2,
    recruitingMinMs: undefined,
  };
  const federation = await Federation.create({ devices: HONEST, seed: "leavers", task: plan });
  const { coordinator, task } = federation;
  let made = 0;
  const fresh = () => (++made).toString(16).padStart(64, "f");
  const checkIn = async (identity: string) => {
    coordinator.devices.deviceUp(identity, task.slug, "203.0.113.7");
    await coordinator.devices.onDeviceMessage(identity, { type: "check-in", taskVersion: task.version });
  };
  const invitedByRound = new Map<number, number>();
  const leave = async (identity: string) => {
    await coordinator.devices.onDeviceMessage(identity, { type: "leave" });
    if (renewed) coordinator.devices.deviceDown(identity);
    await checkIn(renewed ? fresh() : identity);
  };
  federation.onStranger = (identity, message) => {
    if (message.type !== "invite") return;
    invitedByRound.set(message.round, (invitedByRound.get(message.round) ?? 0) + 1);
    federation.inFlight.add(leave(identity));
  };
  for (let index = 0; index < MADE_UP; index++) await checkIn(fresh());
  federation.connectAll();
  const runId = await federation.launch(rounds);
  await federation.ended(runId);
  const inOrder = (await federation.rounds(runId)).sort((left, right) => left.round - right.round);
  return {
    phases: inOrder.map(({ phase }) => phase),
    invited: inOrder.map(({ round }) => invitedByRound.get(round) ?? 0),
    recruitingS: inOrder.map(({ phaseEndsS }) => phaseEndsS.recruiting ?? null),
    shown: Math.max(...inOrder.map(({ askedLast }) => askedLast?.devices ?? 0)),
  };
}
