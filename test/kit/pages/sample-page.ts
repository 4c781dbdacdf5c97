import { measureSample } from "../../bench/sample/measure.ts";

/* Measures how a page profiles a table. */

Object.assign(globalThis, { measureSample });
