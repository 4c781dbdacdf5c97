import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

export function hasOpenssl(): boolean {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** A certificate for localhost that trusts itself, made in `folder`. */
export function selfSigned(folder: string): {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly certPath: string;
} {
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"];
  const files = ["-keyout", key, "-out", cert];
  const args = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  execFileSync("openssl", [...args, ...files, ...name], { stdio: "ignore" });
  return { cert: readFileSync(cert), key: readFileSync(key), certPath: cert };
}
