import { release } from "#shared/kernel/release.ts";
import { needBlob } from "../models/models.ts";
import { backoffMs } from "../ports/backoff.ts";
import { DiskLow, FileLost } from "../ports/outage.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";

type ObstaclePorts = Pick<CoordinatorPorts, "disk" | "blobs" | "after" | "random" | "log">;

/**
 * What prevents a run's next round: too little disk space, or a damaged or missing model, on which devices
 * could not train. The run keeps its state meanwhile and can be stopped. Rule R43.
 */
export class Obstacles {
  readonly #ports: ObstaclePorts;
  readonly #onWait: (error: Error | null) => void;
  /** Whether the newest model's file has been verified since it was last in doubt. */
  #modelIsKnown = false;
  #inARow = 0;
  #cancel: () => void = () => {};

  constructor(ports: ObstaclePorts, onWait: (error: Error | null) => void) {
    this.#ports = ports;
    this.#onWait = onWait;
  }

  /**
   * A committed round has just written its model. If devices failed a round, a damaged model may be the
   * cause.
   */
  roundEnded(committed: boolean): void {
    this.#modelIsKnown = committed;
  }

  /** @returns True if nothing prevents the round. Otherwise `look` is called later. */
  async areGone(modelHash: string, look: () => void): Promise<boolean> {
    this.#cancel();
    const obstacle = await this.#find(modelHash);
    if (obstacle === null) {
      if (this.#inARow > 0) this.#onWait(null);
      this.#inARow = 0;
      return true;
    }
    const ports = this.#ports;
    this.#inARow += 1;
    ports.log.warn({ error: obstacle.message }, "a run waits before its next round");
    this.#onWait(obstacle);
    this.#cancel = ports.after(backoffMs(this.#inARow, ports.random), look);
    return false;
  }

  async #find(modelHash: string): Promise<DiskLow | FileLost | null> {
    if (!(await this.#ports.disk.hasRoom())) return new DiskLow();
    if (this.#modelIsKnown) return null;
    try {
      release(await needBlob(this.#ports, modelHash));
    } catch (error) {
      if (error instanceof FileLost) return error;
      throw error;
    }
    this.#modelIsKnown = true;
    return null;
  }

  close(): void {
    this.#cancel();
  }
}
