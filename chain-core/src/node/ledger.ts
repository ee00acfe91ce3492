// The real ledger behind the node's port.
import type { Bls } from "@causeway/primitives";
import { isRejected, keyOf, must } from "@causeway/primitives";
import { claimId } from "../beacon/contribution.ts";
import { verifyAhead } from "../ledger/ahead.ts";
import { applyBlock } from "../ledger/apply.ts";
import { openClaim } from "../ledger/beacon/ahead.ts";
import { buildBlock } from "../ledger/build.ts";
import { checkTransaction, refusedEnvelope } from "../ledger/check.ts";
import type { Helpers, LedgerEnv } from "../ledger/env.ts";
import { ledgerEnv } from "../ledger/env.ts";
import { committeeAt, epochOf } from "../ledger/epoch/epochs.ts";
import { suspendedSeats } from "../ledger/epoch/validators.ts";
import { openVotes } from "../ledger/epoch/votes.ts";
import type { Genesis } from "../ledger/genesis.ts";
import { genesisState } from "../ledger/genesis-state.ts";
import { upgradeNeeded, versionOf } from "../ledger/governance/version.ts";
import { readParameters } from "../ledger/parameters.ts";
import type { StateReader } from "../ledger/state.ts";
import { emptyTree, root, update } from "../ledger/tree.ts";
import { utxoCommitment } from "../ledger/utxo/commitment.ts";
import type { Protocol } from "../ledger/versions.ts";
import type { Frame, LedgerPort } from "./port.ts";

/**
 * One per process: it remembers which signatures it verified. `protocol`: the versions that it knows; `helpers` are its
 * alone.
 */
export function bindLedger(
  genesis: Genesis,
  bls: Bls,
  protocol?: Protocol,
  helpers?: Helpers,
): LedgerPort {
  const env = ledgerEnv(genesis, bls, protocol, helpers);
  return {
    genesis: () => {
      const puts = genesisState(genesis);
      return { puts, tree: update(emptyTree, puts) };
    },
    root,
    frame: (reader) => frameOf(env, reader),
    openVotes,
    apply: (reader, tree, block) => applyBlock(env, reader, tree, block),
    build: (...args) => {
      const built = buildBlock(env, ...args);
      return isRejected(built) ? { transactions: [] } : built;
    },
    check: (reader, block, bytes, parents) => checkTransaction(env, reader, block, bytes, parents),
    refused: (reader, bytes) => refusedEnvelope(env, reader, bytes),
    expect: (reader, transactions) => verifyAhead(env, reader, transactions),
    openClaim: (reader, block, bytes) => openClaim(env, reader, block, bytes),
    learn: (claim, verdict) => env.verdicts?.set(keyOf(claimId(claim)), verdict),
  };
}

function frameOf({ genesis, protocol: { supported } }: LedgerEnv, reader: StateReader): Frame {
  const { number, endsAt } = epochOf(reader);
  const version = versionOf(reader);
  const stop = upgradeNeeded(version, supported);
  const committee = must(committeeAt(reader, number), "committee");
  return {
    version,
    ...(stop && { stop }),
    params: readParameters(reader, genesis.params),
    epoch: number,
    epochEndsAt: endsAt,
    committee,
    nextCommittee: must(committeeAt(reader, number + 1), "next committee"),
    barred: suspendedSeats(reader, committee),
    utxoCommitment: utxoCommitment(reader),
  };
}
