import { readFile } from "node:fs/promises";
import type { Server } from "node:http";
import { Server as HttpsServer } from "node:https";
import { randomBytes, wallClock } from "#shared/node/system.ts";
import type { Log } from "../../core/ports/ports.ts";
import type { Tls } from "../http/server.ts";
import { messageOf } from "../system-errors.ts";
import { nameOf, ownNames } from "./names.ts";
import type { OwnAuthority } from "./own-certificate.ts";

/** `own` makes a certificate and keeps it in the data folder. */
export type TlsSetting = { readonly certPath: string; readonly keyPath: string } | "own";

/** @throws Error that names the flag if a file cannot be read. */
export async function readTls({ certPath, keyPath }: Exclude<TlsSetting, "own">): Promise<Tls> {
  const read = async (path: string, flag: string) => {
    try {
      return await readFile(path);
    } catch {
      throw new Error(`${path} cannot be read. Check ${flag}.`);
    }
  };
  return { cert: await read(certPath, "--tls-cert"), key: await read(keyPath, "--tls-key") };
}

/** A certificate of the coordinator's own, and how it is made again. */
export interface OwnTls {
  readonly tls: Tls;
  readonly authority: OwnAuthority;
  /** @throws as `openOwnTls`. */
  renew(): Promise<OwnTls>;
}

/**
 * @param host  The host name or address under which other devices reach this coordinator, as in its URL.
 * @throws Error that says what to do, as for `openOwnCertificate`.
 */
export async function openOwnTls(dataDir: string, host: string): Promise<OwnTls> {
  const needed = nameOf(host);
  if (needed === null)
    throw new Error(
      `--tls cannot make a certificate for the name ${host}. Give --host or --public-url another.`,
    );
  // Loaded only here, because the library takes a fifth of a second.
  const { openOwnCertificate } = await import("./own-certificate.ts");
  const ports = { wall: wallClock, random: randomBytes };
  const { authority, ...tls } = await openOwnCertificate(ports, dataDir, needed, ownNames());
  return { tls, authority, renew: () => openOwnTls(dataDir, host) };
}

const DAY_MS = 86_400_000;

/**
 * Renews the certificate of a server that runs for months. Connections that are open keep the old one.
 *
 * @returns A function that ends this.
 */
export function keepOwnTls(
  server: Server,
  own: OwnTls,
  { after, log }: { readonly after: (delayMs: number, run: () => void) => () => void; readonly log: Log },
): () => void {
  let served = own.tls.cert;
  let cancel = after(DAY_MS, check);
  return () => cancel();

  function check(): void {
    cancel = after(DAY_MS, check);
    own.renew().then(
      ({ tls, authority }) => {
        if (authority.isNew) log.warn({}, "each device has to trust a new certificate authority");
        if (tls.cert === served || !(server instanceof HttpsServer)) return;
        served = tls.cert;
        server.setSecureContext(tls);
        log.info({}, "the certificate was renewed");
      },
      (error: unknown) => log.error({ error: messageOf(error) }, "the certificate was not renewed"),
    );
  }
}
