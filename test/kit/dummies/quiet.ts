import { z } from "zod";
import { defineGate } from "#shared/task/gates/gate.ts";

/** A gate that the product does not have: open at night. */
export const quiet = defineGate({
  schema: z.strictObject({ kind: z.literal("quiet"), isNight: z.boolean() }),
  title: () => "quiet",
  needs: () => ["size"],
  judge: ({ isNight }) => ({
    state: isNight ? "open" : "shut",
    required: "night",
    champion: null,
    candidate: null,
    difference: null,
    reason: isNight ? "It is night." : "It is day.",
  }),
});
