"use client";
import { keepPreviousData, skipToken, useQuery } from "@tanstack/react-query";
import type { z } from "zod";
import type { CardFormat } from "#shared/export/card/formats.ts";
import type { ExportFormat } from "#shared/export/formats.ts";
import type { FreeAlias } from "#shared/protocol/aliases.ts";
import {
  type AliasMove,
  aliasesSchema,
  aliasViewSchema,
  decisionsSchema,
  gateReportSchema,
  modelVersionSchema,
  type promotionSchema,
} from "#shared/protocol/registry.ts";
import { comparisonSchema } from "#shared/task/report/comparison.ts";
import { judgingKey } from "#shared/task/settings.ts";
import { API, post, read, readList } from "./api.ts";
import { useSettings } from "./queries.ts";

/* A task's numbered models: which there are, which have a name, and moving the names. */

const of = (slug: string) => `/tasks/${encodeURIComponent(slug)}`;

export const MODEL_KEYS = {
  models: (slug: string) => ["models", slug] as const,
  aliases: (slug: string) => ["aliases", slug] as const,
  comparisons: (slug: string) => ["comparison", slug] as const,
  gates: (slug: string, version?: number | null) =>
    ["gates", slug, ...(version == null ? [] : [version])] as const,
};

/** At least `count` models, newest first, if there are as many. */
export const useModels = (slug: string, count: number) =>
  useQuery({
    queryKey: [...MODEL_KEYS.models(slug), count],
    queryFn: () => readList(modelVersionSchema, `${of(slug)}/models`, count),
    placeholderData: keepPreviousData,
  });
/** The newest model of a task; null if no round has committed. */
export const useNewestModel = (slug: string) =>
  useQuery({
    queryKey: [...MODEL_KEYS.models(slug), "newest"],
    queryFn: async () => {
      const { items } = await readList(modelVersionSchema, `${of(slug)}/models`, 1, { query: "limit=1" });
      return items[0] ?? null;
    },
  });
export const useAliases = (slug: string) =>
  useQuery({
    queryKey: MODEL_KEYS.aliases(slug),
    queryFn: async () => (await read(aliasesSchema, `${of(slug)}/aliases`)).items,
  });

/** What the gates of a task say of a version. Nothing is asked without one. */
export const useGates = (slug: string, version: number | null) =>
  useQuery({
    queryKey: MODEL_KEYS.gates(slug, version),
    queryFn:
      version === null ? skipToken : () => read(gateReportSchema, `${of(slug)}/gates?version=${version}`),
    staleTime: 60_000,
  });

/** What was decided about a version, and what its gates said then. Nothing is asked without one. */
export const useDecisions = (slug: string, version: number | null) =>
  useQuery({
    queryKey: [...MODEL_KEYS.gates(slug, version), "decisions"],
    queryFn:
      version === null
        ? skipToken
        : async () => (await read(decisionsSchema, `${of(slug)}/models/${version}/decisions`)).items,
    staleTime: 60_000,
  });

/** How the second version differs from the first on the same held-out rows. Both are asked anew, which takes a while. */
export const useComparison = (slug: string, pair: VersionPair | null) => {
  const settings = useSettings(slug);
  const judgedBy = settings.data === undefined ? null : judgingKey(settings.data.settings);
  return useQuery({
    queryKey: [...MODEL_KEYS.comparisons(slug), pair, judgedBy],
    queryFn:
      pair === null || settings.isPending
        ? skipToken
        : () => read(comparisonSchema, `${of(slug)}/comparisons?a=${pair.first}&b=${pair.second}`),
    staleTime: Number.POSITIVE_INFINITY,
  });
};

export interface VersionPair {
  readonly first: number;
  readonly second: number;
}

export const changeChampion = (slug: string, change: z.input<typeof promotionSchema>) =>
  read(aliasViewSchema, `${of(slug)}/promotions`, post(change));
export const moveAlias = (slug: string, alias: FreeAlias, move: AliasMove) =>
  read(aliasViewSchema, `${of(slug)}/aliases/${alias}`, post(move));
export const cardUrl = (slug: string, version: number, format: CardFormat) =>
  `${API}${of(slug)}/models/${version}/card/${format}`;
/** Everything about a version that an assessor asks for, as a zip. */
export const assessmentUrl = (slug: string, version: number) =>
  `${API}${of(slug)}/models/${version}/assessment`;
export const versionFileUrl = (slug: string, version: number, format: ExportFormat) =>
  `${API}${of(slug)}/models/${version}/exports/${format}`;
