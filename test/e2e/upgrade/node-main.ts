// The node's process as chain-core/src/main.ts is, with the version 2 that tests have.
import { isRejected } from "@causeway/primitives";
import { loadConfig } from "@causeway/primitives/adapters/config";
import {
  exitWithError,
  printReady,
  requireAddon,
  runProcess,
} from "@causeway/primitives/adapters/process";
import { nodeConfig } from "../../../chain-core/src/config.ts";

const config = loadConfig(nodeConfig, process.argv.slice(2), process.env);
if (isRejected(config)) exitWithError(config.code, config.message, { mistakes: config.mistakes });
await requireAddon();
await runProcess(async () => {
  const { runNode } = await import("../../../chain-core/src/adapters/run-node.ts");
  const { versionTwo } = await import("./version-2.ts");
  const node = await runNode(config, undefined, versionTwo);
  printReady(node.ready);
  return node;
});
