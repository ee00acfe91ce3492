// The laws of the house that a linter cannot say: layers inside packages, doors between them, READMEs,
// rule ids, sizes, dependencies.
import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import type { Planted } from "../seeds/planting.ts";

const root: string = resolve(import.meta.dirname, "../..");
const packages = ["primitives", "chain-core", "signer", "gateway", "cli"];

const sources: string[] = globSync("{primitives,chain-core,signer,gateway,cli}/src/**/*.ts", {
  cwd: root,
}).sort();
const everything: string[] = [
  ...sources,
  ...globSync("{test,deploy,contracts}/**/*.ts", { cwd: root }),
].filter((file) => !file.includes("node_modules"));

function read(file: string): string {
  return readFileSync(join(root, file), "utf8");
}

function importsOf(file: string): string[] {
  const statements = read(file).matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g);
  return [...statements].map((match) => match[1] as string);
}

/** Inside chain-core a room imports only rooms to its left (docs/SEAMS.md), or itself. */
const order = [
  ["codec"],
  ["ledger/state.ts", "ledger/genesis.ts", "ledger/assets.ts", "ledger/recent.ts"],
  ["params"],
  [
    "ring",
    "beacon",
    "interchain",
    "consensus/quorum.ts",
    "consensus/power.ts",
    "consensus/voters.ts",
    "consensus/certificate.ts",
    "consensus/accountability.ts",
  ],
  ["ledger"],
  ["consensus", "light.ts", "wallet", "govern", "node/port.ts", "node/event.ts"],
  ["peers"],
  ["mempool", "sync", "snapshot", "rehearsal"],
  ["node", "client.ts", "client"],
  ["foreign", "rpc", "config.ts", "index.ts", "interchain/index.ts"],
  ["adapters"],
  ["main.ts", "cli.ts"],
];

function layerOf(path: string): number {
  let best = -1;
  let bestSize = -1;
  for (const [layer, rooms] of order.entries())
    for (const room of rooms)
      if ((path === room || path.startsWith(`${room}/`)) && room.length > bestSize) {
        best = layer;
        bestSize = room.length;
      }
  return best;
}

describe("layers", () => {
  test("a room of chain-core imports only rooms to its left", () => {
    const wrong: string[] = [];
    for (const file of sources.filter((one) => one.startsWith("chain-core/"))) {
      if (file.endsWith(".test.ts")) continue;
      const from = relative("chain-core/src", file);
      for (const target of importsOf(file).filter((one) => one.startsWith("."))) {
        const to = relative("chain-core/src", join(dirname(file), target));
        if (layerOf(from) < 0) wrong.push(`${file}: in no known room`);
        if (layerOf(to) > layerOf(from)) wrong.push(`${file} -> ${to}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test("signer and gateway never import each other, and use chain-core only by its doors", () => {
    const doors = [
      "light",
      "interchain",
      "foreign",
      "client",
      "ring",
      "rehearsal",
      "adapters/bls",
    ].map((door) => `@causeway/chain-core/${door}`);
    const wrong: string[] = [];
    for (const file of sources) {
      const own = file.split("/")[0];
      if (own !== "signer" && own !== "gateway") continue;
      for (const target of importsOf(file)) {
        if (target.startsWith("@causeway/chain-core") && !doors.includes(target))
          wrong.push(`${file} -> ${target}`);
        if (target.startsWith(own === "signer" ? "@causeway/gateway" : "@causeway/signer"))
          wrong.push(`${file} -> ${target}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

describe("papers", () => {
  test("every package README has the fixed headings", () => {
    const headings = ["Purpose", "Owns", "Does not own", "Map", "Invariants", "Try it"];
    for (const name of [...packages, "contracts"]) {
      const text = read(`${name}/README.md`);
      for (const heading of headings)
        expect(text, `${name}/README.md`).toMatch(new RegExp(`^## ${heading}$`, "m"));
    }
  });

  test("every rule id that code or a test cites is in the spec", () => {
    const spec = globSync("docs/spec/*.md", { cwd: root }).map(read).join("\n");
    const known = new Set([...spec.matchAll(/^- ([A-Z]{3}-\d+)/gm)].map((match) => match[1]));
    const unknown = new Set<string>();
    for (const file of everything)
      for (const match of read(file).matchAll(
        /\b((?:FMT|TIM|CON|GOV|STK|BCN|WIT|BTC|ETH|RNG|ACC)-\d+)\b/g,
      ))
        if (!known.has(match[1])) unknown.add(`${file}: ${match[1]}`);
    expect([...unknown]).toEqual([]);
  });

  test("every key of configuration is in SEAMS, and no typing mistake to another process", () => {
    const [seams, shared] = ["docs/SEAMS.md", "primitives/src/adapters/config.ts"].map(read);
    const keys = sources.flatMap((file) => [
      ...read(file).matchAll(/key: "CAUSEWAY_([A-Z0-9_]+)"/g),
    ]);
    expect(keys.length).toBeGreaterThan(20);
    for (const [, key] of keys) {
      expect(seams).toMatch(new RegExp(`CAUSEWAY_${key}\\b`));
      expect(shared).toMatch(new RegExp(`[ "]${key}[ "]`));
    }
  });

  test("every dependency has its line in the ADR on dependencies", () => {
    const adr = read("docs/adr/0002-dependencies.md");
    const missing: string[] = [];
    for (const name of ["", ...packages.map((one) => `${one}/`)]) {
      const manifest = JSON.parse(read(`${name}package.json`)) as Record<
        string,
        Record<string, string> | undefined
      >;
      const { dependencies, devDependencies, optionalDependencies } = manifest;
      const wanted = { ...dependencies, ...devDependencies, ...optionalDependencies };
      for (const [dependency, version] of Object.entries(wanted)) {
        if (dependency.startsWith("@causeway/")) continue;
        if (!adr.includes(`\`${dependency}\``)) missing.push(dependency);
        expect(version, dependency).toMatch(/^\d+\.\d+\.\d+$/);
      }
    }
    expect(missing).toEqual([]);
  });
});

describe("sizes and words", () => {
  test("no source file is over 400 lines, no test over 700", () => {
    const long = everything.filter((file) => {
      const isTest = /\.(test|spec|e2e)\.ts$|\/testing\.ts$/.test(file);
      return read(file).split("\n").length > (isTest ? 701 : 401);
    });
    expect(long).toEqual([]);
  });

  test("nothing is left to do without saying so in an issue, and no test is focused", () => {
    const word = ["TO", "DO"].join("");
    const wrong = everything.filter((file) => {
      const text = read(file);
      return new RegExp(`\\b${word}\\b|\\.only\\(`).test(text);
    });
    expect(wrong).toEqual([]);
  });

  test("every planted bug still fits its place, and no other", () => {
    const astray = globSync("test/*/planted/*.json", { cwd: root }).flatMap((file) => {
      const { edits } = JSON.parse(read(file)) as Planted;
      return edits.filter((edit) => read(edit.file).split(edit.find).length !== 2).map(() => file);
    });
    expect(astray).toEqual([]);
  });
});
