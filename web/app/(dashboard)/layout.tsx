import type { ReactNode } from "react";
import { StatusFooter } from "../../components/status-footer.tsx";
import { TopBar } from "../../components/top-bar.tsx";

/** Pages of researchers and admins: top bar with the site's navigation, main, footer. */
export default function DashboardLayout({ children }: { readonly children: ReactNode }) {
  return (
    <>
      <TopBar />
      <main id="main" className="wrap" tabIndex={-1}>
        {children}
      </main>
      <StatusFooter />
    </>
  );
}
