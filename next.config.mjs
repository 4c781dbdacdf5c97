import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

/** @type {import("next").NextConfig} */
const config = {
  // The pages import shared/ and client/, so modules resolve from the repository and not from web/.
  turbopack: { root: dirname(fileURLToPath(import.meta.url)) },
  // There are no raster images to optimise, and the optimiser would be one more route that takes a URL.
  images: { unoptimized: true },
  poweredByHeader: false,
  reactStrictMode: true,
  // `npm run check` checks the types of the whole repository; the build of a demo does not do it again.
  typescript: { ignoreBuildErrors: true },
};

export default config;
