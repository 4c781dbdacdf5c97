import type { ExportFormat } from "#shared/export/formats.ts";
import type { ModelSource } from "#shared/export/source.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";

/** A model to be written in a format, as data: it can cross to another thread. The bytes are transferred. */
export interface ExportJob extends Omit<ModelSource, "weights"> {
  readonly format: ExportFormat;
  readonly modelBytes: Bytes;
}
