import { err, ok, type Result } from "#shared/kernel/result.ts";
import type { Receipt } from "#shared/protocol/api.ts";
import { finalError, type WireError, wireError } from "#shared/protocol/errors.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import type { InputHeaders } from "#shared/protocol/messages/device.ts";
import type { Uploads, UploadTicket } from "./coordinator.ts";
import { DiskLow, wireErrorOf } from "./outage.ts";
import type { CoordinatorPorts } from "./ports.ts";
import { type RateLimit, rateLimit } from "./rate-limit.ts";
import { beginUpload, discardLate, finishUpload } from "./round-door.ts";
import type { RunDesk } from "./run-desk.ts";

export interface UploadDeskParts {
  readonly desk: RunDesk;
  readonly isRunning: () => boolean;
}

/** Masked inputs on their way in: to the round that waits for them, or too late for it. */
export function createUploads(ports: CoordinatorPorts, parts: UploadDeskParts): Uploads {
  return new UploadDesk(ports, parts);
}

class UploadDesk implements Uploads {
  readonly #ports: CoordinatorPorts;
  readonly #desk: RunDesk;
  readonly #isRunning: () => boolean;
  /** By address. */
  readonly #wrongSlots: RateLimit;

  constructor(ports: CoordinatorPorts, { desk, isRunning }: UploadDeskParts) {
    this.#ports = ports;
    this.#desk = desk;
    this.#isRunning = isRunning;
    this.#wrongSlots = rateLimit(ports.clock, {
      burst: LIMITS.wrongSlotsBurstPerAddress,
      perSecond: LIMITS.wrongSlotsPerSecondPerAddress,
    });
  }

  async beginUpload(
    sid: string,
    position: number,
    headers: InputHeaders,
    address: string | null = null,
  ): Promise<Result<UploadTicket, WireError>> {
    if (!this.#isRunning()) return err(wireError("UNAVAILABLE"));
    const round = await this.#desk.roundOfSession(sid);
    // The slots of a living round are judged, whatever else its address has sent: others are behind it, too.
    if (round === null && address !== null && !this.#wrongSlots.take(address, 0))
      return err(wireError("RATE_LIMITED"));
    // Nobody else can make a slot's token, so a made-up one costs no look-up.
    if (!(await this.#desk.isSlotToken(sid, position, headers.slot))) {
      if (address !== null) this.#wrongSlots.charge(address, 1);
      return err(wireError("BAD_SLOT"));
    }
    const ticket =
      round === null
        ? await this.#lateUpload(sid, position, headers)
        : await beginUpload(round, sid, position, headers);
    const isNew = ticket.ok && ticket.value.receipt === null;
    if (isNew && !(await this.#ports.disk.hasRoom())) return err(wireErrorOf(new DiskLow()));
    return ticket;
  }

  /** The session is over: an input that counted gets its receipt again, another has no place. */
  async #lateUpload(
    sid: string,
    position: number,
    headers: InputHeaders,
  ): Promise<Result<UploadTicket, WireError>> {
    const { store } = this.#ports;
    const slot = await store.findSlot(sid, position);
    // The session that it was given for is not kept any more.
    if (slot === null) return err(wireError("BAD_SLOT"));
    const stored = await store.findInput(sid, position);
    // An open slot of no living round: the round is being read back from its log.
    if (stored === null) return err(slot.open ? wireError("UNAVAILABLE") : finalError("SLOT_CLOSED"));
    const { sha256, root, signature } = headers;
    if (stored.sha256 !== sha256 || stored.root !== root) return err(wireError("CONFLICT"));
    const { byteCount } = stored;
    const receipt = { sid, position, sha256, byteCount } as Receipt;
    return ok({ sid, position, byteCount, sha256, root, signature, receipt });
  }

  async finishUpload(ticket: UploadTicket): Promise<Result<Receipt, WireError>> {
    if (!this.#isRunning()) return err(wireError("UNAVAILABLE"));
    const round = await this.#desk.roundOfSession(ticket.sid);
    if (round !== null) return finishUpload(round, ticket);
    const slot = await this.#ports.store.findSlot(ticket.sid, ticket.position);
    await discardLate(this.#ports, ticket);
    return err(slot?.open === true ? wireError("UNAVAILABLE") : finalError("SLOT_CLOSED"));
  }
}
