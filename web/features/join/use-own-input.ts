"use client";
import { useQuery } from "@tanstack/react-query";
import type { ContributionSummary } from "#client/index.ts";
import type { RoundDetail } from "#shared/protocol/api.ts";
import type { OwnInputVerdict } from "../../words/contribution.ts";

/** Looks the own list up under the root that the round shows to everyone; null until that is known. Rule A7. */
export function useOwnInput(
  { id, root, outcome }: ContributionSummary,
  record: RoundDetail | null,
): OwnInputVerdict | null {
  const isAsked = record?.phase === "committed" && root !== null && outcome?.kind === "committed";
  const { data } = useQuery({
    queryKey: ["own-input", id, record?.inputsRoot ?? null],
    enabled: isAsked,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async (): Promise<OwnInputVerdict> => {
      if (record === null || root === null || outcome?.kind !== "committed") return "not-published";
      // The page itself does no cryptography; this comes when it is first needed.
      const [{ ownInputShown }, { selectPrimitives }] = await Promise.all([
        import("#shared/transcript/own-input.ts"),
        import("#shared/crypto/primitives-webcrypto.ts"),
      ]);
      const { survivorCount, proof } = outcome;
      return ownInputShown(await selectPrimitives(crypto.subtle), { root, survivorCount, proof }, record);
    },
  });
  return isAsked ? (data ?? null) : null;
}
