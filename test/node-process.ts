// A node of a test network as its own process, configured by a file as an operator's.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { NodeConfig } from "../chain-core/src/adapters/run-node.ts";
import { nodeConfig } from "../chain-core/src/config.ts";
import type { Process } from "../deploy/devnet/processes.ts";
import { launch } from "../deploy/devnet/processes.ts";

export type NodeLaunch = {
  readonly name: string;
  readonly config: NodeConfig;
  /** For its configuration and its log. */
  readonly folder: string;
  /** What starts Node, for instance in a network namespace. */
  readonly before?: readonly string[];
  readonly nodeArgs?: readonly string[];
};

/** Failure "not-ready" with the end of its log when it does not start. */
export function launchNode({
  name,
  config,
  folder,
  before,
  nodeArgs,
}: NodeLaunch): Promise<Process> {
  const file = join(folder, "node.env");
  const values: Readonly<Record<string, unknown>> = config;
  const lines = Object.entries(nodeConfig).flatMap(([field, { key }]) =>
    values[field] === undefined ? [] : [`${key}=${String(values[field])}`],
  );
  writeFileSync(file, `${lines.join("\n")}\n`);
  const [command = "", ...args] = [
    ...(before ?? []),
    process.execPath,
    ...(nodeArgs ?? []),
    "chain-core/src/main.ts",
    "--config",
    file,
  ];
  return launch({ name, command, args, logFile: join(folder, "node.log"), timeoutMs: 120_000 });
}
