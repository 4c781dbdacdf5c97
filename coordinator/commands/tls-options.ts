import { err, ok, type Result } from "#shared/kernel/result.ts";
import type { TlsSetting } from "../adapters/tls/open-tls.ts";
import type { RunningCoordinator } from "../main.ts";

/* The flags for HTTPS, which the coordinator and the demo share. */

export const TLS_HELP = `  --tls             HTTPS with a certificate of its own for the local network, so that phones and other machines can take
                    part; says how they come to trust it
  --tls-cert FILE, --tls-key FILE
                    HTTPS with this certificate`;

/** Errors: a sentence that says which flags contradict each other. */
export function tlsSetting(
  own: boolean | undefined,
  certPath: string | undefined,
  keyPath: string | undefined,
): Result<TlsSetting | null, string> {
  if ((certPath === undefined) !== (keyPath === undefined))
    return err("--tls-cert and --tls-key go together.");
  if (certPath === undefined || keyPath === undefined) return ok(own === true ? "own" : null);
  if (own === true) return err("Give either --tls, or --tls-cert and --tls-key.");
  return ok({ certPath, keyPath });
}

/** How devices come to trust the coordinator's own certificate, for the terminal; null if it has none. */
export function trustWords({ authority, status }: RunningCoordinator): string | null {
  if (authority === null) return null;
  const { path, fingerprint, isNew } = authority;
  return `
HTTPS with a certificate of its own. ${isNew ? "Its authority is new, so each device has to trust it once." : "Devices that trust its authority already need nothing more."}
On the device, open ${status.joinBaseUrl}/ca.crt (go past the browser's warning this one time), then:
  iPhone, iPad  Settings > Profile Downloaded > Install, then General > About > Certificate Trust Settings > on
  Android       Settings > Security > Encryption & credentials > Install a certificate > CA certificate
  macOS         open it in Keychain Access, then Trust > Always Trust
  Windows       open it, then Install Certificate > Trusted Root Certification Authorities
  Linux         copy it to /usr/local/share/ca-certificates and run update-ca-certificates; Firefox has its own list
  an edge       NODE_EXTRA_CA_CERTS=${path}
Compare its SHA-256 fingerprint before you trust it:
  ${fingerprint}
It can vouch only for names on local networks and for this coordinator's name. Remove it from devices that no longer take part.
`;
}
