import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * @param port  0 lets the system choose.
 * @param flag  Of the command that chooses it.
 * @returns The port.
 * @throws Error that says what to do if the port is taken or not permitted.
 */
export async function listen(
  server: Server,
  port: number,
  host: string | undefined,
  flag = "--port",
): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE")
        reject(new Error(`Port ${port} is in use. Stop what uses it, or choose another with ${flag}.`));
      else if (error.code === "EACCES")
        reject(new Error(`This user may not listen on port ${port}. Choose one from 1024 up with ${flag}.`));
      else reject(error);
    };
    server.once("error", fail);
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
      server.off("error", fail);
      resolve();
    });
  });
  return (server.address() as AddressInfo).port;
}

/** Stops listening and ends all connections at once. */
export async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}
