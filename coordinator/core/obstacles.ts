import { release } from "#shared/kernel/release.ts";
import { backoffMs } from "./backoff.ts";
import { needBlob } from "./models.ts";
import { DiskLow, FileLost } from "./outage.ts";
import type { CoordinatorPorts } from "./ports.ts";

type ObstaclePorts = Pick<CoordinatorPorts, "disk" | "blobs" | "after" | "random" | "log">;

/**
 * What stands in the way of a run's next round: a disk below its floor, or a model that is damaged or gone, on which
 * devices could not train. The run stays as it is meanwhile, and can be stopped. Rule R43.
 */
export class Obstacles {
  readonly #ports: ObstaclePorts;
  readonly #onWait: (error: Error | null) => void;
  /** Whether the newest model's file was seen to be whole since it was last doubted. */
  #modelIsKnown = false;
  #inARow = 0;
  #cancel: () => void = () => {};

  constructor(ports: ObstaclePorts, onWait: (error: Error | null) => void) {
    this.#ports = ports;
    this.#onWait = onWait;
  }

  /** After a commit the model was written a moment ago; if devices failed a round, it may be why. */
  roundEnded(committed: boolean): void {
    this.#modelIsKnown = committed;
  }

  /** @returns True if nothing stands in the way; else `look` is called in a while. */
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
