// The gateway's process: `causeway-gateway --config <file>`.
import { isRejected } from "@causeway/primitives";
import {
  exitWithError,
  prepareOnly,
  printReady,
  requireAddon,
  runProcess,
} from "@causeway/primitives/adapters/process";

const load = () => import("./adapters/run-gateway.ts");
await prepareOnly(() => Promise.all([load(), import("./adapters/config.ts")]));
// Before the configuration, which checks secret keys by it.
await requireAddon();
const { loadGatewayConfig } = await import("./adapters/config.ts");
const config = loadGatewayConfig(process.argv.slice(2), process.env);
if (isRejected(config)) exitWithError(config.code, config.message, { mistakes: config.mistakes });
await runProcess(async () => {
  const { runGateway } = await load();
  const gateway = await runGateway(config);
  printReady(gateway.ready);
  return gateway;
});
