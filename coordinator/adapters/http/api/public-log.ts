import { z } from "@hono/zod-openapi";
import { wireError } from "#shared/protocol/errors.ts";
import { parseTilePath, TILE_WIDTH } from "#shared/tlog/tiles.ts";
import type { PublicLog } from "../../../core/ports/public-log.ts";
import { API } from "../dialect.ts";
import { type Endpoint, rawEndpoint } from "../endpoint.ts";
import { Problem } from "../problem.ts";

const NO_CHECKPOINT = "There is no checkpoint of the log yet. Ask again in a moment.";
const NO_TILE =
  "The log has no such tile or bundle. Ask for those of its newest checkpoint; a growing one is replaced by the full one.";
/** A growing tile is removed once the full one is there. */
const GROWING_S = 60;
const FULL_S = 31_536_000;

/** The public log as C2SP lays it out: a checkpoint, tiles and bundles, for anyone. */
export function publicLogEndpoints({
  publicLog = null,
}: {
  readonly publicLog?: Pick<PublicLog, "checkpoint" | "file"> | null;
}): readonly Endpoint[] {
  return [
    rawEndpoint({
      method: "get",
      path: "/log/checkpoint",
      summary: "The newest signed checkpoint of the public log, as a note (c2sp.org/tlog-checkpoint)",
      dialect: API,
      permission: "public",
      anySite: true,
      responses: {
        200: {
          description: "Origin, number of entries, root, signatures",
          content: { "text/plain": { schema: { type: "string" } } },
        },
      },
      handle: async () => {
        const note = publicLog?.checkpoint() ?? null;
        if (note === null) throw new Problem(wireError("NOT_FOUND", NO_CHECKPOINT));
        return new Response(note, { headers: { "content-type": "text/plain; charset=utf-8" } });
      },
    }),
    rawEndpoint({
      method: "get",
      path: "/log/tile/{tilePath}",
      summary: "A tile of hashes or a bundle of entries of the public log (c2sp.org/tlog-tiles)",
      dialect: API,
      permission: "public",
      anySite: true,
      params: z.strictObject({ tilePath: z.string().max(200) }),
      responses: {
        200: {
          description: "Hashes of 32 bytes, or entries after their lengths",
          content: { "application/octet-stream": { schema: { type: "string", format: "binary" } } },
        },
      },
      handle: async ({ tilePath }) => {
        const path = `tile/${tilePath}`;
        const name = parseTilePath(path);
        const bytes = name === undefined ? null : ((await publicLog?.file(path)) ?? null);
        if (name === undefined || bytes === null) throw new Problem(wireError("NOT_FOUND", NO_TILE));
        const isFull = name.width === TILE_WIDTH;
        return new Response(bytes, {
          headers: {
            "content-type": "application/octet-stream",
            "cache-control": isFull ? `public, max-age=${FULL_S}, immutable` : `public, max-age=${GROWING_S}`,
          },
        });
      },
    }),
  ];
}
