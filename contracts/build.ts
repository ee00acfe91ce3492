// Compiles the contracts with npm's solc to contracts/artifacts/*.json, which are committed: whoever deploys
// or checks the code at an address (ETH-3) needs no compiler. `node contracts/build.ts` writes them.
import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { isMainThread } from "node:worker_threads";

/** Where a constant of the constructor lies in the runtime code, in bytes. */
export type CodeRange = { readonly start: number; readonly length: number };

/** What is committed for a contract; hex without 0x. */
export type Artifact = {
  readonly contract: string;
  readonly compiler: string;
  readonly abi: readonly unknown[];
  readonly bytecode: string;
  /** Immutables are zero in it. */
  readonly deployedBytecode: string;
  /** By the name of the immutable. */
  readonly immutableReferences: Readonly<Record<string, readonly CodeRange[]>>;
};

type SolcOutput = {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly contracts: Record<string, Record<string, SolcContract>>;
  readonly sources: Record<string, { readonly ast: unknown }>;
};
type SolcContract = {
  readonly abi: readonly unknown[];
  readonly evm: {
    readonly bytecode: { readonly object: string };
    readonly deployedBytecode: {
      readonly object: string;
      readonly immutableReferences: Record<string, readonly CodeRange[]>;
    };
  };
};
type Solc = {
  readonly version: () => string;
  readonly compile: (input: string, callbacks: { import: ImportCallback }) => string;
};
type ImportCallback = (path: string) => { contents: string } | { error: string };

const require = createRequire(import.meta.url);
const folder = new URL("./", import.meta.url);
const contractNames: readonly string[] = ["Gateway", "WrappedToken"];

/** The one setting; the metadata hash is left out so that a comment does not change the code's hash. */
const settings = {
  viaIR: true,
  optimizer: { enabled: true, runs: 1_000_000 },
  evmVersion: "cancun",
  metadata: { appendCBOR: false, bytecodeHash: "none" },
  outputSelection: {
    "*": {
      "": ["ast"],
      "*": [
        "abi",
        "evm.bytecode.object",
        "evm.deployedBytecode.object",
        "evm.deployedBytecode.immutableReferences",
      ],
    },
  },
} as const;

/** Compiles every contract of contracts/src. Throws with the compiler's words if it has errors or warnings. */
export function build(): Promise<Artifact[]> {
  return compile("src", contractNames);
}

/** Compiles contracts of contracts/<path>, each in the file of its name. Takes seconds. */
export async function compile(path: string, contracts: readonly string[]): Promise<Artifact[]> {
  const solc = require("solc") as Solc;
  const sources: Record<string, { content: string }> = {};
  for (const name of contracts) {
    const content = await readFile(new URL(`${path}/${name}.sol`, folder), "utf8");
    sources[`${path}/${name}.sol`] = { content };
  }
  const input = JSON.stringify({ language: "Solidity", sources, settings });
  const output = JSON.parse(solc.compile(input, { import: readImport })) as SolcOutput;
  const problems = (output.errors ?? []).filter((problem) => problem.severity !== "info");
  if (problems.length > 0)
    throw new Error(problems.map((problem) => problem.formattedMessage).join("\n"));
  const names = immutableNames(output);
  return contracts.map((name) => {
    const compiled = output.contracts[`${path}/${name}.sol`]?.[name];
    if (compiled === undefined) throw new Error(`solc gave no ${name}`);
    return artifactOf(name, solc.version(), compiled, names);
  });
}

const readFileSync = (require("node:fs") as typeof import("node:fs")).readFileSync;

function readImport(path: string): { contents: string } | { error: string } {
  try {
    const file = path.startsWith("src/") ? new URL(path, folder) : require.resolve(path);
    return { contents: readFileSync(file, "utf8") };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

function artifactOf(
  contract: string,
  compiler: string,
  { abi, evm }: SolcContract,
  names: ReadonlyMap<string, string>,
): Artifact {
  const { object, immutableReferences } = evm.deployedBytecode;
  const references: Record<string, readonly CodeRange[]> = {};
  for (const [id, ranges] of Object.entries(immutableReferences))
    references[names.get(id) ?? id] = ranges;
  return {
    contract,
    compiler,
    abi,
    bytecode: evm.bytecode.object,
    deployedBytecode: object,
    immutableReferences: references,
  };
}

/** solc names immutables by their node in the syntax tree. */
function immutableNames(output: SolcOutput): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const visit = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    const { nodeType, id, name, mutability } = node as Record<string, unknown>;
    if (nodeType === "VariableDeclaration" && mutability === "immutable")
      names.set(String(id), String(name));
    for (const child of Object.values(node)) visit(child);
  };
  for (const { ast } of Object.values(output.sources)) visit(ast);
  return names;
}

/** The committed artifact of a contract. */
export async function readArtifact(name: string): Promise<Artifact> {
  const text = await readFile(new URL(`artifacts/${name}.json`, folder), "utf8");
  return JSON.parse(text) as Artifact;
}

if (isMainThread && process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const artifact of await build()) {
    const file = new URL(`artifacts/${artifact.contract}.json`, folder);
    await writeFile(file, `${JSON.stringify(artifact, undefined, 2)}\n`);
    process.stdout.write(
      `${artifact.contract}: ${artifact.deployedBytecode.length / 2} bytes of code\n`,
    );
  }
}
