import { z } from "zod";
import type { SocketEndpoint } from "#coordinator/adapters/socket/endpoint.ts";

/** What the faulty namespace does with every event. */
export const FAULT = {
  run: (_acknowledge: (answer: unknown) => void): void => {},
};

/** A namespace without the wrapper that every event passes, as the control of the bad inputs. */
export const faultySocket: SocketEndpoint = {
  namespace: "/faulty",
  event: "say",
  dialect: { name: "api", refuse: (code) => ({ error: { code, message: "no", retry: "never" } }) },
  messages: { text: z.strictObject({ text: z.string().min(1).max(20) }) },
  permissions: { text: "public" },
  serve: (namespace) => {
    namespace.on("connection", (socket) => {
      socket.onAny((_event: unknown, ...parameters: unknown[]) => {
        const acknowledge = parameters.at(-1);
        if (typeof acknowledge === "function") FAULT.run((answer) => void acknowledge(answer));
      });
    });
  },
};
