import { err, ok, type Result } from "#shared/kernel/result.ts";
import type { TlsSetting } from "../adapters/tls/open-tls.ts";
import { environment } from "./command.ts";
import { tlsSetting } from "./tls-options.ts";

/** How a coordinator is reached, from flags or the environment. */
export interface DoorOptions {
  /** 0 for any free port. */
  readonly port: number;
  readonly host: string | undefined;
  readonly tls: TlsSetting | null;
  /** Not checked. */
  readonly publicUrl: string | undefined;
}

interface Values {
  readonly port?: string | undefined;
  readonly host?: string | undefined;
  readonly tls?: boolean | undefined;
  readonly "tls-cert"?: string | undefined;
  readonly "tls-key"?: string | undefined;
  readonly "public-url"?: string | undefined;
}

/** Errors: a sentence that says which flag is wrong. */
export function doorOptions(values: Values): Result<DoorOptions, string> {
  const port = values.port ?? environment("CHORUS_PORT") ?? "3000";
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535)
    return err("--port is a whole number from 0 to 65535.");
  const certPath = values["tls-cert"] ?? environment("CHORUS_TLS_CERT");
  const keyPath = values["tls-key"] ?? environment("CHORUS_TLS_KEY");
  const tls = tlsSetting(values.tls, certPath, keyPath);
  if (!tls.ok) return tls;
  return ok({
    port: Number(port),
    host: values.host ?? environment("CHORUS_HOST"),
    tls: tls.value,
    publicUrl: values["public-url"] ?? environment("CHORUS_PUBLIC_URL"),
  });
}
