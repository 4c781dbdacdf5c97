"use client";
import { useQuery } from "@tanstack/react-query";

/**
 * Bytes of files that the coordinator would make, by address; those that it does not tell are missing. One is asked for
 * after the other, because each is made to be measured.
 *
 * @param version  Of the model; its files never change.
 */
export const useFileSizes = (urls: readonly string[], version: number) =>
  useQuery({
    queryKey: ["file-sizes", version, ...urls],
    queryFn: async ({ signal }): Promise<ReadonlyMap<string, number>> => {
      const sizes = new Map<string, number>();
      for (const url of urls) {
        const { ok, headers } = await fetch(url, { method: "HEAD", signal });
        const length = Number(headers.get("content-length") ?? Number.NaN);
        if (ok && Number.isInteger(length)) sizes.set(url, length);
      }
      return sizes;
    },
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  }).data;
