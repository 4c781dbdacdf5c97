"use client";
import { useState } from "react";
import type { Status } from "#shared/protocol/api.ts";
import { Button } from "../../ui/button.tsx";
import { QrCode } from "../../ui/qr-code.tsx";

/** Address of a task's join page that other devices can open. */
function joinUrl(status: Status, task: string): string {
  return `${status.joinBaseUrl.replace(/\/$/, "")}/join/${task}`;
}

const OWN_HOSTS = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** How a device joins: link and QR code, or plainly why another device cannot. */
export function JoinInvitation({ status, task }: { readonly status: Status; readonly task: string }) {
  const url = joinUrl(status, task);
  if (!status.secureContext) {
    return (
      <div className="grid gap-2 text-sm text-ink-2">
        <p>
          Other devices cannot join at this address. Over plain HTTP a browser gives a page no keys to mask
          with and no graphics processor to train on. Start the coordinator with <code>--tls-cert</code> and{" "}
          <code>--tls-key</code>, and a QR code stands here.
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
          Only this machine reaches that address; open it in a few windows. For a phone, let the coordinator
          listen on the network and give it <code>--tls-cert</code> and <code>--tls-key</code>.
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
        <CopyButton text={url} />
      </div>
    </div>
  );
}

function CopyButton({ text }: { readonly text: string }) {
  const [said, setSaid] = useState("");
  const copy = () => {
    navigator.clipboard.writeText(text).then(
      () => setSaid("Copied."),
      () => setSaid("This browser does not let the page copy. Select the link instead."),
    );
  };
  return (
    <p className="flex flex-wrap items-center gap-3">
      <Button onClick={copy}>Copy the link</Button>
      <output className="note">{said}</output>
    </p>
  );
}
