/** What would let a page run code that no list of its files names. */
const FAULTS: readonly { readonly files: RegExp; readonly text: RegExp; readonly fault: string }[] = [
  { files: /\.js$/, text: /\bimport\s*\(/, fault: "calls import()" },
  { files: /\.js$/, text: /^\s*(?:import|export)\b/m, fault: "is a module" },
  { files: /\.js$/, text: /\bnew Function\b/, fault: "makes a function of text" },
  { files: /\.html$/, text: /<script(?![^>]*\ssrc=)/i, fault: "has a script inside" },
  { files: /\.html$/, text: /<[^>]+\son\w+\s*=/i, fault: "has a listener inside" },
  { files: /\.html$/, text: /\snonce=/i, fault: "has a nonce" },
];

/** @returns What is wrong with a file of the participant's page; empty if nothing is. */
export function staticFaults(name: string, text: string): readonly string[] {
  return FAULTS.filter(({ files, text: pattern }) => files.test(name) && pattern.test(text)).map(
    ({ fault }) => fault,
  );
}
