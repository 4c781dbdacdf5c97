import type { Position } from "#shared/kernel/places.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import type { Receipt } from "#shared/protocol/api.ts";
import { finalError, type WireError, wireError } from "#shared/protocol/errors.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import type { InputHeaders } from "#shared/protocol/messages/device.ts";
import { type RateLimit, rateLimit } from "../access/rate-limit.ts";
import type { Uploads, UploadTicket } from "../coordinator.ts";
import { DiskLow, wireErrorOf } from "../ports/outage.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import { beginUpload, discardLate, finishUpload } from "../rounds/round-door.ts";
import type { RunDesk } from "../runs/run-desk.ts";

export interface UploadDeskParts {
  readonly desk: RunDesk;
  readonly isRunning: () => boolean;
}

/** Accepts masked inputs, whether their round waits for them or is over. */
export function createUploads(ports: CoordinatorPorts, parts: UploadDeskParts): Uploads {
  return new UploadDesk(ports, parts);
}

class UploadDesk implements Uploads {
  readonly #ports: CoordinatorPorts;
  readonly #desk: RunDesk;
  readonly #isRunning: () => boolean;
  /** Wrong slot tokens, by address. */
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
    position: Position,
    headers: InputHeaders,
    address: string | null = null,
  ): Promise<Result<UploadTicket, WireError>> {
    if (!this.#isRunning()) return err(wireError("UNAVAILABLE"));
    const round = await this.#desk.roundOfSession(sid);
    // Slots of a living round are judged whatever else their address has sent, because others may share the
    // address.
    if (round === null && address !== null && !this.#wrongSlots.take(address, 0))
      return err(wireError("RATE_LIMITED"));
    // Only the coordinator can make a slot's token, so a made-up one costs no look-up.
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

  /**
   * Upload for a session that is over: an input that counted gets its receipt again, any other is refused.
   */
  async #lateUpload(
    sid: string,
    position: Position,
    headers: InputHeaders,
  ): Promise<Result<UploadTicket, WireError>> {
    const { store } = this.#ports;
    const slot = await store.findSlot(sid, position);
    // The session of the token is no longer kept.
    if (slot === null) return err(wireError("BAD_SLOT"));
    const stored = await store.findInput(sid, position);
    // The slot is open but no round lives, so the round is being read back from its log.
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
