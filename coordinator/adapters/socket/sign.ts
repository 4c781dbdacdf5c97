import type { z } from "zod";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import type { Permission } from "../../core/access/permissions.ts";

/** How refusals look to the sender of an event. */
export interface SocketDialect {
  readonly name: "api" | "frame";
  refuse(code: ErrorCode, detail?: string): unknown;
}

/** What a namespace declares about its one event (W13). */
export interface SocketSign<Kind extends string = string> {
  readonly namespace: `/${string}`;
  readonly event: string;
  readonly dialect: SocketDialect;
  /** Shape of the argument, by kind of message. */
  readonly messages: Readonly<Record<Kind, z.ZodType>>;
  /** By kind of message, since one event may carry several kinds. */
  readonly permissions: Readonly<Record<Kind, Permission>>;
}
