import { utf8 } from "#shared/kernel/bytes.ts";
import type { Receipt } from "#shared/protocol/api.ts";
import type { WireError } from "#shared/protocol/errors.ts";
import { encodeFrame } from "#shared/protocol/frame.ts";
import type { DeviceMessageOf } from "#shared/protocol/messages/device.ts";
import type { Outgoing } from "#shared/secagg/client-state.ts";
import { pause } from "../pause.ts";
import type { ClientPorts } from "../ports.ts";
import type { RoundStep } from "../view.ts";
import type { ContributionDraft, Part } from "./contribution.ts";
import type { RoundProgress } from "./progress.ts";

/*
 * Sends the messages and the input of one attempt. It repeats the same bytes until they are acknowledged, refused for
 * good, or no longer needed.
 */

/** Pause between two tries. */
export const AGAIN_MS = 1_000;

type AttemptAnswer = DeviceMessageOf<"advertise" | "share" | "confirm" | "unmask" | "complaint">;
type Input = Extract<Outgoing, { kind: "input" }>;
const STEP_AFTER: Readonly<Record<AttemptAnswer["type"], RoundStep | null>> = {
  advertise: "advertised",
  share: "shared",
  confirm: "confirmed",
  unmask: "opened",
  complaint: null,
};

/** The fate of what was sent. */
export type Sent =
  | { readonly type: "acknowledged"; readonly step: RoundStep | null }
  | { readonly type: "received"; readonly receipt: Receipt }
  | { readonly type: "refused"; readonly error: WireError }
  /** The deadline passed before a receipt came. */
  | { readonly type: "late" }
  /** The receipt does not match the input. */
  | { readonly type: "contradicted" };

export interface DeliveryContext {
  readonly ports: Pick<ClientPorts, "link" | "after">;
  /** Resolves once the device is logged in, or when `signal` is aborted. */
  readonly online: (signal: AbortSignal) => Promise<void>;
  readonly progress: RoundProgress;
  /** Aborted when the device's part in the round is over. */
  readonly signal: AbortSignal;
  /** Deadline for an upload that starts now, on the monotonic clock. */
  readonly deadlineMs: () => number;
  /** Not called for sends that were superseded or cancelled. */
  readonly onSent: (result: Sent) => void;
  readonly onFault: (fault: unknown) => void;
}

export class Delivery {
  readonly #context: DeliveryContext;
  /** Counts sends. A later send, even of the same message, supersedes one that is not acknowledged yet. */
  #count = 0;
  /** The newest upload wins: after a reconnect the coordinator may name another slot. */
  #uploadAbort: AbortController | null = null;

  constructor(context: DeliveryContext) {
    this.#context = context;
  }

  /** @param draft  Records what leaves. */
  send(
    draft: ContributionDraft | null,
    outgoing: Outgoing | { readonly kind: "message"; readonly message: AttemptAnswer },
  ): void {
    const own = ++this.#count;
    const isStale = () => this.#context.signal.aborted || this.#count !== own;
    const work =
      outgoing.kind === "input"
        ? this.#upload(draft, outgoing)
        : this.#message(draft, outgoing.message, isStale);
    work.catch((fault) => this.#context.onFault(fault));
  }

  /** Stops waiting for any answer. */
  cancel(): void {
    this.#count += 1;
    this.#uploadAbort?.abort();
  }

  async #message(
    draft: ContributionDraft | null,
    message: AttemptAnswer,
    isStale: () => boolean,
  ): Promise<void> {
    const { ports, online, signal, onSent } = this.#context;
    let perhapsTaken = false;
    while (!isStale()) {
      await online(signal);
      if (isStale()) return;
      draft?.leaves(partOf(message), `${message.type}.frame`, encodeFrame(message));
      const reply = await ports.link.send(message);
      if (isStale()) return;
      if (!reply.ok) {
        perhapsTaken = true;
      } else if (reply.value.type === "refused") {
        const { error } = reply.value;
        // The message arrived before the connection was lost, and the round has moved on. The next message or the
        // deadline decides.
        if (error.code === "STATE" && perhapsTaken) return;
        if (error.retry === "never") return onSent({ type: "refused", error });
      } else {
        if (reply.value.type === "accepted") onSent({ type: "acknowledged", step: STEP_AFTER[message.type] });
        return;
      }
      await pause(ports.after, AGAIN_MS, signal);
    }
  }

  async #upload(draft: ContributionDraft | null, { sid, position, headers, body }: Input): Promise<void> {
    const { ports, progress, signal, deadlineMs, onSent } = this.#context;
    this.#uploadAbort?.abort();
    const own = new AbortController();
    this.#uploadAbort = own;
    signal.addEventListener("abort", () => own.abort(), { once: true });
    draft?.masks(body, headers.sha256, headers.root);
    draft?.leaves("maskedListByteCount", "masked-list.u32", body);
    draft?.leaves("keysAndSignaturesByteCount", "input-headers.json", utf8(JSON.stringify(headers)));
    progress.enter("uploading");
    const sent = await ports.link.upload(`/api/v1/uploads/${sid}/${position}`, headers, body, {
      deadlineMs: deadlineMs(),
      signal: own.signal,
      onProgress: (doneByteCount) => progress.show({ upload: { doneByteCount, byteCount: body.length } }),
    });
    if (own.signal.aborted) return;
    if (!sent.ok) {
      onSent(sent.error.type === "refused" ? { type: "refused", error: sent.error.error } : { type: "late" });
      return;
    }
    const receipt = sent.value;
    const isOwn = receipt.sha256 === headers.sha256 && receipt.sid === sid && receipt.position === position;
    onSent(isOwn ? { type: "received", receipt } : { type: "contradicted" });
  }
}

function partOf(message: AttemptAnswer): Part {
  if (message.type === "share") return "keySharesByteCount";
  return message.type === "unmask" ? "openingByteCount" : "keysAndSignaturesByteCount";
}
