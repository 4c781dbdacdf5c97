"use client";
import { useQuery } from "@tanstack/react-query";
import type { ContributionSummary } from "#client/index.ts";
import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import type { RoundDetail } from "#shared/protocol/api.ts";
import { ownInputShown } from "#shared/transcript/own-input.ts";
import type { OwnInputVerdict } from "../../words/contribution.ts";

/** Checks that this device's list is under the root that the round shows to everyone; null until known. Rule A7. */
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
      const { survivorCount, proof } = outcome;
      return ownInputShown(await selectPrimitives(crypto.subtle), { root, survivorCount, proof }, record);
    },
  });
  return isAsked ? (data ?? null) : null;
}
