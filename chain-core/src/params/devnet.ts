// Constants of a network on one machine: fast, because nobody else's money is on it (PROTOCOL, devnet preset).
import type { Params } from "../ledger/genesis.ts";

export const devnetParams: Params = {
  // A day (STK): tests that watch epochs turn set their own.
  epochMs: 86_400_000,
  seats: 10,
  // As bystack and bytom2 have them: 10 seats, 32 that stand by.
  standbySeats: 32,
  // A test's user becomes a validator with a hundred BTM.
  selfStakeMin: 100_00000000n,
  delegationMin: 1_00000000n,
  unbondingMs: 60_000,
  // 30 M a year (STK-3), at most 60 % of what earns.
  issuanceMax: 30_000_000_00000000n,
  yieldMaxBps: 6_000,
  stakersLeastBps: 0,
  formalWeight: 60,
  standbyWeight: 40,
  lateVoteBps: 100,
  slashBps: 500,
  // A tenth of what is burnt: nobody gains by convicting himself.
  reporterBps: 1_000,
  // PROTOCOL's devnet: a window of 2 s, a delay of four windows in pieces of a second, at 36 us a step.
  beaconWindowMs: 2_000,
  beaconDifficulty: 5_888,
  beaconSegments: 8,
  beaconSegmentSteps: 27_000,
  beaconTurnMs: 4_000,
  beaconBps: 100,
  // A few minutes of blocks: who was away shows at once, and is forgotten soon.
  missedWindow: 1_000,
  // Half of the window away: jailed, for a minute.
  missedMax: 500,
  jailMs: 60_000,
  // Some 200 MB: no test fills it, and a loop of a broken relay ends within the day (CON-7).
  envelopeQuota: 250_000_000,
  // A block every half second when there is work: four nodes on two cores need about 50 ms for one.
  blockIntervalMs: 500,
  // A quiet ledger still moves its time, so that windows end; far below a third of finalityAgeMaxMs (CON-1).
  heartbeatMs: 5_000,
  // One machine has one clock, but a loaded one delivers late (TIM-1).
  clockToleranceMs: 5_000,
  // One machine delivers in milliseconds; these are what a silent proposer costs.
  proposeTimeoutMs: 1_000,
  voteTimeoutMs: 500,
  timeoutDeltaMs: 250,
  // A regtest miner is ours: two blocks show that depth is counted, three that final is deeper.
  creditDepth: 2,
  finalDepth: 3,
  // 10 BTC: a test deposit of any size is credited before its sweep (BTC-2).
  loanLimit: 1_000_000_000n,
  // Above what its sweep costs at the first fee rate: 2 sat/vB x 111 vB.
  depositMin: 10_000n,
  depositCap: 1_000_000_000n,
  // Above dust of every payable output (BTC-4: at most 546) and the fee of one.
  withdrawalMin: 10_000n,
  // 2 sat/vB (BTC-5): regtest relays from 1.
  feeRateInitial: 2_000,
  // Change below it is not split further; 8 lanes of parallel plans (BTC-4).
  minCoin: 100_000n,
  vaultCoins: 8,
  // As on mainnet (BTC-2): both nodes can mine them.
  reclaimMarginBlocks: 4_320,
  loanOverdueBlocks: 144,
  // ETH-2's defaults.
  stipend: 50_000,
  overhead: 20_000,
  // About 100,000 gas at 1 gwei and a bitcoin of 25 ether: 1:1 test prices leave it small.
  evmItemFee: 1_000n,
  // Four signers need well under a second to deal (RNG-4).
  ceremonyWindowMs: 5_000,
  // The ring of the genesis stays: tests of rotation set a term.
  ringSeats: 4,
  ringTermEpochs: 0,
  ringCooldownEpochs: 0,
  ringRetireTerms: 12,
  ringHeartbeatMs: 10_000,
  ringSlashBps: 500,
  // RNG-7: half of the stake of test validators; custody is not bounded.
  ringBondBps: 5_000,
  ringCustodyBps: 1_000_000_000_000,
  // ACC-2: a tenth of what a transfer costs.
  ringFeeBps: 1_000,
  // RNG-6's default.
  finalityAgeMaxMs: 60_000,
  // 4 x 10^-8 BTM a unit of weight: a transfer of 313 bytes weighs 813 and burns 0.000033 BTM.
  baseFeeInitial: 4_000n,
  baseFeeMin: 1_000n,
  // A block's bytes hold some 5,000 transfers (FMT-9), which weigh as much; half of it is the room for peaks.
  weightMax: 4_000_000,
  weightTarget: 2_000_000,
  // Longer than any test keeps an operator down.
  expiryMaxMs: 10 * 60_000,
  // A test's requests outlive the test.
  requestTtlMs: 24 * 60 * 60_000,
  // GOV's delays where nobody needs a week to read what will change.
  govDelayMs: 10_000,
  slowModeMs: 10_000,
  slowModeRestMs: 60_000,
  pauseMs: 10_000,
};
