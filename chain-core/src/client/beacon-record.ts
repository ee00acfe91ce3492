// What the blocks of an epoch say of its beacon, read from any node, to be replayed by whoever doubts it.
import type { Bytes32 } from "@causeway/primitives";
import { bytes32, Failure, isRejected } from "@causeway/primitives";
import type { Contribution, PostedSegment } from "../beacon/contribution.ts";
import { contributionCodec, segmentCodec } from "../beacon/contribution.ts";
import type { Transcript } from "../beacon/transcript.ts";
import { seedAfter } from "../beacon/transcript.ts";
import { kinds } from "../codec/action.ts";
import { transactionCodec } from "../codec/transaction.ts";
import { outputs } from "../ledger/beacon/round.ts";
import { committeeAt, epochOf } from "../ledger/epoch/epochs.ts";
import type { Genesis } from "../ledger/genesis.ts";
import { readParameters } from "../ledger/parameters.ts";
import { pastEpochs } from "../ledger/staking/fixed.ts";
import type { StateReader } from "../ledger/state.ts";
import type { RecordSource } from "./read-state.ts";
import { readState } from "./read-state.ts";
import type { BlockResult } from "./types.ts";

export type BlockSource = RecordSource & {
  readonly block: (height: number) => Promise<BlockResult | undefined>;
};

/** `output`: what the ledger has; undefined where the epoch has none. */
export type EpochRecord = { readonly transcript: Transcript; readonly output: Bytes32 | undefined };

/**
 * All of `epoch` that is on the ledger, with the parameters in force now. Throws Failure "no-epoch" before it begins,
 * "pruned" where the node has not kept its committee or blocks.
 */
export async function epochRecord(
  source: BlockSource,
  genesis: Genesis,
  epoch: number,
): Promise<EpochRecord> {
  const known = await readState(source, (state) => placeOf(state, genesis, epoch));
  if (known === undefined) throw new Failure("no-epoch", `epoch ${epoch} has not begun`);
  const { from, until, committee, before, output, params } = known;
  if (committee === undefined)
    throw new Failure("pruned", `the ledger has forgotten the committee of epoch ${epoch}`);
  const contributions: Contribution[] = [];
  const posted: PostedSegment[] = [];
  for (let height = from; height < (until ?? Number.POSITIVE_INFINITY); height++) {
    const block = await source.block(height);
    if (block === undefined) break;
    for (const action of block.transactions.flatMap(actionsIn))
      if (action.kind === kinds.contribution)
        contributions.push(contributionCodec.decode(action.body));
      else if (action.kind === kinds.segment) posted.push(segmentCodec.decode(action.body));
  }
  const { networkId: network } = genesis;
  const transcript: Transcript = {
    round: { network, epoch, seed: seedAfter(network, before) },
    consensusKeys: committee.members.map(({ consensusKey }) => consensusKey),
    difficulty: params.beaconDifficulty,
    segments: params.beaconSegments,
    segmentSteps: params.beaconSegmentSteps,
    contributions,
    posted,
  };
  return { transcript, output };
}

function placeOf(state: StateReader, genesis: Genesis, epoch: number) {
  const running = epochOf(state);
  if (epoch > running.number) return undefined;
  const firstOf = (of: number): number | undefined =>
    of === running.number ? running.firstHeight : pastEpochs.get(state, of)?.firstHeight;
  const outputOf = (of: number): Bytes32 | undefined => {
    const found = outputs.get(state, of);
    return found && bytes32(found.output);
  };
  return {
    from: firstOf(epoch) ?? 1,
    until: firstOf(epoch + 1),
    committee: committeeAt(state, epoch),
    before: Array.from({ length: epoch }, (_, of) => outputOf(of)),
    output: outputOf(epoch),
    params: readParameters(state, genesis.params),
  };
}

function actionsIn(bytes: Uint8Array): readonly { kind: number; body: Uint8Array }[] {
  const tx = transactionCodec.parse(bytes);
  return isRejected(tx) ? [] : tx.actions;
}
