// `node test/sim/beacon-bias.ts [epochs]`: 10,000 epochs of the beacon against a third of the validators that withholds
// and is 16 times as fast, and of two controls that must fail the same chi-squared test (issue: beacon; BCN-1 to 4). Its
// chains are independent and run over all cores; each is deterministic. Ends with 1 unless all three come out right.
import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import type { BiasVariant } from "../../chain-core/src/beacon/testing-bias.ts";
import {
  biasLimit,
  biasVariants,
  chiSquared,
  simulateBias,
} from "../../chain-core/src/beacon/testing-bias.ts";

type Chain = { readonly variant: BiasVariant; readonly epochs: number; readonly name: string };
const chainEpochs = 500;

function chainsOf(variant: BiasVariant, epochs: number): Chain[] {
  return Array.from({ length: Math.ceil(epochs / chainEpochs) }, (_, i) => ({
    variant,
    epochs: Math.min(chainEpochs, epochs - i * chainEpochs),
    name: `chain ${i}`,
  }));
}

/** Runs the chains in child processes; the sum of their cells. */
async function runAll(chains: readonly Chain[]): Promise<number[]> {
  const waiting = [...chains];
  const sum: number[] = [];
  const work = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const child = fork(import.meta.filename, ["chain"]);
      const next = (): void => {
        const chain = waiting.shift();
        if (chain === undefined) child.disconnect();
        else child.send(chain);
      };
      child.on("message", (cells: number[]) => {
        for (const [i, count] of cells.entries()) sum[i] = (sum[i] ?? 0) + count;
        next();
      });
      child.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`exit ${code}`))));
      next();
    });
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return sum;
}

if (process.argv[2] === "chain") {
  process.on("message", ({ variant, epochs, name }: Chain) => {
    process.send?.(simulateBias(variant, epochs, name));
  });
} else {
  const epochs = Number(process.argv[2] ?? 10_000);
  for (const variant of biasVariants) {
    const cells = await runAll(chainsOf(variant, epochs));
    const statistic = chiSquared(cells);
    const isMoved = statistic >= biasLimit;
    const right = isMoved === (variant !== "full");
    if (!right) process.exitCode = 1;
    console.log(
      `${variant}: ${cells.join(" : ")}, chi-squared ${statistic.toFixed(2)}, ` +
        `${isMoved ? "moved" : "not moved"} at ${biasLimit}: ${right ? "as it must be" : "WRONG"}`,
    );
  }
}
