import { WebSocket } from "ws";

/*
 * The socket.io protocol by hand, so that a test can send what no client would: any text after the transport's "4"
 * (message), and raw bytes.
 */

export interface RawSocket {
  /** A text packet such as `2/dash,1["watch",{}]`. */
  say(packet: string): void;
  sayBytes(bytes: Uint8Array): void;
  /** The transport's own ping, and its answer. */
  ping(): void;
  pong(): Promise<void>;
  stopReading(): void;
  readOn(): void;
  /** The next packet that `matches`, even if it came earlier and was not taken yet. Null: the connection has ended. */
  hear(matches: (packet: string) => boolean): Promise<string | null>;
  readonly isOpen: boolean;
  readonly ended: Promise<void>;
  close(): void;
}

/**
 * Resolves when the transport is open; null if it was refused.
 *
 * @param localAddress  The local address to connect from.
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
    // Answer the transport's ping like every client.
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

/** A socket that has joined a namespace. */
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
