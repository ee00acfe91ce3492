// The node's process: `causeway-node --config <file> [--reindex|--resync]`. It makes its data folder at the first start;
// --resync makes the store in it anew, from the network, and keeps the votes.

import { isRejected } from "@causeway/primitives";
import { loadConfig } from "@causeway/primitives/adapters/config";
import {
  exitWithError,
  prepareOnly,
  printReady,
  requireAddon,
  runProcess,
} from "@causeway/primitives/adapters/process";
import { nodeConfig } from "./config.ts";

const load = () => import("./adapters/run-node.ts");
await prepareOnly(() =>
  Promise.all([
    load(),
    import("./adapters/verify-thread.ts"),
    import("./adapters/beacon-worker.ts"),
  ]),
);
const config = loadConfig(nodeConfig, process.argv.slice(2), process.env);
if (isRejected(config)) exitWithError(config.code, config.message, { mistakes: config.mistakes });
await requireAddon();
await runProcess(async () => {
  const { runNode } = await load();
  const has = (flag: string): boolean => process.argv.includes(flag);
  const anew = has("--resync") ? "store" : has("--reindex") ? "index" : undefined;
  const node = await runNode(config, anew);
  printReady(node.ready);
  return node;
});
