import { expect } from "vitest";
import { apiErrorSchema } from "#shared/protocol/api.ts";
import type { Shell } from "#test/kit/worlds/shell.ts";

/** The answer is an error of the agreed shape with this status, and nothing reached the core. */
export async function expectRefused(
  shell: Shell,
  response: Response,
  status: number,
  code?: string,
): Promise<void> {
  const text = await response.text();
  expect(response.status, text).toBe(status);
  const { error } = apiErrorSchema.parse(JSON.parse(text));
  if (code !== undefined) expect(error.code).toBe(code);
  expect(text).not.toMatch(/\bat .*\.(?:ts|js|mjs):\d|node_modules|Error:/);
  expect(shell.core.writes).toEqual([]);
}
