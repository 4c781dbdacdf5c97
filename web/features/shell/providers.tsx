"use client";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { ApiFailure } from "../../data/api.ts";

/** A person must do something before these can end differently. */
const ASKS_THE_PERSON = new Set<ApiFailure["code"]>(["NOT_AUTHENTICATED", "STEP_UP_NEEDED", "NOT_SET_UP"]);

/**
 * One cache for each page load. Refused requests are not repeated; if the coordinator did not answer, the request is
 * tried twice more.
 */
export function Providers({ children }: { readonly children: ReactNode }) {
  const [client] = useState(
    () =>
      new QueryClient({
        defaultOptions: {
          queries: {
            // A coordinator on this machine can be reached without a network.
            networkMode: "always",
            staleTime: 5_000,
            refetchOnWindowFocus: true,
            retry: (failures, error) =>
              failures < 2 &&
              error instanceof ApiFailure &&
              error.retry !== "never" &&
              !ASKS_THE_PERSON.has(error.code),
          },
          mutations: { networkMode: "always" },
        },
      }),
  );
  return <QueryClientProvider client={client}>{children}</QueryClientProvider>;
}
