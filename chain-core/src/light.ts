// A light client: follows finality certificates forward from a trusted point, and believes records only when a
// trusted header's state root proves them (CON-6, CON-8). Signers judge plans with it, portals receipts.
import type { Bls, Bytes32, NetworkId, Rejected } from "@causeway/primitives";
import { bytes32, equal, isRejected, rejected } from "@causeway/primitives";
import type { Certificate, Committee, Header } from "./codec/block.ts";
import { blockId, committeeCodec, committeeId } from "./codec/block.ts";
import { verifyCertificate } from "./consensus/certificate.ts";
import { genesisHeader } from "./consensus/header.ts";
import { votersOf } from "./consensus/voters.ts";
import { committeeOf } from "./ledger/committee.ts";
import type { Genesis } from "./ledger/genesis.ts";
import { supportedVersion, upgradeNeeded } from "./ledger/governance/version.ts";
import type { RecordProof } from "./ledger/tree.ts";
import { verifyProof } from "./ledger/tree.ts";

/** A final block and who decides after it. `committee` decides it, `nextCommittee` the next epoch if known. */
export type Trusted = {
  readonly height: number;
  readonly id: Bytes32;
  readonly header: Header;
  readonly committee: Committee;
  readonly nextCommittee?: Committee;
};

/** What a node's `finality` serves. `committee`: bytes of the header's next committee, needed when it changes. */
export type Update = {
  readonly header: Header;
  readonly certificate: Certificate;
  readonly committee?: Uint8Array | undefined;
};

export type LightCode =
  /** Lower than what is trusted, or another block at its height: only forward (CON-6). */
  | "not-forward"
  | "bad-time"
  /** The certificate is for another height or block. */
  | "wrong-block"
  /** Neither the known committee nor the known next one decides this block: a header between is needed. */
  | "unknown-committee"
  /** The committee bytes that came along are not those that the header names. */
  | "bad-committee"
  | "bad-bitmap"
  | "no-quorum"
  | "nil-block"
  | "bad-signature"
  /** A quorum follows rules that this program does not have (GOV-1): it must be updated. */
  | "upgrade-needed"
  /** A record is not what the state root says. */
  | "bad-proof";

/** The start at height 0, which every genesis file gives by itself. */
export function trustGenesis(genesis: Genesis): Trusted {
  const committee = committeeOf(genesis);
  const header = genesisHeader(genesis.networkId, genesis.time, committee);
  const id = blockId(genesis.networkId, header);
  return { height: 0, id, header, committee, nextCommittee: { ...committee, epoch: 1 } };
}

/**
 * CON-6: the newer block of `update`, when a quorum of a known committee made it final. Heights may be skipped
 * as long as the deciding committee is the known current or next one. The block already trusted is accepted.
 * `supported`: the newest protocol version whose records this program can read.
 */
export function advance(
  network: NetworkId,
  bls: Bls,
  trusted: Trusted,
  update: Update,
  supported: number = supportedVersion,
): Trusted | Rejected<LightCode> {
  const { header, certificate } = update;
  const id = blockId(network, header);
  if (header.height === trusted.height && equal(id, trusted.id)) return trusted;
  if (header.height <= trusted.height)
    return rejected("not-forward", `height ${header.height}, ${trusted.height} is trusted`);
  if (header.time <= trusted.header.time)
    return rejected("bad-time", `time ${header.time} is not after ${trusted.header.time}`);
  if (certificate.height !== header.height || !equal(certificate.block, id))
    return rejected("wrong-block", `the certificate is not for this block ${header.height}`);
  const committee = knownCommittee(network, trusted, header.committee);
  if (committee === undefined)
    return rejected("unknown-committee", `height ${header.height} is decided by a stranger`);
  const bad = verifyCertificate(network, bls, votersOf(network, committee), certificate);
  const unknown = bad ?? upgradeNeeded(header.version, supported);
  if (unknown !== undefined) return unknown;
  const next = nextCommittee(network, trusted, committee, update);
  if (isRejected(next)) return next;
  return { height: header.height, id, header, committee, ...(next && { nextCommittee: next }) };
}

function knownCommittee(
  network: NetworkId,
  trusted: Trusted,
  id: Uint8Array,
): Committee | undefined {
  return [trusted.committee, trusted.nextCommittee].find(
    (committee) => committee !== undefined && equal(committeeId(network, committee), id),
  );
}

function nextCommittee(
  network: NetworkId,
  trusted: Trusted,
  committee: Committee,
  { header, committee: bytes }: Update,
): Committee | undefined | Rejected<LightCode> {
  if (equal(header.nextCommittee, header.committee)) return committee;
  const known = knownCommittee(network, trusted, header.nextCommittee);
  if (known !== undefined || bytes === undefined) return known;
  const parsed = committeeCodec.parse(bytes);
  if (isRejected(parsed) || !equal(committeeId(network, parsed), header.nextCommittee))
    return rejected("bad-committee", `height ${header.height} names another next committee`);
  return parsed;
}

/** A record under its full key, or its absence when `value` is undefined. */
export type ProvenRecord = {
  readonly key: Uint8Array;
  readonly value?: Uint8Array | undefined;
  readonly proof: RecordProof;
};

/**
 * Undefined when the trusted header's state root proves every record. That root is the state *before* its block
 * (FMT-7): at `trusted.height - 1`.
 */
export function verifyRecords(
  trusted: Trusted,
  records: readonly ProvenRecord[],
): Rejected<LightCode> | undefined {
  for (const [position, { key, value, proof }] of records.entries())
    if (!verifyProof(trusted.header.stateRoot, key, value, proof))
      return rejected("bad-proof", `record ${position} is not under the root of ${trusted.height}`);
  return undefined;
}

/** A checkpoint that an operator confirmed from a second source (CON-6), as a trusted point. */
export function trustCheckpoint(
  network: NetworkId,
  header: Header,
  committee: Committee,
): Trusted | Rejected<LightCode> {
  if (!equal(committeeId(network, committee), header.committee))
    return rejected("bad-committee", `the checkpoint at ${header.height} has another committee`);
  const id = bytes32(blockId(network, header));
  const isFixed = equal(header.committee, header.nextCommittee);
  return {
    height: header.height,
    id,
    header,
    committee,
    ...(isFixed && { nextCommittee: committee }),
  };
}

/** Where a light client starts: the two genesis files, checked (FMT-1). */
export { parseGenesis } from "./ledger/genesis-file.ts";
/** Bytes of a record's proof, as the RPC method `prove` serves it. */
export { type RecordProof, recordProofCodec } from "./ledger/tree.ts";
