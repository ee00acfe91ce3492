// The signer's process: `causeway-signer --config <file>`. This thread is its network, a worker is its vault.
import { isRejected } from "@causeway/primitives";
import {
  exitWithError,
  printReady,
  requireAddon,
  runProcess,
} from "@causeway/primitives/adapters/process";
import { loadSignerConfig } from "./adapters/config.ts";

const config = loadSignerConfig(process.argv.slice(2), process.env);
if (isRejected(config)) exitWithError(config.code, config.message, { mistakes: config.mistakes });
await requireAddon();
await runProcess(async () => {
  const { runSigner } = await import("./adapters/run-signer.ts");
  const signer = await runSigner(config);
  printReady(signer.ready);
  return signer;
});
