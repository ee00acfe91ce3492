// Anvil, the Ethereum node of the devnet.
import { foundryBinary } from "../../contracts/foundry.ts";
import type { Process } from "./processes.ts";
import { launch } from "./processes.ts";

export const anvilChainId = 31_337;

/** One block a second, `finalized` one block behind: the default lags 64 blocks (building-blocks 5). */
export async function startAnvil(options: {
  readonly port: number;
  readonly logFile: string;
}): Promise<Process & { readonly url: string }> {
  const args = ["--host", "127.0.0.1", "--port", String(options.port), "--accounts", "1"];
  const timing = ["--block-time", "1", "--slots-in-an-epoch", "1", "--chain-id"];
  const one = await launch({
    name: "anvil",
    command: foundryBinary("anvil"),
    args: [...args, ...timing, String(anvilChainId)],
    logFile: options.logFile,
    isReady: (line) => (line.includes("Listening on") ? { ready: true } : undefined),
    timeoutMs: 30_000,
  });
  return { ...one, url: `http://127.0.0.1:${options.port}` };
}
