import type { Exporter } from "#coordinator/core/ports/ports.ts";

/** For worlds in which no model leaves. The real one is an adapter, which copies with planted faults do not have. */
export const noExporter: Exporter = {
  make: async () => {
    throw new Error("nothing is exported in this world");
  },
  close: async () => {},
};
