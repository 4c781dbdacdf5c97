import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import type { Duplex } from "node:stream";

/** A proxy that opens tunnels for whoever knows its password, like those at the edge of a company's network. */
export interface ConnectProxy {
  readonly port: number;
  /** With this name and password, for HTTPS_PROXY. */
  url(name: string, password: string): string;
  /** Targets of all tunnels that were opened, in order. */
  readonly tunnels: readonly string[];
  /** Requests that were refused or did not ask for a tunnel. */
  readonly refused: readonly string[];
  close(): Promise<void>;
}

/** @param allows  Targets that it connects to; all by default. */
export async function openConnectProxy(
  name: string,
  password: string,
  allows: (target: string) => boolean = () => true,
): Promise<ConnectProxy> {
  const wanted = `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;
  const [tunnels, refused]: [string[], string[]] = [[], []];
  const open = new Set<Duplex>();
  const server = createServer((request, response) => {
    refused.push(`${request.method} ${request.url}`);
    response.writeHead(405).end();
  });
  server.on("upgrade", (request, socket) => {
    refused.push(`upgrade ${request.url}`);
    socket.destroy();
  });
  server.on("connect", (request, near, head) => {
    const target = request.url ?? "";
    const refuse = (status: string) => {
      refused.push(`CONNECT ${target}`);
      near.end(`HTTP/1.1 ${status}\r\nproxy-authenticate: Basic realm="test"\r\ncontent-length: 0\r\n\r\n`);
    };
    near.on("error", () => near.destroy());
    if (request.headers["proxy-authorization"] !== wanted) return refuse("407 Proxy Authentication Required");
    if (!allows(target)) return refuse("403 Forbidden");
    tunnels.push(target);
    const { hostname, port } = new URL(`http://${target}`);
    const far = connect({ host: hostname, port: Number(port || "80") }, () => {
      near.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      far.write(head);
      far.pipe(near).pipe(far);
    });
    for (const end of [near, far]) {
      open.add(end);
      end.on("close", () => open.delete(end));
    }
    far.on("error", () => near.destroy());
    near.on("close", () => far.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: (user, secret) =>
      `http://${encodeURIComponent(user)}:${encodeURIComponent(secret)}@127.0.0.1:${port}`,
    tunnels,
    refused,
    close: async () => {
      for (const end of open) end.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
