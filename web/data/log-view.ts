"use client";
import { useQuery } from "@tanstack/react-query";
import { getLog } from "./log.ts";

/** What the coordinator says of its log. Nothing of it is checked here. */
export const useLogView = () =>
  useQuery({ queryKey: ["log-view"], queryFn: getLog, staleTime: 10_000, retry: false });
