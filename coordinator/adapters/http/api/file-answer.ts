import type { Result } from "#shared/kernel/result.ts";
import type { WireError } from "#shared/protocol/errors.ts";
import type { ExportedFile } from "../../../core/models/exports.ts";
import type { Asked } from "../endpoint.ts";
import { cutWhenLate, enterDownload } from "../gate.ts";
import { unwrapped } from "./answers.ts";

/** A file's bytes, for the description of the API. */
export const FILE_BYTES = { schema: { type: "string", format: "binary" } } as const;

/** Answers with a file to keep. A place for downloads is taken before the file is made. @throws Problem */
export async function answerFile(
  { context, gate }: Asked,
  make: () => Promise<Result<ExportedFile, WireError>>,
): Promise<Response> {
  await enterDownload(context, gate, "downloads");
  const { fileName, mediaType, bytes } = unwrapped(await make());
  cutWhenLate(context, bytes.length);
  const headers = fileHeaders(fileName, mediaType);
  headers.set("content-length", String(bytes.length));
  return new Response(context.req.method === "HEAD" ? null : bytes, { headers });
}

export function fileHeaders(fileName: string, mediaType: string): Headers {
  return new Headers({
    "cache-control": "private, no-cache",
    "content-type": mediaType,
    "content-disposition": `attachment; filename="${fileName}"`,
  });
}
