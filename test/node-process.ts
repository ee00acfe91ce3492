// A node of a test network as its own process, configured by a file as an operator's.
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { must } from "@causeway/primitives";
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
  /** After those of the configuration. */
  readonly flags?: readonly string[];
};

/** Failure "not-ready" with the end of its log when it does not start. */
export function launchNode({ name, config, folder, ...how }: NodeLaunch): Promise<Process> {
  const [command = "", ...args] = commandOf(writeConfig(folder, config), how);
  return launch({ name, command, args, logFile: join(folder, "node.log"), timeoutMs: 120_000 });
}

function commandOf(
  file: string,
  { before = [], nodeArgs = [], flags = [] }: Pick<NodeLaunch, "before" | "nodeArgs" | "flags">,
): string[] {
  const main = ["chain-core/src/main.ts", "--config", file, ...flags];
  return [...before, process.execPath, ...nodeArgs, ...main];
}

function writeConfig(folder: string, config: NodeConfig): string {
  const file = join(folder, "node.env");
  const values: Readonly<Record<string, unknown>> = config;
  const lines = Object.entries(nodeConfig).flatMap(([field, { key }]) =>
    values[field] === undefined ? [] : [`${key}=${String(values[field])}`],
  );
  writeFileSync(file, `${lines.join("\n")}\n`);
  return file;
}

export type SpawnedNode = {
  readonly child: ChildProcess;
  /** The object of its ready line; stays open when it ends before. */
  readonly ready: Promise<Readonly<Record<string, unknown>>>;
  readonly ended: Promise<number | null>;
};

/** The same without waiting, for a node that ends, or is to be killed, before it is ready. */
export function spawnNode({ config, folder, ...how }: Omit<NodeLaunch, "name">): SpawnedNode {
  const [command = "", ...args] = commandOf(writeConfig(folder, config), how);
  const log = openSync(join(folder, "node.log"), "a");
  const child = spawn(command, args, { stdio: ["ignore", "pipe", log] });
  const output = createInterface({ input: must(child.stdout, "stdout") as Readable });
  return {
    child,
    ready: new Promise((done) => output.once("line", (line) => done(JSON.parse(line)))),
    ended: new Promise((done) => child.once("close", done)),
  };
}
