// What the ledger does by itself after a block's transactions, in this order: ceremonies, then foreign chains, then
// the beacon, then the end of the epoch, if this is its last block.
import { beaconEndBlock } from "./beacon/round.ts";
import { reservedSize } from "./block-limits.ts";
import { epochOf } from "./epoch/epochs.ts";
import { epochEndBlock } from "./epoch/turn.ts";
import { governanceEndBlock, governanceEpoch } from "./governance/turn.ts";
import { setDue } from "./interchain/accounting.ts";
import { interchainEndBlock } from "./interchain/end-block.ts";
import { dropCanary, isInUse } from "./interchain/key-use.ts";
import { openPlan } from "./interchain/open-plan.ts";
import { isRingHurried, ringEndBlock } from "./ring/end-block.ts";
import { paySeats } from "./ring/pay.ts";
import { ringEpoch } from "./ring/terms.ts";
import type { BlockContext } from "./rule.ts";

/** The reserved part counts as full from nine tenths: the next envelope of a ceremony may be 10 kB. */
const fullSize = (reservedSize * 9) / 10;

/** `freeSize` is what envelopes took of the block, bytes. Gives whether a ceremony window waits for blocks. */
export function endBlock(block: BlockContext, freeSize: number): { readonly hurried: boolean } {
  ringEndBlock(block, { isReservedFull: freeSize >= fullSize, dropCanary, openPlan });
  governanceEndBlock(block);
  interchainEndBlock(block);
  beaconEndBlock(block);
  const epoch = epochOf(block.state).number;
  epochEndBlock(block);
  const { number } = epochOf(block.state);
  if (number !== epoch) {
    paySeats(block);
    ringEpoch(block, number, { dropCanary, isInUse });
    governanceEpoch(block, number);
    // Bonds and prices may be others now: who waits for room looks again (RNG-7).
    setDue(block.state);
  }
  return { hurried: isRingHurried(block) };
}
