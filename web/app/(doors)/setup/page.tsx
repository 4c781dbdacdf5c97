import type { Metadata } from "next";
import { Setup } from "../../../features/doors/setup.tsx";

export const metadata: Metadata = { title: "Set-up" };

export default function Page() {
  return <Setup />;
}
