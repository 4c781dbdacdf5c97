import { WebSocket as NativeTransport } from "socket.io-client";

/**
 * The WebSocket of Node itself. It goes through Node's proxy in a tunnel, whatever the coordinator's scheme; `ws` uses
 * no proxy, and with Node's agent it sends an upgrade of plain HTTP without a tunnel.
 */
export class TunnelTransport extends NativeTransport {
  override createSocket(uri: string, protocols: string | string[] | undefined): BufferSocket {
    return protocols === undefined ? new BufferSocket(uri) : new BufferSocket(uri, protocols);
  }
}

/** engine.io asks for "nodebuffer", which only `ws` knows. Here that would mean blobs, which its parser cannot read. */
class BufferSocket extends globalThis.WebSocket {
  override get binaryType() {
    return super.binaryType;
  }
  override set binaryType(_wanted) {
    super.binaryType = "arraybuffer";
  }
}
