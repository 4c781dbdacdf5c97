import { siteAddressFault } from "#shared/protocol/site-address.ts";

/** What an address of the participant's page asks for. */
export interface JoinAddress {
  readonly page: "join" | "learnt";
  readonly slug: string;
  /** Origin of the coordinator that the link of a page on a host of its own names; absent if it is the page's host. */
  readonly at?: string;
}

/** @returns Null if there is no page at this address; a sentence if it names a coordinator that cannot be one. */
export function readJoinAddress(path: string, search = ""): JoinAddress | string | null {
  const asked = new URLSearchParams(search);
  const at = asked.get("at");
  if (at !== null && /\/join\/(?:index\.html)?$/.test(path)) return readForeign(at, asked);
  const found = /^\/join\/([^/]+)(\/learnt)?\/?$/.exec(path);
  if (found === null) return null;
  try {
    const slug = decodeURIComponent(found[1] as string);
    return { page: found[2] === undefined ? "join" : "learnt", slug };
  } catch {
    return null;
  }
}

function readForeign(at: string, asked: URLSearchParams): JoinAddress | string | null {
  const slug = asked.get("task");
  if (slug === null || slug === "") return null;
  const url = URL.parse(at);
  const fault = siteAddressFault("The coordinator's address in this link", url);
  if (fault !== null || url === null) return fault;
  return { page: asked.get("page") === "learnt" ? "learnt" : "join", slug, at: url.origin };
}

const HERE = /^(?:localhost|127\.0\.0\.1)$/;

/** Why a page of this host may not use that coordinator; null if it may. */
export function connectionFault(at: string, host: string): string | null {
  const { protocol, hostname } = new URL(at);
  if (protocol === "https:") return null;
  if (HERE.test(hostname) && HERE.test(host)) return null;
  return `${at} is not encrypted. This page connects over https alone.`;
}

/** Address of a page about a task, at the coordinator that this page uses. */
export function joinHref(slug: string, page: JoinAddress["page"]): string {
  const asked = new URLSearchParams(location.search);
  if (asked.get("at") === null) return `/join/${slug}${page === "learnt" ? "/learnt" : ""}`;
  asked.set("task", slug);
  asked.set("page", page);
  return `?${asked}`;
}
