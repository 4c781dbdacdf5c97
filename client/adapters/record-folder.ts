import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Archive, KeptContribution } from "../core/ports.ts";
import { OPENING_NAME } from "../core/round/contribution.ts";

/*
 * One folder for each attempt: contribution.json, own-list.i32 (the list before masking), clipped-update.f32, and what
 * was sent, without the shares that open a sum (S11). It holds this device's own update in the clear and stays with its
 * owner. A test adds up such folders and compares them with the published sum.
 */
export function openRecordFolder(folder: string): Archive {
  return {
    async save({ detail, sent, own, clippedUpdate, weight }: KeptContribution) {
      const into = join(folder, detail.id);
      await mkdir(into, { recursive: true });
      const { sample: _sample, histograms: _histograms, ...facts } = detail;
      for (const { name, bytes } of sent) {
        if (name !== OPENING_NAME) await writeWhole(join(into, name), bytes);
      }
      if (own !== null) await writeWhole(join(into, "own-list.i32"), own);
      if (clippedUpdate !== null) {
        const { buffer, byteOffset, byteLength } = clippedUpdate;
        await writeWhole(join(into, "clipped-update.f32"), new Uint8Array(buffer, byteOffset, byteLength));
      }
      // Written last: if it exists, so does the rest.
      await writeWhole(join(into, "contribution.json"), `${JSON.stringify({ ...facts, weight }, null, 2)}\n`);
    },
  };
}

async function writeWhole(path: string, content: Uint8Array | string): Promise<void> {
  await writeFile(`${path}.part`, content);
  await rename(`${path}.part`, path);
}
