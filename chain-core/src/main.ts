// The node's process: `causeway-node --config <file> [--reindex]`. It makes its data folder at the first start.

import { isRejected } from "@causeway/primitives";
import { loadConfig } from "@causeway/primitives/adapters/config";
import {
  exitWithError,
  printReady,
  requireAddon,
  runProcess,
} from "@causeway/primitives/adapters/process";
import { nodeConfig } from "./config.ts";

const config = loadConfig(nodeConfig, process.argv.slice(2), process.env);
if (isRejected(config)) exitWithError(config.code, config.message, { mistakes: config.mistakes });
await requireAddon();
await runProcess(async () => {
  const { runNode } = await import("./adapters/run-node.ts");
  const node = await runNode(config, process.argv.includes("--reindex"));
  printReady(node.ready);
  return node;
});
