import type { Status } from "#shared/protocol/api.ts";
import { lanAddress } from "./http/origins.ts";

/* Under which addresses people and devices find this coordinator. */

export interface Reach {
  readonly publicUrl?: string | undefined;
  readonly host?: string | undefined;
}

/** Where other devices find the join page, and whether browsers there have WebCrypto and WebGPU. */
export function joinAddress(
  settings: Reach,
  secure: boolean,
  port: number,
): Pick<Status, "joinBaseUrl" | "secureContext"> {
  if (settings.publicUrl !== undefined) {
    const { origin, protocol } = new URL(settings.publicUrl);
    return { joinBaseUrl: origin, secureContext: protocol === "https:" };
  }
  const name = joinName(settings);
  return {
    joinBaseUrl: `${secure ? "https" : "http"}://${name}:${port}`,
    // Browsers trust plain HTTP only on the machine itself.
    secureContext: secure || name === "localhost",
  };
}

/** The host part of that address. */
export function joinName({ publicUrl, host }: Reach): string {
  if (publicUrl !== undefined) return new URL(publicUrl).hostname;
  if (host === "127.0.0.1" || host === "::1" || host === "localhost") return "localhost";
  const address = host ?? lanAddress() ?? "localhost";
  return address.includes(":") ? `[${address}]` : address;
}

/**
 * Base address of the pages for whoever signs in. Without HTTPS that is this machine alone: sign-in over plain HTTP from
 * elsewhere is refused.
 */
export function signInBaseUrl({
  joinBaseUrl,
  secureContext,
}: Pick<Status, "joinBaseUrl" | "secureContext">): string {
  if (secureContext) return joinBaseUrl;
  const url = new URL(joinBaseUrl);
  url.hostname = "localhost";
  return url.origin;
}
