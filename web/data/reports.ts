"use client";
import { useQuery } from "@tanstack/react-query";
import { roundViewSchema } from "#shared/protocol/api.ts";
import type { ModelVersionView } from "#shared/protocol/registry.ts";
import { evaluationReportSchema } from "#shared/task/report/report.ts";
import { read, readList } from "./api.ts";

/** All that is known of a version on the rows that it was evaluated on; null if it was not. It never changes. */
export const useReport = ({ runId, round, reportHash }: ModelVersionView) =>
  useQuery({
    queryKey: ["report", runId, round, reportHash],
    queryFn: async () => {
      if (reportHash === undefined) return null;
      // The cursor of this list is the number of a round.
      const path = `/runs/${encodeURIComponent(runId)}/rounds`;
      const { items } = await readList(roundViewSchema, path, 1, {
        cursor: String(round - 1),
        query: "limit=1",
      });
      const roundId = items.find((one) => one.round === round)?.roundId;
      return roundId === undefined ? null : read(evaluationReportSchema, `/rounds/${roundId}/report`);
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
