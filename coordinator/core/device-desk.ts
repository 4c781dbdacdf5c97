import { finalError } from "#shared/protocol/errors.ts";
import type { Reply } from "#shared/protocol/messages/reply.ts";
import type { DeviceDesk, RoundMessage } from "./coordinator.ts";
import type { Lobby } from "./lobby.ts";
import { wireErrorOf } from "./outage.ts";
import type { CoordinatorPorts } from "./ports.ts";
import { answerDevice, refused } from "./round-door.ts";
import type { RoundDriver } from "./round-driver.ts";
import type { RunDesk } from "./run-desk.ts";

export interface DeviceDeskParts {
  readonly lobby: Lobby;
  readonly desk: RunDesk;
  readonly isRunning: () => boolean;
}

/** Devices that have logged in: their connections, and what they say. */
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

  deviceUp(identity: string, task: string, address: string | null = null): void {
    this.#lobby.enter(identity, task, address);
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
      this.#ports.log.error({ message: message.type, error: String(error) }, "a device's message failed");
      return { type: "refused", error: wireErrorOf(error) };
    }
  }

  async #answer(identity: string, message: RoundMessage): Promise<Reply> {
    if (!this.#isRunning()) return refused("UNAVAILABLE");
    if (this.#lobby.taskOf(identity) === null) return refused("NOT_AUTHENTICATED");
    const round = this.#roundOf(identity);
    switch (message.type) {
      case "check-in":
        return this.#checkIn(identity, message.taskVersion, round);
      case "leave":
        // Who leaves a round that it has no state for still waits for the next one; who only waits goes for good.
        if (round?.holds(identity) !== true) this.#lobby.withdraw(identity);
        else if (message.code !== undefined) this.#desk.refused(round, identity, message.code);
        await round?.presence("left", identity);
        return { type: "accepted" };
      default:
        if (round !== null) return answerDevice(round, identity, message);
        // While a round is read back from its log, or after the last round of its run.
        return this.#desk.activeRun(this.#lobby.taskOf(identity) ?? "") === null
          ? { type: "refused", error: finalError("NO_RUN") }
          : refused("UNAVAILABLE");
    }
  }

  async #checkIn(identity: string, version: number, round: RoundDriver | null): Promise<Reply> {
    const slug = this.#lobby.taskOf(identity) ?? "";
    const wanted = this.#desk.activeRun(slug)?.terms.task ?? (await this.#ports.store.findTask(slug))?.task;
    if (wanted === undefined) return refused("UNKNOWN_TASK");
    if (version !== wanted.version) {
      return refused(
        "TASK_VERSION",
        `Version ${wanted.version} of this task is being trained. Read it and agree again.`,
      );
    }
    // A device that has just left its round checks in after its farewell is written, or the round would still take it
    // for one that it invited (R25).
    await round?.heard(identity);
    this.#lobby.checkIn(identity, version);
    if (round?.state.phase === "recruiting") await round.checkIn(this.#lobby.checkIns([identity]));
    return { type: "accepted" };
  }

  #roundOf(identity: string): RoundDriver | null {
    const task = this.#lobby.taskOf(identity);
    return task === null ? null : this.#desk.currentRound(task);
  }

  #inBackground(work: () => Promise<void> | undefined): void {
    Promise.resolve(work()).catch((error) => {
      this.#ports.log.error({ error: String(error) }, "a change of a connection failed");
    });
  }
}
