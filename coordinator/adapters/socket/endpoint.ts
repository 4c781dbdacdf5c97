import type { Namespace, Socket } from "socket.io";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import type { Access } from "../../core/access/device-login.ts";
import type { Permission } from "../../core/access/permissions.ts";
import type { DeviceDesk } from "../../core/coordinator.ts";
import type { DeviceConnections } from "./devices.ts";
import type { GuardPorts } from "./guard.ts";

/** How a refusal looks to whoever sent the event. */
export interface SocketDialect {
  readonly name: "api" | "frame";
  refuse(code: ErrorCode, detail?: string): unknown;
}

/** What the one event of a namespace says about itself (W13). */
export interface SocketSign<Kind extends string = string> {
  readonly namespace: `/${string}`;
  readonly event: string;
  readonly dialect: SocketDialect;
  /** By kind of message: one event may carry several. */
  readonly permissions: Readonly<Record<Kind, Permission>>;
}

export interface SocketPorts extends GuardPorts {
  readonly devices: DeviceDesk;
  readonly access: Access;
  readonly connections: DeviceConnections;
  /** A connection that has logged in may send more; one with a join token no longer counts for its address. */
  readonly loggedIn: (socket: Socket, options: { readonly isInvited: boolean }) => void;
}

export interface SocketEndpoint extends SocketSign {
  /** Answers the connections of its namespace. */
  serve(namespace: Namespace, ports: SocketPorts): void;
}
