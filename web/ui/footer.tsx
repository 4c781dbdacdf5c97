import type { ReactNode } from "react";

/** The last line of a page, with facts about the whole deployment. */
export function Footer({ children }: { readonly children: ReactNode }) {
  return (
    <footer className="wrap mt-auto">
      <div className="mt-4 flex flex-wrap gap-x-8 gap-y-1 border-t border-rule pt-6 pb-12 text-sm text-ink-3">
        {children}
      </div>
    </footer>
  );
}
