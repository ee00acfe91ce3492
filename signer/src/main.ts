// The signer's process: `causeway-signer --config <file>`. This thread is its network, a worker is its vault.
import { isRejected } from "@causeway/primitives";
import {
  exitWithError,
  prepareOnly,
  printReady,
  requireAddon,
  runProcess,
} from "@causeway/primitives/adapters/process";
import { loadSignerConfig } from "./adapters/config.ts";

const load = () => import("./adapters/run-signer.ts");
await prepareOnly(() => Promise.all([load(), import("./adapters/vault-worker.ts")]));
const config = loadSignerConfig(process.argv.slice(2), process.env);
if (isRejected(config)) exitWithError(config.code, config.message, { mistakes: config.mistakes });
await requireAddon();
await runProcess(async () => {
  const { runSigner } = await load();
  const signer = await runSigner(config);
  printReady(signer.ready);
  return signer;
});
