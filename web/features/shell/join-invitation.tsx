"use client";
import type { Status } from "#shared/protocol/api.ts";
import { CopyButton } from "../../ui/copy-button.tsx";
import { QrCode } from "../../ui/qr-code.tsx";
import { joinUrl, TRUST_FIRST } from "../../words/opening.ts";

const OWN_HOSTS = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** How a device joins: link and QR code, or why another device cannot. */
export function JoinInvitation({ status, task }: { readonly status: Status; readonly task: string }) {
  const url = joinUrl(status, task);
  if (!status.secureContext) {
    return (
      <div className="grid gap-2 text-sm text-ink-2">
        <p>
          Other devices cannot join at this address. Over plain HTTP a browser gives a page no cryptography to
          mask with and no graphics processor to train on. Start the coordinator with <code>--tls</code>, and
          a QR code appears here.
        </p>
        <p>
          This machine can: <a href={`/join/${task}`}>join page of {task}</a>.
        </p>
      </div>
    );
  }
  if (OWN_HOSTS.has(new URL(url).hostname)) {
    return (
      <div className="grid gap-2 text-sm">
        <p className="wrap-anywhere">
          <a href={url}>{url}</a>
        </p>
        <p className="text-ink-2">
          Only this machine can reach that address; open it in a few windows. For a phone, let the coordinator
          listen on the network and start it with <code>--tls</code>.
        </p>
      </div>
    );
  }
  return (
    <div className="flex flex-wrap items-start gap-5">
      <QrCode text={url} label={`QR code of ${url}`} />
      <div className="grid min-w-0 flex-1 basis-40 gap-2 text-sm">
        <p className="text-ink-2">Scan it with a phone, or open</p>
        <p className="wrap-anywhere">
          <a href={url}>{url}</a>
        </p>
        <CopyButton text={url} what="the link" />
        {status.authorityFingerprint !== undefined && (
          <p className="text-ink-2">
            {TRUST_FIRST} <a href={`${status.joinBaseUrl}/ca.crt`}>{`${status.joinBaseUrl}/ca.crt`}</a>
          </p>
        )}
      </div>
    </div>
  );
}
