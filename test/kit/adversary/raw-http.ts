import { connect } from "node:net";

/** HTTP by hand, for requests that no client would send. */
export interface RawAnswer {
  /** 0 if the connection ended without an answer. */
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

const SILENCE_MS = 30_000;

/**
 * Sends these bytes and collects the answer until the connection ends; the request should ask for that.
 *
 * @param parts  Text to send, milliseconds to wait in between, null to close our half.
 */
export async function sendRaw(
  port: number,
  ...parts: readonly (string | number | null)[]
): Promise<RawAnswer> {
  const socket = connect(port, "127.0.0.1");
  let text = "";
  const ended = new Promise<void>((resolve) => {
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
    });
    socket.on("error", () => resolve());
    socket.on("close", () => resolve());
    socket.setTimeout(SILENCE_MS, () => socket.destroy());
  });
  for (const part of parts) {
    if (typeof part === "number") await new Promise((resolve) => setTimeout(resolve, part));
    else if (socket.destroyed) continue;
    else if (part === null) socket.end();
    else socket.write(part, "latin1");
  }
  await ended;
  return parseAnswer(text);
}

function parseAnswer(text: string): RawAnswer {
  const [head = "", ...rest] = text.split("\r\n\r\n");
  const [statusLine = "", ...lines] = head.split("\r\n");
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    }),
  );
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1] ?? 0);
  return { status, headers, body: rest.join("\r\n\r\n") };
}
