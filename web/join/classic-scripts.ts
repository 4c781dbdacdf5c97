import type { Plugin, RenderBuiltAssetUrl, Rolldown } from "vite";

/*
 * Makes classic scripts of the build's chunks, so that no file contains `import()`: what the page runs is then only what
 * its HTML and these files name, and a list of hashes covers all of it (A50). The bundler writes CommonJS, and each file
 * becomes a function with a `require` of its own, for files that are not there yet:
 *
 * | where  | a file is loaded by | `require` returns                                                      |
 * | ------ | ------------------- | ---------------------------------------------------------------------- |
 * | page   | a script element    | a promise, which the `then` that the bundler puts around it waits for  |
 * | worker | `importScripts`     | what the file exports                                                  |
 *
 * A file that could not be loaded leaves nothing behind, so that it is fetched again when it is next asked for.
 */

/** What `import.meta.url` becomes: the address of the file on a page; that of the worker in a worker. */
export const OWN_ADDRESS = { "import.meta.url": "ownAddress" };

/** How the page's files name one another, wherever they are. They are all in one folder. */
export const relativeAddress: RenderBuiltAssetUrl = (name, { hostType }) =>
  hostType === "js" ? { runtime: `new URL(${JSON.stringify(name)},ownAddress).href` } : { relative: true };

/** What runs around a file. `parts` has the exports of each file that has run. */
const AROUND = `((name,run)=>{
const page=self.document!==undefined,ownAddress=page?document.currentScript.src:location.href,parts=self.chorusParts??={},exports={};
const require=(name)=>{
if(name in parts)return parts[name];
const address=new URL(name,ownAddress).href;
if(!page){importScripts(address);return parts[name]}
return new Promise((resolve,reject)=>{
const script=document.createElement("script");
script.src=address;
script.onload=()=>name in parts?resolve(parts[name]):reject(new Error(name+" failed"));
script.onerror=()=>{script.remove();reject(new Error(name+" could not be loaded"))};
document.head.append(script)})};
run(require,exports,ownAddress);
parts[name]=exports})`;

/** For the page and, among `worker.plugins`, for its workers. */
export function classicScripts(): Plugin {
  return {
    name: "chorus-classic-scripts",
    enforce: "pre",
    outputOptions: (options) => ({ ...options, format: "cjs" }),
    transform(code, id) {
      // No part of the page has styles of its own to fetch beside it.
      if (id.endsWith("vite/preload-helper.js")) return "export const __vitePreload = (load) => load();";
      // Only module workers would need to be named as such.
      return id.includes("/client/") ? code.replaceAll(`, { type: "module" })`, ")") : null;
    },
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        for (const file of Object.values(bundle)) {
          if (file.type === "chunk") file.code = classic(file);
        }
      },
    },
  };
}

function classic({ fileName, code }: Rolldown.OutputChunk): string {
  return `${AROUND}("./${fileName}",(require,exports,ownAddress)=>{"use strict";
${code}});
`;
}
