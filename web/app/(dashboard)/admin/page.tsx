import type { Metadata } from "next";
import { Admin } from "../../../features/admin/admin.tsx";

export const metadata: Metadata = { title: "Admin" };

export default function Page() {
  return <Admin />;
}
