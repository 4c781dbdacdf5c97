import { afterEach, expect, test, vi } from "vitest";
import { openSocketLink } from "#client/adapters/socket-link.ts";
import { type ErrorCode, wireError } from "#shared/protocol/errors.ts";

/* The token that a device shows with its HTTP requests. */

const TOKEN = "chj_mine";

afterEach(() => vi.unstubAllGlobals());

/** A coordinator that answers each request by the token it carries. @returns The tokens, in order. */
function coordinator(answer: (token: string | null) => ErrorCode | null): (string | null)[] {
  const tokens: (string | null)[] = [];
  vi.stubGlobal("fetch", async (_url: URL, { headers }: { readonly headers: Record<string, string> }) => {
    const token = headers["authorization"] ?? null;
    tokens.push(token);
    const code = answer(token);
    return code === null
      ? new Response(Uint8Array.of(1, 2, 3))
      : Response.json({ error: wireError(code) }, { status: 403 });
  });
  return tokens;
}

async function fetchModel(token: string | null): Promise<string> {
  const link = openSocketLink("http://localhost:1");
  link.show(token);
  const model = await link.fetchModel("ab".repeat(32));
  link.close();
  if (model.ok) return "model";
  return model.error.type === "refused" ? model.error.error.code : model.error.type;
}

test("[X67] goes with a request, and no request without a token has one", async () => {
  const tokens = coordinator(() => null);
  expect([await fetchModel(TOKEN), await fetchModel(null)]).toEqual(["model", "model"]);
  expect(tokens).toEqual([`Bearer ${TOKEN}`, null]);
});

test("[X67] that has ended keeps nobody out of a public task", async () => {
  const tokens = coordinator((token) => (token === null ? null : "NOT_AUTHENTICATED"));
  expect(await fetchModel(TOKEN)).toBe("model");
  expect(tokens).toEqual([`Bearer ${TOKEN}`, null]);
});

test("[X67] that has ended is named as the reason for a task by invitation", async () => {
  coordinator((token) => (token === null ? "BY_INVITATION" : "NOT_AUTHENTICATED"));
  expect(await fetchModel(TOKEN)).toBe("TOKEN_ENDED");
  expect(await fetchModel(null)).toBe("BY_INVITATION");
});

test("[X67] is not tried without if it was refused for another reason", async () => {
  const tokens = coordinator(() => "RATE_LIMITED");
  expect(await fetchModel(TOKEN)).toBe("RATE_LIMITED");
  expect(tokens).toHaveLength(1);
});
