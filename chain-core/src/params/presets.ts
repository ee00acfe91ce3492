// Parameter sets by name, for tools that make networks.
import type { Params } from "../ledger/genesis.ts";
import { devnetParams } from "./devnet.ts";
import { mainnetParams } from "./mainnet.ts";

/**
 * Bystack's: 10 formal nodes with 60 % and 32 standby ones with 40 % of a pool of 10 M BTM a year, blocks of half a
 * second. The pool is fixed: the foundation gets nothing of it.
 */
export const bystackParams: Params = {
  ...mainnetParams,
  seats: 10,
  standbySeats: 32,
  formalWeight: 60,
  standbyWeight: 40,
  issuanceMax: 10_000_000_00000000n,
  stakersLeastBps: 10_000,
  blockIntervalMs: 500,
};

/**
 * Bytom 2.0's: 10 validators with 1,000,000 BTM each, nobody stands by, min(30 M, 30 M (x + 0.5)) BTM a year, blocks of
 * 6 s. Its epochs of 100 blocks are days here (TIM-3): stake answers for at most 126 epochs, and unbonds in 21 days.
 */
const bytom2Params: Params = {
  ...mainnetParams,
  seats: 10,
  standbySeats: 0,
  standbyWeight: 0,
  selfStakeMin: 1_000_000_00000000n,
  issuanceMax: 30_000_000_00000000n,
  blockIntervalMs: 6_000,
};

export const presets: Readonly<Record<string, Params>> = {
  devnet: devnetParams,
  mainnet: mainnetParams,
  bystack: bystackParams,
  bytom2: bytom2Params,
};
