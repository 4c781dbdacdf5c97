"use client";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { useLink } from "../../data/live.tsx";
import { StatusMark } from "../../ui/status-mark.tsx";
import { formatTimeUtc } from "../../words/format.ts";

/** The mark: voices that become one sum. */
function Brand() {
  return (
    <>
      <svg viewBox="0 0 30 20" width="30" height="20" aria-hidden="true" fill="none">
        <g stroke="currentColor" strokeWidth="1.3">
          <path d="M0 1.5h3C11 1.5 12 10 19 10" />
          <path d="M0 5.75h4C11 5.75 13 10 19 10" />
          <path d="M0 10h19" />
          <path d="M0 14.25h4C11 14.25 13 10 19 10" />
          <path d="M0 18.5h3C11 18.5 12 10 19 10" />
        </g>
        <path d="M18 10h12" className="stroke-sum" strokeWidth="4.2" />
      </svg>
      Chorus
    </>
  );
}

/** Pages that exist for everyone who sees the dashboard; an item one may not use is absent. */
const PAGES = [{ href: "/", label: "Runs" }] as const;

/** Top bar of the dashboard: brand, pages, and whether the figures are live. */
export function TopBar() {
  const path = usePathname();
  const link = useLink();
  const current = (href: string) =>
    href === "/" ? path === "/" || /^\/(runs|rounds)(\/|$)/.test(path) : path.startsWith(href);
  return (
    <header className="top">
      <div className="wrap">
        <Link className="brand" href="/">
          <Brand />
        </Link>
        <nav className="nav" aria-label="Main">
          {PAGES.map(({ href, label }) => (
            <Link key={href} href={href} aria-current={current(href) ? "page" : undefined}>
              {label}
            </Link>
          ))}
        </nav>
        <p className="ml-auto flex items-center text-sm text-ink-2">
          {link.state === "live" && <StatusMark kind="running">live</StatusMark>}
          {link.state === "connecting" && <StatusMark kind="waiting">connecting</StatusMark>}
          {link.state === "lost" && (
            <StatusMark kind="alarm">no connection since {formatTimeUtc(link.sinceIso)}</StatusMark>
          )}
        </p>
      </div>
    </header>
  );
}

/** Top bar of the participant's page: the brand alone, no site navigation. */
export function BareTopBar() {
  return (
    <header className="top">
      <div className="wrap">
        <span className="brand">
          <Brand />
        </span>
      </div>
    </header>
  );
}
