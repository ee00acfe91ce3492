// Constants of a production network: a sketch, each number with the reason that must hold when it is final.
import type { Params } from "../ledger/genesis.ts";

const minute = 60_000;
const hour = 60 * minute;

export const mainnetParams: Params = {
  // TIM-3: staking epochs are days.
  epochMs: 86_400_000,
  seats: 10,
  standbySeats: 32,
  // The 1,000,000 BTM of votes that the old chain asked for; a hundredth of it the validator's own.
  selfStakeMin: 10_000_00000000n,
  delegationMin: 1_00000000n,
  // 21 days (STK), shorter than no trust period of a light client (CON-6).
  unbondingMs: 21 * 24 * hour,
  issuanceMax: 30_000_000_00000000n,
  yieldMaxBps: 6_000,
  stakersLeastBps: 0,
  formalWeight: 60,
  standbyWeight: 40,
  lateVoteBps: 100,
  // 5 % of all stake behind an equivocation, and a tenth of that to who shows it.
  slashBps: 500,
  reporterBps: 1_000,
  // BCN-3: two minutes, and a delay of 128 windows on a machine that takes 36 us a step, in pieces of 10 s.
  beaconWindowMs: 2 * minute,
  // 13 s of work on average; the slowest machine that has a chance takes seven times as long.
  beaconDifficulty: 361_984,
  beaconSegments: 1_536,
  beaconSegmentSteps: 277_000,
  beaconTurnMs: 30_000,
  beaconBps: 100,
  // About a day of blocks at 2 s, two weeks on a quiet ledger (CON-4).
  missedWindow: 43_200,
  // Half of the window away: jailed, for a day.
  missedMax: 21_600,
  jailMs: 24 * hour,
  // Some 50 MB a day: hundreds of times the statements, signatures and headers of a day with 1,000 transfers (CON-7).
  envelopeQuota: 60_000_000,
  // Two thirds of ten to a hundred committee seats around the world answer in about 600 ms.
  blockIntervalMs: 2_000,
  // A third of finalityAgeMaxMs (CON-1).
  heartbeatMs: 20_000,
  // Precision of NTP on rented servers (0.5 s) and delivery of a full block over 20 Mbit/s (1.5 s), doubled.
  clockToleranceMs: 4_000,
  // A full block of 2 MiB reaches everybody in 1.5 s; a vote in 0.3 s.
  proposeTimeoutMs: 3_000,
  voteTimeoutMs: 1_000,
  timeoutDeltaMs: 500,
  // Exchanges credit at 2 to 6; the loan limit bounds the rest. Six blocks are final by convention since 2009.
  creditDepth: 3,
  finalDepth: 6,
  // BTC-2: and at most a tenth of the bond of the key's seats (RNG-7).
  loanLimit: 500_000_000n,
  // A sweep input of 57.5 vB at 200 sat/vB costs 11,500 sat: a deposit is worth at least four of them.
  depositMin: 50_000n,
  // A first network's single deposit; custody as a whole is bounded by RNG-7.
  depositCap: 1_000_000_000n,
  withdrawalMin: 50_000n,
  // 10 sat/vB, until the committee's observations replace it (BTC-5).
  feeRateInitial: 10_000,
  // A coin costs 57.5 vB to spend: at 200 sat/vB this is 1 % of it.
  minCoin: 1_000_000n,
  vaultCoins: 8,
  // 30 days before the reclaim leaf opens, and one day for a sweep (BTC-2).
  reclaimMarginBlocks: 4_320,
  loanOverdueBlocks: 144,
  // ETH-2's defaults, measured there.
  stipend: 50_000,
  overhead: 20_000,
  // 118,000 gas at 10 gwei and a bitcoin of 25 ether are 4,700 sat.
  evmItemFee: 5_000n,
  // Operators restart and clocks drift: 10 minutes cover both; a rotation has days (RNG-4).
  ceremonyWindowMs: 10 * minute,
  // RNG-1: `causeway ring check` says what hostile stake could get of it.
  ringSeats: 100,
  // TIM-3: 28 days; a week before a new candidate may have a seat; a year of deposits to an address (RNG-2).
  ringTermEpochs: 28,
  ringCooldownEpochs: 7,
  ringRetireTerms: 12,
  ringHeartbeatMs: hour,
  // As for a double vote: both are proved, and neither happens by accident.
  ringSlashBps: 500,
  // RNG-7: half of the stake behind every seat.
  ringBondBps: 5_000,
  // One stake answers for the keys of all chains at once: a theft of all must cost more than it brings. At 100,000 BTM a
  // bitcoin, 1,000,000 BTM behind each of 40 validators let a key hold 100 bitcoins.
  ringCustodyBps: 5_000,
  // ACC-2: a fifth of what a transfer costs: 2,000 a day at 4,000 sats give 100 seats 16,000 sats each.
  ringFeeBps: 2_000,
  // RNG-6's default.
  finalityAgeMaxMs: minute,
  // 4 x 10^-7 BTM a unit of weight: a transfer of 313 bytes weighs 813 and burns 0.00033 BTM, at least a tenth of it.
  baseFeeInitial: 40_000n,
  baseFeeMin: 4_000n,
  // A block's bytes hold some 5,000 transfers (FMT-9), which weigh as much; half of it is the room for peaks.
  weightMax: 4_000_000,
  weightTarget: 2_000_000,
  // A hardware wallet takes minutes, a committee of people a day.
  expiryMaxMs: 24 * hour,
  // A day for the user to pay; anyone can post the request again (WIT-1).
  requestTtlMs: 24 * hour,
  // GOV-1, GOV-2: a week for everybody to see what will be looser, and to leave.
  govDelayMs: 7 * 24 * hour,
  slowModeMs: 24 * hour,
  slowModeRestMs: 7 * 24 * hour,
  pauseMs: 7 * 24 * hour,
};
