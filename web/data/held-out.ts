import {
  archiveViewSchema,
  type HeldOutBegin,
  type HeldOutUpload,
  heldOutStateSchema,
  heldOutUploadSchema,
  taskHistorySchema,
} from "#shared/protocol/api.ts";
import { post, read } from "./api.ts";

/* Held-out rows of a task, its archive and its history. */

/** A part is sent again as a whole if the connection fails, and progress is told by parts. */
const PART_BYTE_COUNT = 4_000_000;
const CHECK_EVERY_MS = 400;

const pathOf = (slug: string) => `/tasks/${encodeURIComponent(slug)}`;

export const removeHeldOut = (slug: string) =>
  read(heldOutStateSchema, `${pathOf(slug)}/held-out/remove`, post({}));
export const getTaskHistory = (slug: string) => read(taskHistorySchema, `${pathOf(slug)}/history`);
export const lookAtArchive = (slug: string) => read(archiveViewSchema, `${pathOf(slug)}/archive`);
export const archiveTask = (slug: string) => read(archiveViewSchema, `${pathOf(slug)}/archive`, post({}));

/** Uploads held-out rows and follows their check until they are set, refused or stopped. */
export async function uploadHeldOut(
  slug: string,
  file: Blob,
  begin: Omit<HeldOutBegin, "byteCount">,
  follow: { readonly onProgress: (upload: HeldOutUpload) => void; readonly signal: AbortSignal },
): Promise<HeldOutUpload> {
  const { onProgress, signal } = follow;
  const uploads = `${pathOf(slug)}/held-out/uploads`;
  let upload = await read(heldOutUploadSchema, uploads, post({ ...begin, byteCount: file.size }));
  const own = `${uploads}/${upload.uploadId}`;
  signal.addEventListener(
    "abort",
    () => void read(heldOutUploadSchema, `${own}/stop`, post({})).catch(() => undefined),
  );
  onProgress(upload);
  while (upload.state === "receiving") {
    const from = upload.receivedByteCount;
    const to = Math.min(file.size, from + PART_BYTE_COUNT);
    upload = await read(heldOutUploadSchema, own, {
      method: "PUT",
      body: file.slice(from, to),
      headers: {
        "content-type": "application/octet-stream",
        "content-range": `bytes ${from}-${to - 1}/${file.size}`,
      },
      signal,
    });
    onProgress(upload);
  }
  while (upload.state === "checking") {
    await new Promise((resolve) => setTimeout(resolve, CHECK_EVERY_MS));
    upload = await read(heldOutUploadSchema, own);
    onProgress(upload);
  }
  return upload;
}
