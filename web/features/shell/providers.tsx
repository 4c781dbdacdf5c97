"use client";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { ApiFailure } from "../../data/api.ts";

/** One cache a page load. A refusal is not asked again; only a coordinator that did not answer is, twice. */
export function Providers({ children }: { readonly children: ReactNode }) {
  const [client] = useState(
    () =>
      new QueryClient({
        defaultOptions: {
          queries: {
            // A coordinator on this machine answers without any network.
            networkMode: "always",
            staleTime: 5_000,
            refetchOnWindowFocus: true,
            retry: (failures, error) =>
              failures < 2 && error instanceof ApiFailure && error.retry !== "never",
          },
          mutations: { networkMode: "always" },
        },
      }),
  );
  return <QueryClientProvider client={client}>{children}</QueryClientProvider>;
}
