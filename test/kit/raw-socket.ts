import { WebSocket } from "ws";

/*
 * The socket.io protocol by hand, so that a test sends what no client of it would: text of any form after the
 * transport's "4" (message), bytes as they are.
 */

export interface RawSocket {
  /** A text packet such as `2/dash,1["watch",{}]`. */
  say(packet: string): void;
  sayBytes(bytes: Uint8Array): void;
  /** The transport's own ping and its answer. */
  ping(): void;
  pong(): Promise<void>;
  stopReading(): void;
  readOn(): void;
  /** The next packet that `matches`, also one that came before and was not taken. Null: the connection has ended. */
  hear(matches: (packet: string) => boolean): Promise<string | null>;
  readonly isOpen: boolean;
  readonly ended: Promise<void>;
  close(): void;
}

/**
 * Resolves when the transport is open; null where it was refused.
 *
 * @param localAddress  Which of this machine's own addresses it comes from.
 */
export async function openRawSocket(url: string, localAddress?: string): Promise<RawSocket | null> {
  const socket = new WebSocket(
    `${url.replace(/^http/, "ws")}/socket.io/?EIO=4&transport=websocket`,
    localAddress === undefined ? {} : { localAddress },
  );
  const heard: string[] = [];
  let wake = () => {};
  const ended = new Promise<void>((resolve) => {
    socket.on("close", () => {
      resolve();
      wake();
    });
  });
  socket.on("message", (data: Buffer, isBinary) => {
    const text = isBinary ? `binary:${data.toString("hex")}` : data.toString("utf8");
    // The transport's ping is answered as each client does.
    if (text === "2") socket.send("3");
    else if (isBinary) heard.push(text);
    else if (text.startsWith("4")) heard.push(text.slice(1));
    wake();
  });
  const opened = await new Promise<boolean>((resolve) => {
    socket.once("open", () => resolve(true));
    socket.once("error", () => resolve(false));
  });
  if (!opened) return null;
  socket.on("error", () => {});
  return {
    say: (packet) => socket.send(`4${packet}`),
    sayBytes: (bytes) => socket.send(bytes),
    ping: () => socket.ping(),
    pong: () => new Promise((resolve) => socket.once("pong", () => resolve())),
    stopReading: () => socket.pause(),
    readOn: () => socket.resume(),
    hear: async (matches) => {
      for (;;) {
        const index = heard.findIndex(matches);
        if (index >= 0) return heard.splice(index, 1)[0] ?? null;
        if (socket.readyState === WebSocket.CLOSED) return null;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    get isOpen() {
      return socket.readyState === WebSocket.OPEN;
    },
    ended,
    close: () => socket.terminate(),
  };
}

/** A socket that has joined this namespace. */
export async function joinRawSocket(
  url: string,
  namespace: string,
  localAddress?: string,
): Promise<RawSocket> {
  const socket = await openRawSocket(url, localAddress);
  if (socket === null) throw new Error("the transport was refused");
  socket.say(`0${namespace},`);
  await socket.hear((packet) => packet.startsWith(`0${namespace},`));
  return socket;
}
