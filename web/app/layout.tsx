import type { Metadata, Viewport } from "next";
import type { ReactNode } from "react";
import { Providers } from "../features/shell/providers.tsx";
import "./globals.css";

// The content security policy needs a new nonce for each request, so no page can be prerendered. The server in front
// puts the policy on the request's header, where Next finds the nonce for its own scripts.
export const dynamic = "force-dynamic";

export const metadata: Metadata = {
  title: { default: "Chorus", template: "%s. Chorus" },
  description: "Federated learning: devices train on their own data, and only a sum is opened.",
};

export const viewport: Viewport = { width: "device-width", initialScale: 1, colorScheme: "light dark" };

export default function RootLayout({ children }: { readonly children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        <a
          href="#main"
          className="sr-only z-10 bg-sheet px-3 py-2 focus:not-sr-only focus:absolute focus:top-2 focus:left-4"
        >
          Skip to content
        </a>
        <Providers>{children}</Providers>
      </body>
    </html>
  );
}
