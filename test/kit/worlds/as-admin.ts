/** Tokens of admins, by the address of their coordinator. */
const tokenByUrl = new Map<string, string>();

/** Lets `openApi` and `asAdmin` use this token at this address. */
export function useToken(url: string, token: string): void {
  tokenByUrl.set(new URL(url).port, token);
}

/** Headers of a request by the coordinator's admin. */
export function asAdmin(url: string): Record<string, string> {
  const token = tokenByUrl.get(new URL(url).port);
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}
