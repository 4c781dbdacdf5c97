import { once } from "node:events";
import { connect, type Socket } from "node:net";

/* Many TCP connections from a stranger, who may use any address of this machine's loopback. */

export interface Stranger {
  readonly socket: Socket;
  /** What came back so far. */
  readonly heard: () => string;
  readonly isOpen: () => boolean;
}

/** Resolves when it is connected, whatever the other side does next. */
export async function comeIn(port: number, localAddress = "127.0.0.1", text = ""): Promise<Stranger> {
  const socket = connect({ port, host: "127.0.0.1", localAddress });
  let heard = "";
  socket.on("error", () => undefined);
  socket.on("data", (chunk: Buffer) => {
    heard += chunk.toString("latin1");
  });
  await Promise.race([once(socket, "connect"), once(socket, "close")]);
  if (text !== "") socket.write(text);
  return { socket, heard: () => heard, isOpen: () => !socket.destroyed && !socket.readableEnded };
}

export async function comeInMany(
  port: number,
  count: number,
  localAddress?: string,
  text?: string,
): Promise<Stranger[]> {
  const strangers: Stranger[] = [];
  // As many at a time as the system's backlog takes.
  while (strangers.length < count) {
    const some = Array.from({ length: Math.min(100, count - strangers.length) }, () =>
      comeIn(port, localAddress, text),
    );
    strangers.push(...(await Promise.all(some)));
  }
  return strangers;
}

export const countOpen = (strangers: readonly Stranger[]): number =>
  strangers.filter(({ isOpen }) => isOpen()).length;

export function goAway(strangers: readonly Stranger[]): void {
  for (const { socket } of strangers) socket.destroy();
}
