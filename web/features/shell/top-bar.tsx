"use client";
import { useMutation } from "@tanstack/react-query";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { endSession } from "../../data/access.ts";
import { useSession } from "../../data/access-queries.ts";
import { useLink } from "../../data/live.tsx";
import { StatusMark } from "../../ui/status-mark.tsx";
import { formatTimeUtc } from "../../words/format.ts";
import { Brand } from "./brand.tsx";
import { LogState, LogTrouble } from "./log-state.tsx";
import { useDoors } from "./use-doors.ts";

/** Pages in the order of the bar. What one may not use is absent. */
const PAGES: readonly {
  readonly href: string;
  readonly label: string;
  readonly isFor: (has: Has) => boolean;
}[] = [
  { href: "/", label: "Runs", isFor: (has) => has("runs.read") },
  { href: "/tasks", label: "Tasks", isFor: (has) => has("runs.read") },
  { href: "/models", label: "Models", isFor: (has) => has("runs.read") },
  { href: "/experiments", label: "Experiments", isFor: (has) => has("runs.read") },
  { href: "/audit", label: "Audit", isFor: (has) => has("runs.read") },
  // Admins have the same sections on their page.
  { href: "/devices", label: "Devices", isFor: (has) => has("join-tokens.read") && !has("people.read") },
  { href: "/admin", label: "Admin", isFor: (has) => has("people.read") },
];
type Has = (permission: string) => boolean;

/** Top bar of the dashboard: brand, pages, whether the figures are live, and who has signed in. */
export function TopBar() {
  useDoors();
  const path = usePathname();
  const { data: session } = useSession();
  const has: Has = (permission) => session?.permissions.includes(permission) ?? false;
  const current = (href: string) =>
    href === "/" ? path === "/" || /^\/(runs|rounds)(\/|$)/.test(path) : path.startsWith(href);
  return (
    <>
      <header className="top">
        <div className="wrap">
          <Link className="brand" href="/">
            <Brand />
          </Link>
          <nav className="nav" aria-label="Main">
            {PAGES.filter(({ isFor }) => isFor(has)).map(({ href, label }) => (
              <Link key={href} href={href} aria-current={current(href) ? "page" : undefined}>
                {label}
              </Link>
            ))}
          </nav>
          <div className="top-right ml-auto flex items-center gap-5 text-sm text-ink-2">
            <Liveness />
            <LogState isFor={has("runs.read")} />
            {session !== undefined && <SignedIn name={session.name} isCurrent={path === "/account"} />}
          </div>
        </div>
      </header>
      <LogTrouble isFor={has("runs.read")} />
    </>
  );
}

function Liveness() {
  const link = useLink();
  switch (link.state) {
    case "idle":
      return null;
    case "live":
      return <StatusMark kind="running">live</StatusMark>;
    case "connecting":
      return <StatusMark kind="waiting">connecting</StatusMark>;
    case "lost":
      return <StatusMark kind="alarm">no connection since {formatTimeUtc(link.sinceIso)}</StatusMark>;
  }
}

function SignedIn({ name, isCurrent }: { readonly name: string; readonly isCurrent: boolean }) {
  return (
    <>
      <Link href="/account" className="wrap-anywhere" aria-current={isCurrent ? "page" : undefined}>
        <span className="max-md:sr-only">Signed in as</span> {name}
      </Link>
      <SignOut />
    </>
  );
}

/** Ends the session of this browser. */
function SignOut() {
  const end = useMutation({
    mutationFn: endSession,
    // The cookie is gone, or no longer worth anything.
    onSettled: () => window.location.assign("/sign-in"),
  });
  return (
    <button type="button" className="link underline" disabled={end.isPending} onClick={() => end.mutate()}>
      Sign out
    </button>
  );
}
