/** The parts of a parsed URL that decide whether it is a site's address. `URL` has them all. */
export interface UrlParts {
  readonly protocol: string;
  readonly username: string;
  readonly password: string;
  readonly pathname: string;
  readonly search: string;
  readonly hash: string;
}

/**
 * Checks that a URL is a site's address: scheme, host and port, with or without a final slash. A path would be
 * dropped in silence, because a coordinator's pages, API and socket are at the root of their site. Rule W15.
 *
 * @param name  What the URL was given as, such as "--public-url". The URL itself may hold a password.
 * @param url   Null if the text is not a URL.
 * @returns a sentence that says what is wrong; null if nothing is.
 */
export function siteAddressFault(name: string, url: UrlParts | null): string | null {
  if (url === null || !/^https?:$/.test(url.protocol))
    return `${name} is not an http or https address. Write it like https://chorus.example.org.`;
  const extra = extraOf(url);
  if (extra === null) return null;
  return `${name} has ${extra}. A coordinator is always at the root of its site: give scheme, host and port alone, like https://chorus.example.org.`;
}

function extraOf({ username, password, pathname, search, hash }: UrlParts): string | null {
  if (username !== "" || password !== "") return "a user name or password";
  if (pathname !== "/") return "a path";
  if (search !== "") return "a query";
  return hash === "" ? null : "a fragment";
}
