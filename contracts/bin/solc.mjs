// npm's solc behind the two calls that forge makes of a native one: --version, and --standard-json on stdin.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const require = createRequire(import.meta.url);
const options = process.argv.slice(2);

if (options.includes("--version")) {
  const { version } = require("solc/package.json");
  // Loading the compiler takes a second; its package has its version. forge reads the second line.
  process.stdout.write(`solc, the solidity compiler\nVersion: ${version}+commit.00000000\n`);
} else {
  const solc = require("solc");
  const base = options[options.indexOf("--base-path") + 1] ?? ".";
  const read = (path) => {
    try {
      return { contents: readFileSync(resolve(base, path), "utf8") };
    } catch (error) {
      return { error: error.message };
    }
  };
  process.stdout.write(solc.compile(readFileSync(0, "utf8"), { import: read }));
}
