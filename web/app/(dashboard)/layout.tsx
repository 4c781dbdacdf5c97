import type { ReactNode } from "react";
import { NewPlaceNote } from "../../features/shell/new-place-note.tsx";
import { StatusFooter } from "../../features/shell/status-footer.tsx";
import { TopBar } from "../../features/shell/top-bar.tsx";

/**
 * Pages of researchers and admins: top bar with the site's navigation, main, footer.
 *
 * To add a page, see "A page" in shared/ARCHITECTURE.md: a route here, its view in web/features/, its sentences in
 * web/words/.
 */
export default function DashboardLayout({ children }: { readonly children: ReactNode }) {
  return (
    <>
      <TopBar />
      <NewPlaceNote />
      <main id="main" className="wrap" tabIndex={-1}>
        {children}
      </main>
      <StatusFooter />
    </>
  );
}
