import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const LOG = fileURLToPath(new URL("../../../coordinator/commands/log.ts", import.meta.url));

/** A real witness in its own process, which a test may kill and restart on the same folder. */
export interface WitnessProcess {
  readonly port: number;
  readonly url: string;
  /** NAME+KEYID+KEY, as it printed it. */
  readonly key: string;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGTERM. Resolves with the exit code. */
  stop(): Promise<number | null>;
}

/**
 * Resolves when it listens. @param logs  Verifier keys.
 * @throws Error with what it said if it does not start.
 */
export async function spawnWitness(
  { name, folder, port = 0 }: { readonly name: string; readonly folder: string; readonly port?: number },
  logs: readonly string[],
): Promise<WitnessProcess> {
  const flags = ["--name", name, "--state", folder, "--listen", `127.0.0.1:${port}`];
  const args = ["witness", ...flags, ...logs.flatMap((key) => ["--log", key])];
  const child = spawn(process.execPath, [LOG, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let [out, said] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk.toString();
  });
  const listening = new Promise<void>((resolve, reject) => {
    child.stderr.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes("Ctrl-C")) resolve();
    });
    child.once("exit", (code) => reject(new Error(`the witness ended with ${code}: ${said}`)));
  });
  await listening;
  const taken = Number(/http:\/\/127\.0\.0\.1:(\d+)/.exec(said)?.[1]);
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    child.kill(signal);
    const [code] = (await once(child, "exit")) as [number | null];
    return code;
  };
  return {
    port: taken,
    url: `http://127.0.0.1:${taken}`,
    key: out.trim(),
    kill: async () => void (await end("SIGKILL")),
    stop: () => end("SIGTERM"),
  };
}
