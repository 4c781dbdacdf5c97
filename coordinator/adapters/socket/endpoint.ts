import type { Namespace, Socket } from "socket.io";
import type { Access } from "../../core/access/device-login.ts";
import type { Places } from "../../core/access/places.ts";
import type { Person } from "../../core/access/principal.ts";
import type { DeviceDesk } from "../../core/coordinator.ts";
import type { DeviceConnections } from "./device-connections.ts";
import type { GuardPorts } from "./guard.ts";
import type { SocketSign } from "./sign.ts";
import type { Watchers } from "./watchers.ts";

export interface SocketPorts extends GuardPorts {
  readonly places: Pick<Places, "of">;
  /** Uses up a ticket. Null if it stands for nobody any more. */
  readonly personOfTicket: (ticket: string) => Person | null;
  /** The person with their rights as they are now; null once they have none. */
  readonly personNow: (person: Person) => Person | null;
  readonly watchers: Watchers;
  readonly devices: DeviceDesk;
  readonly access: Access;
  readonly connections: DeviceConnections;
  /** Key of the address that a connection's limits count for. */
  readonly addressOf: (socket: Socket) => string;
  /** Raises a connection's limits after login. One with a join token no longer counts for its address. */
  readonly loggedIn: (socket: Socket, options: { readonly isInvited: boolean }) => void;
}

export interface SocketEndpoint extends SocketSign {
  /** Answers connections to its namespace. */
  serve(namespace: Namespace, ports: SocketPorts): void;
}
