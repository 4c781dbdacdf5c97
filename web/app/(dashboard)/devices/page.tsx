import type { Metadata } from "next";
import { Devices } from "../../../features/admin/devices.tsx";

export const metadata: Metadata = { title: "Devices" };

export default function Page() {
  return <Devices />;
}
