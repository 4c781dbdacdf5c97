import { dashboards } from "./dash.ts";
import { devices } from "./devices.ts";
import type { SocketEndpoint } from "./endpoint.ts";

/** Every namespace with its event. Serving and tests both follow this list (W13). */
export const SOCKET_ENDPOINTS: readonly SocketEndpoint[] = [devices, dashboards];
