// The fields of a header that consensus owns; the ledger checks the rest when it applies the block.
import type { Bytes32, NetworkId, Rejected } from "@causeway/primitives";
import { equal, rejected, zero32 } from "@causeway/primitives";
import type { Committee, Header } from "../codec/block.ts";
import { committeeId, transactionsRoot, votesRoot } from "../codec/block.ts";
import type { Voters } from "./voters.ts";

/** The protocol version of this code (FMT-7). */
const headerVersion = 1;

/** A block that another is built on. */
export type Parent = { readonly height: number; readonly id: Uint8Array; readonly time: number };

export type BadHeader = Rejected<
  "bad-height" | "bad-parent" | "bad-time" | "bad-proposer" | "bad-committee"
>;

/** FMT-7, TIM-1's order of times. `nextCommittee` is the id of the next epoch's (CON-3). */
export function checkHeader(
  voters: Voters,
  nextCommittee: Uint8Array,
  parent: Parent,
  header: Header,
): BadHeader | undefined {
  if (header.height !== parent.height + 1)
    return rejected("bad-height", `height ${header.height} on ${parent.height}`);
  if (!equal(header.parent, parent.id))
    return rejected("bad-parent", `block ${header.height} is not built on our block`);
  if (header.time <= parent.time)
    return rejected("bad-time", `time ${header.time} is not after the parent's ${parent.time}`);
  if (header.proposer >= voters.size)
    return rejected("bad-proposer", `proposer ${header.proposer} of ${voters.size}`);
  if (!equal(header.committee, voters.id) || !equal(header.nextCommittee, nextCommittee))
    return rejected("bad-committee", `block ${header.height} names another committee`);
  return undefined;
}

/** Height 0, which nobody signs: it follows from the genesis alone. `time` is the genesis's. */
export function genesisHeader(network: NetworkId, time: number, committee: Committee): Header {
  const id = (epoch: number): Bytes32 => committeeId(network, { ...committee, epoch });
  return {
    version: headerVersion,
    height: 0,
    time,
    parent: zero32,
    proposer: 0,
    transactionsRoot: transactionsRoot(network, []),
    stateRoot: zero32,
    utxoCommitment: zero32,
    votesRoot: votesRoot(network, { certificate: [], late: [] }),
    snapshotRoot: zero32,
    committee: id(0),
    nextCommittee: id(1),
  };
}
