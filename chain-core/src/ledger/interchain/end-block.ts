// What the end of every block does about foreign chains: follow reorganisations, credit, plan, and check the
// accounts. A block whose actions changed nothing here has nothing to do (CON-1), and nothing here throws on a
// final block (CON-5).
import { noteCustody } from "../ring/liability.ts";
import { loadedContracts, putContractRooms, putRoom } from "../ring/liability-custody.ts";
import type { BlockContext } from "../rule.ts";
import { checkAccounts, isDue, setDue } from "./accounting.ts";
import { checkCoins, reviewCoins } from "./coins.ts";
import { creditInbounds } from "./credit.ts";
import { planBitcoin } from "./plan-bitcoin.ts";
import { planBatches } from "./plan-evm.ts";
import { planSetKeys } from "./set-key.ts";
import { underWayIn } from "./under-way.ts";

/** After the block's actions and the ring's end of block. */
export function interchainEndBlock(block: BlockContext): void {
  if (!isDue(block.state)) return;
  const review = reviewCoins(block);
  const hasMoreCredits = creditInbounds(block, review);
  const hasMorePayments = planBitcoin(block);
  planSetKeys(block);
  const hasMoreBatches = planBatches(block);
  noteCustody(block, new Set([...checkCoins(block), ...loadedContracts(block)]));
  putRoom(block.state, review.room);
  putContractRooms(block, underWayIn(block.state));
  checkAccounts(block);
  setDue(block.state, hasMoreCredits || hasMorePayments || hasMoreBatches);
}
