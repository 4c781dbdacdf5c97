/** What an address of the participant's page asks for. */
export interface JoinAddress {
  readonly page: "join" | "learnt";
  readonly slug: string;
}

/** @returns Null if there is no page at this path. */
export function readJoinAddress(path: string): JoinAddress | null {
  const found = /^\/join\/([^/]+)(\/learnt)?\/?$/.exec(path);
  if (found === null) return null;
  try {
    const slug = decodeURIComponent(found[1] as string);
    return { page: found[2] === undefined ? "join" : "learnt", slug };
  } catch {
    return null;
  }
}
