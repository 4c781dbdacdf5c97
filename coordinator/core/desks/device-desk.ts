import { finalError } from "#shared/protocol/errors.ts";
import type { DeviceMessageOf } from "#shared/protocol/messages/device.ts";
import { type Reply, refusedReply } from "#shared/protocol/messages/reply.ts";
import type { DeviceDesk, RoundMessage } from "../coordinator.ts";
import type { Lobby } from "../devices/lobby.ts";
import { wireErrorOf } from "../ports/outage.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import { answerDevice } from "../rounds/round-door.ts";
import type { RoundDriver } from "../rounds/round-driver.ts";
import type { RunDesk } from "../runs/run-desk.ts";

export interface DeviceDeskParts {
  readonly lobby: Lobby;
  readonly desk: RunDesk;
  readonly isRunning: () => boolean;
}

/** Handles the connections and messages of devices that have logged in. */
export function createDeviceDesk(
  ports: Pick<CoordinatorPorts, "store" | "log">,
  parts: DeviceDeskParts,
): DeviceDesk {
  return new Desk(ports, parts);
}

class Desk implements DeviceDesk {
  readonly #ports: Pick<CoordinatorPorts, "store" | "log">;
  readonly #lobby: Lobby;
  readonly #desk: RunDesk;
  readonly #isRunning: () => boolean;

  constructor(ports: Pick<CoordinatorPorts, "store" | "log">, { lobby, desk, isRunning }: DeviceDeskParts) {
    this.#ports = ports;
    this.#lobby = lobby;
    this.#desk = desk;
    this.#isRunning = isRunning;
  }

  deviceUp(identity: string, task: string, address: string | null = null, logSize = 0): void {
    // A device that changes to another task may be back before its lost connection is noticed.
    const before = this.#lobby.taskOf(identity);
    if (before !== null && before !== task) this.deviceDown(identity);
    this.#lobby.enter(identity, task, address, logSize);
    this.#inBackground(async () => {
      await this.#desk.earlierRound(task)?.tellEnd(identity);
      await this.#roundOf(identity)?.deviceUp(identity);
    });
  }

  deviceDown(identity: string): void {
    const round = this.#roundOf(identity);
    this.#lobby.leave(identity);
    this.#inBackground(() => round?.presence("disconnected", identity));
  }

  async onDeviceMessage(identity: string, message: RoundMessage): Promise<Reply> {
    try {
      return await this.#answer(identity, message);
    } catch (error) {
      this.#ports.log.error({ message: message.type, error: String(error) }, "handling a message failed");
      return { type: "refused", error: wireErrorOf(error) };
    }
  }

  async #answer(identity: string, message: RoundMessage): Promise<Reply> {
    if (!this.#isRunning()) return refusedReply("UNAVAILABLE");
    const slug = this.#lobby.taskOf(identity);
    if (slug === null) return refusedReply("NOT_AUTHENTICATED");
    const round = this.#roundOf(identity);
    switch (message.type) {
      case "check-in":
        return this.#checkIn(identity, slug, message, round);
      case "leave":
        // A device that leaves a round without holding state for it still waits for the next. One that only
        // waits leaves for good. Its message may arrive just after others with the same reason have ended the
        // round.
        if (message.code !== undefined) {
          const refused = [round, this.#earlierRoundOf(identity)].find((one) => one?.hasInvited(identity));
          if (refused) this.#desk.deviceRefused(refused, identity, message.code);
        }
        if (round?.holds(identity) !== true) this.#lobby.withdraw(identity);
        await round?.presence("left", identity);
        return { type: "accepted" };
      default:
        if (round !== null) return answerDevice(round, identity, message);
        // Either a round is being read back from its log, or its run has had its last round.
        return this.#desk.activeRun(slug) === null
          ? { type: "refused", error: finalError("NO_RUN") }
          : refusedReply("UNAVAILABLE");
    }
  }

  async #checkIn(
    identity: string,
    slug: string,
    { taskVersion: version, logSize = 0 }: DeviceMessageOf<"check-in">,
    round: RoundDriver | null,
  ): Promise<Reply> {
    const active = this.#desk.activeRun(slug);
    const stored = active === null ? await this.#ports.store.findTask(slug) : null;
    const wanted = active?.terms.task ?? stored?.task;
    if (wanted === undefined) return refusedReply("UNKNOWN_TASK");
    if (stored !== null && stored.settings.archived !== null) return refusedReply("TASK_ARCHIVED");
    if (version !== wanted.version) {
      return refusedReply(
        "TASK_VERSION",
        `Version ${wanted.version} of this task is being trained. Read it and agree again.`,
      );
    }
    // If the device has just left its round, its check-in waits until that is written. Otherwise the round
    // would still count it as invited (R25).
    await round?.heard(identity);
    this.#lobby.checkIn(identity, version, logSize);
    if (round?.state.phase === "recruiting") await round.checkIn(this.#lobby.checkIns([identity]));
    return { type: "accepted" };
  }

  #roundOf(identity: string): RoundDriver | null {
    const task = this.#lobby.taskOf(identity);
    return task === null ? null : this.#desk.currentRound(task);
  }

  #earlierRoundOf(identity: string): RoundDriver | null {
    const task = this.#lobby.taskOf(identity);
    return task === null ? null : this.#desk.earlierRound(task);
  }

  #inBackground(work: () => Promise<void> | undefined): void {
    Promise.resolve(work()).catch((error) => {
      this.#ports.log.error({ error: String(error) }, "a change of a connection failed");
    });
  }
}
