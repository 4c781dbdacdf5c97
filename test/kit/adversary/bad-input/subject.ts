import type { z } from "zod";
import type { Endpoint } from "#coordinator/adapters/http/endpoint.ts";
import type { Account } from "../../worlds/accounts.ts";
import type { GoodAbout } from "./credentials.ts";
import type { Expectation } from "./kinds.ts";
import { type GoodRequest, type RawRequest, requestOf, type Written } from "./request.ts";

/* An endpoint with its good request, and the cases that are made of them. */

export interface HttpCase {
  readonly about: string;
  readonly request: RawRequest;
  readonly expect: Expectation;
  /** Those that a refusal may have; by default any. */
  readonly statuses?: readonly number[];
  /** The sender closes its half after these bytes of the body. */
  readonly cutAfter?: number;
  /** The connection may also end without an answer. */
  readonly mayEnd?: boolean;
  /** Of the sender's, and in no part of the answer. */
  readonly hidden?: string;
}

/** What the world around an endpoint holds. */
export interface HttpWorld {
  readonly good: GoodRequest;
  /** Requests that name something closed, over or never begun, or that repeat a key with another body. */
  readonly closed: readonly GoodRequest[];
  readonly conflicting: readonly GoodRequest[];
  /** Ids that exist, so that an unknown one can take their place. */
  readonly ids: ReadonlySet<string>;
  readonly accounts: readonly Account[];
  /** What the good request is about. */
  readonly about: GoodAbout;
}

/** An endpoint with its good request and all that is tried with it. */
export interface Subject {
  readonly endpoint: Endpoint;
  readonly world: HttpWorld;
  readonly good: GoodRequest;
  readonly written: Written;
  readonly request: RawRequest;
  /** Declared headers, by name. */
  readonly headers: Readonly<Record<string, z.ZodType>>;
  readonly takesBytes: boolean;
}

export const text = (value: string): Uint8Array => new TextEncoder().encode(value);
export const refused = (about: string, request: RawRequest): HttpCase => ({
  about,
  request,
  expect: "refused",
});
export const harmless = (about: string, request: RawRequest): HttpCase => ({
  about,
  request,
  expect: "harmless",
});

export function withBody(subject: Subject, body: Uint8Array): RawRequest {
  return requestOf(subject.endpoint, { ...subject.written, body });
}
