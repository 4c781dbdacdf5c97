"use client";
import { useQuery } from "@tanstack/react-query";
import { getOwnWays, getSession, getSetup } from "./access.ts";
import {
  getAllTokens,
  getInvitations,
  getJoinTokens,
  getOperations,
  getOwnTokens,
  getPeople,
  getProjects,
  getProposals,
  getReadiness,
  getRetention,
  getSites,
} from "./admin.ts";

/** Everything about access is under one key, because one act changes several lists. */
export const ACCESS = ["access"] as const;

export const SESSION = [...ACCESS, "session"] as const;

/** Other people act too, and no event tells. */
const OTHERS_ACT_EVERY_MS = 10_000;

function useList<Row>(name: string, queryFn: () => Promise<Row>) {
  return useQuery({ queryKey: [...ACCESS, name], queryFn, refetchInterval: OTHERS_ACT_EVERY_MS });
}

export const useSession = () =>
  useQuery({ queryKey: SESSION, queryFn: getSession, staleTime: 30_000, refetchInterval: 60_000 });
export const useOwnWays = () => useQuery({ queryKey: [...ACCESS, "own-ways"], queryFn: getOwnWays });
export const useSetup = () => useQuery({ queryKey: [...ACCESS, "setup"], queryFn: getSetup });
export const usePeople = () => useList("people", getPeople);
export const useProjects = () => useList("projects", getProjects);
export const useInvitations = () => useList("invitations", getInvitations);
export const useSites = () => useList("sites", getSites);
export const useJoinTokens = () => useList("join-tokens", getJoinTokens);
export const useAllTokens = () => useList("all-tokens", getAllTokens);
/** Takes a fresh proof, so it is fetched only when the page needs it. */
export const useOwnTokens = () =>
  useQuery({ queryKey: [...ACCESS, "own-tokens"], queryFn: getOwnTokens, refetchOnWindowFocus: false });
export const useProposals = () => useList("proposals", getProposals);
export const useReadiness = () => useList("readiness", getReadiness);
export const useRetention = () => useList("retention", getRetention);
export const useOperations = () => useList("operations", getOperations);
